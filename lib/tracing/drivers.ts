import http from 'node:http';
import { isBuiltin, syncBuiltinESMExports } from 'node:module';
import type { Tracer, TracerProvider } from '@opentelemetry/api';
import satisfies from 'semver/functions/satisfies.js';
import { FaultLog } from '../async/fault-log.js';
import { reasonOf, reportFault } from '../async/thrown.js';
import { isBundled } from '../code/own-code.js';
import type { DriverStatus } from '../operation/driver-status.js';
import { SCOPE } from '../spans/tracing-runtime.js';
import { markTracing } from './bundled-classes.js';
import { CHANNEL_DRIVERS, subscribeChannelDrivers } from './driver-channels.js';
import { InstalledModules } from './installed-modules.js';
import {
  createInstrumentation,
  isPatched,
  KNOWN_DRIVERS,
  type KnownDriver,
  PRISMA_ADAPTERS,
  TRANSPORTS,
  UNSEEN_DRIVERS,
} from './known-drivers.js';
import { applyLate, isWrapped, NODE_SQLITE, type PatchingInstrumentation } from './late-instrumentation.js';
import { packageOf } from './loaded-packages.js';
import { onBuiltinLoaded, onFileLoaded } from './module-loads.js';
import { traceFetch } from './outgoing-calls/fetch-client.js';
import { traceHttpClients } from './outgoing-calls/http-client.js';

/** Whether a driver is seen, how, and what to do. */
type Visibility = Pick<DriverStatus, 'seen' | 'how' | 'advice'>;

interface Instrumented {
  readonly driver: string;
  readonly instrumentation: PatchingInstrumentation;
}

const BY_APPLICATION: Visibility = { seen: true, how: "the application's own instrumentation" };
const IN_PACKAGE: Visibility = { seen: true, how: 'part of this package' };
const DECORATE = "decorate the methods that use it with @TrackPerformance('database')";
const MICROSERVICES = '@nestjs/microservices';
const THROUGH_NEST: Visibility = { seen: true, how: `messages of ${MICROSERVICES}` };
const NOT_INSTRUMENTED: Visibility = { seen: false, how: 'not instrumented' };

/** Creates spans for drivers and outgoing calls, without a preload, even if they were loaded first. */
export class DriverInstrumentation {
  private readonly modules = new InstalledModules();
  private readonly instrumentations: Instrumented[] = [];
  private readonly faults: FaultLog;
  /** What ends the measurements that need no instrumentation. */
  private readonly restores: (() => void)[] = [];
  private readonly table = new Map<string, DriverStatus>();

  /** @param warn receives one message for each driver whose set-up failed */
  constructor(warn: (message: string) => void) {
    this.faults = new FaultLog(warn);
  }

  /** The drivers of the application, seen or not. */
  statuses(): DriverStatus[] {
    return [...this.table.values()];
  }

  /** Instruments every driver for which that is possible. Never rejects. */
  async enable(provider: TracerProvider): Promise<void> {
    const tracer = provider.getTracer(SCOPE.name, SCOPE.version);
    await this.guard('node:http', () => this.enableHttp(tracer));
    await this.guard('fetch', () => this.enableFetch(tracer));
    const skip = (driver: string): boolean => this.table.get(driver)?.how === BY_APPLICATION.how;
    this.restores.push(subscribeChannelDrivers(() => tracer, { skip }));
    this.restores.push(onFileLoaded((path) => this.patchLoaded(path)));
    for (const known of KNOWN_DRIVERS) {
      await this.guard(known.driver, () =>
        this.addKnown(known, (version) => this.instrument(known, version, provider)),
      );
    }
    await this.guard(NODE_SQLITE, () => this.awaitBuiltin(NODE_SQLITE, provider));
    for (const driver of UNSEEN_DRIVERS) {
      await this.guard(driver, () => {
        const installed = this.modules.findUsed(driver);
        if (installed === undefined) return;
        const unseen = { seen: false, how: 'no instrumentation is known', advice: DECORATE };
        this.set(driver, installed.version, this.throughNest(driver) ?? unseen);
      });
    }
    if (isBundled())
      void markTracing(
        provider,
        tracer,
        this.instrumentations.map(({ instrumentation }) => instrumentation),
      );
  }

  /**
   * Fills the table without instrumenting anything, for an application with its own tracer provider. Never rejects.
   * @param messages whether the messages of Nest's clients are measured
   */
  async inspect(messages: boolean): Promise<void> {
    this.set('node:http', undefined, isWrapped(http.request) ? BY_APPLICATION : NOT_INSTRUMENTED);
    for (const known of KNOWN_DRIVERS) {
      const advice =
        known.instrumentation === undefined ? DECORATE : `add ${known.instrumentation} to your tracing`;
      await this.guard(known.driver, () =>
        this.addKnown(known, () => {
          if (isPatched(known, this.modules)) return BY_APPLICATION;
          const through =
            this.throughAdapter(known) ?? (messages ? this.throughNest(known.driver) : undefined);
          return through ?? { ...NOT_INSTRUMENTED, advice };
        }),
      );
    }
  }

  /** Applies the instrumentations to modules that were loaded since. Never throws. */
  refresh(): void {
    for (const each of this.instrumentations)
      this.patch(each, () => applyLate(each.instrumentation, this.modules));
    if (
      this.modules.isBuiltinLoaded(NODE_SQLITE) &&
      !this.table.has(NODE_SQLITE) &&
      this.instruments(NODE_SQLITE)
    )
      this.set(NODE_SQLITE, process.versions.node, IN_PACKAGE);
    if (isBundled()) for (const known of KNOWN_DRIVERS) this.checkBundled(known.driver);
  }

  /** Patches a driver of which a file has been loaded. */
  private patchLoaded(path: string): void {
    const found = packageOf(path);
    if (found === undefined) return;
    for (const each of this.instrumentations)
      this.patch(each, () => each.instrumentation.patchLoaded?.(found.name, found.folder, this.modules));
  }

  private patch({ driver }: Instrumented, apply: () => void): void {
    try {
      apply();
    } catch (error) {
      this.failed(driver, error);
    }
  }

  /** An instrumentation needs a module that Node loads: it cannot find one inside a bundle. */
  private checkBundled(driver: string): void {
    const status = this.table.get(driver);
    if (
      status === undefined ||
      isBuiltin(driver) ||
      !this.instruments(driver) ||
      this.modules.loadedCopies(driver).length > 0
    )
      return;
    const how = 'not loaded yet, or part of the bundle';
    const advice = `keep ${driver} out of the bundle ("external" in the bundler's configuration)`;
    this.set(driver, status.version, { seen: false, how, advice });
  }

  /** Removes all instrumentations. Never throws. */
  disable(): void {
    for (const restore of this.restores.splice(0)) restore();
    for (const { driver, instrumentation } of this.instrumentations) {
      try {
        instrumentation.disable();
      } catch (error) {
        reportFault(`the instrumentation of ${driver} was not removed`, error);
      }
    }
    this.instrumentations.length = 0;
    syncBuiltinESMExports();
  }

  private enableHttp(tracer: Tracer): void {
    const isByApplication = isWrapped(http.request);
    if (isByApplication) this.exposePatchedHttp();
    else this.restores.push(traceHttpClients(tracer));
    this.set('node:http', undefined, isByApplication ? BY_APPLICATION : IN_PACKAGE);
  }

  private enableFetch(tracer: Tracer): void {
    this.restores.push(traceFetch(tracer));
    this.set('fetch', undefined, IN_PACKAGE);
  }

  private async addKnown(
    { driver, declaredOnly, usedBy }: KnownDriver,
    visibility: (version: string) => Visibility | Promise<Visibility>,
  ): Promise<void> {
    const installed = this.modules.findUsed(driver, declaredOnly, usedBy);
    if (installed === undefined) return;
    this.set(driver, installed.version, await visibility(installed.version));
  }

  /** A driver, an instrumentation or a package.json of any quality must not stop the application. */
  private async guard(driver: string, setUp: () => void | Promise<void>): Promise<void> {
    try {
      await setUp();
    } catch (error) {
      this.failed(driver, error);
    }
  }

  private failed(driver: string, error: unknown): void {
    const version = this.table.get(driver)?.version;
    this.set(driver, version, { seen: false, how: 'its instrumentation failed', advice: 'see the log' });
    this.faults.fail(
      driver,
      `${driver} is not instrumented, so its operations are not measured: ${reasonOf(error).split('\n', 1)[0]}`,
    );
  }

  /** OpenTelemetry patches a core module when it is required. Named imports of it need to be synchronized. */
  private exposePatchedHttp(): void {
    for (const name of ['node:http', 'http', 'node:https', 'https']) this.modules.load(name);
    syncBuiltinESMExports();
  }

  /** Instruments a driver, unless the application or the driver itself does. */
  private async instrument(
    known: KnownDriver,
    version: string,
    provider: TracerProvider,
  ): Promise<Visibility> {
    const { driver, instrumentation: how } = known;
    const channel = CHANNEL_DRIVERS.find((candidate) => candidate.driver === driver);
    if (isPatched(known, this.modules)) return BY_APPLICATION;
    if (channel !== undefined && satisfies(version, `>=${channel.minVersion}`))
      return { seen: true, how: 'its own tracing channel' };
    const through = this.throughAdapter(known);
    if (through !== undefined) return through;
    const instrumentation = await createInstrumentation(known, this.modules);
    if (instrumentation === undefined) {
      const throughNest = this.throughNest(driver);
      if (throughNest !== undefined) return throughNest;
      const update = channel === undefined ? '' : ` or update ${driver} to ${channel.minVersion}`;
      return { seen: false, how: 'no instrumentation', advice: `npm install ${how}${update}` };
    }
    this.add(driver, instrumentation, provider);
    applyLate(instrumentation, this.modules);
    return how === undefined || known.create !== undefined ? IN_PACKAGE : { seen: true, how };
  }

  /** The transports of Nest: `MessageTracing` measures the messages of its clients and handlers. */
  private throughNest(driver: string): Visibility | undefined {
    if (!TRANSPORTS.has(driver) || this.modules.findUsed(MICROSERVICES, true) === undefined) return undefined;
    // Its classes cannot be found inside a bundle.
    return isBundled() && this.modules.loadedCopies(MICROSERVICES).length === 0 ? undefined : THROUGH_NEST;
  }

  /** Prisma with a driver adapter: the driver's own spans are its queries, and Prisma's would count them twice. */
  private throughAdapter({ driver }: KnownDriver): Visibility | undefined {
    if (driver !== '@prisma/client') return undefined;
    for (const [adapter, executes] of PRISMA_ADAPTERS)
      if (this.modules.findUsed(adapter) !== undefined && this.table.get(executes)?.seen === true)
        return { seen: true, how: `through ${executes}` };
    return undefined;
  }

  /** A module of Node.js may be loaded at any time, and listed once it is. */
  private async awaitBuiltin(driver: string, provider: TracerProvider): Promise<void> {
    const known = KNOWN_DRIVERS.find((each) => each.driver === driver);
    if (known?.create === undefined || !isBuiltin(driver) || this.table.has(driver)) return;
    const instrumentation = await known.create(this.modules);
    this.add(driver, instrumentation, provider);
    const stop = onBuiltinLoaded(driver, () => {
      if (!this.modules.isBuiltinLoaded(driver)) return;
      stop();
      this.patch({ driver, instrumentation }, () => applyLate(instrumentation, this.modules));
    });
    this.restores.push(stop);
  }

  private instruments(driver: string): boolean {
    return this.instrumentations.some((each) => each.driver === driver);
  }

  private add(driver: string, instrumentation: PatchingInstrumentation, provider: TracerProvider): void {
    instrumentation.setTracerProvider(provider);
    this.instrumentations.push({ driver, instrumentation });
  }

  private set(driver: string, version: string | undefined, visibility: Visibility): void {
    this.table.set(driver, { driver, ...(version === undefined ? {} : { version }), ...visibility });
  }
}
