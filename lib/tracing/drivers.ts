import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { diag, type TracerProvider } from '@opentelemetry/api';
import gte from 'semver/functions/gte.js';
import type { DriverStatus } from '../operation/driver-status.js';
import { SCOPE } from '../spans/tracing-runtime.js';
import { own } from '../validation/own.js';
import { CHANNEL_DRIVERS, subscribeChannelDrivers } from './driver-channels.js';
import { InstalledModules } from './installed-modules.js';
import { KNOWN_DRIVERS, type KnownDriver, UNSEEN_DRIVERS } from './known-drivers.js';
import { applyLate, isWrapped, type PatchingInstrumentation } from './late-instrumentation.js';

/** Whether a driver is seen, how, and what to do. */
type Visibility = Pick<DriverStatus, 'seen' | 'how' | 'advice'>;

const BY_APPLICATION: Visibility = { seen: true, how: "the application's own instrumentation" };
const NOT_INSTRUMENTED: Visibility = { seen: false, how: 'not instrumented' };

/** Creates spans for drivers and outgoing calls, without a preload, even if they were loaded first. */
export class DriverInstrumentation {
  private readonly modules = new InstalledModules();
  private readonly instrumentations: PatchingInstrumentation[] = [];
  private unsubscribe: (() => void) | undefined;
  private readonly table = new Map<string, DriverStatus>();

  /** The drivers of the application, seen or not. */
  statuses(): DriverStatus[] {
    return [...this.table.values()];
  }

  /** Instruments every driver for which that is possible. */
  async enable(provider: TracerProvider): Promise<void> {
    await this.enableOutgoing(provider);
    const tracer = provider.getTracer(SCOPE.name, SCOPE.version);
    this.unsubscribe = subscribeChannelDrivers(() => tracer, {
      skip: (driver) => this.table.get(driver)?.how === BY_APPLICATION.how,
    });
    for (const known of KNOWN_DRIVERS) {
      const installed = this.modules.findUsed(known.driver, known.declaredOnly);
      if (installed === undefined) continue;
      const { version } = installed;
      this.set(known.driver, version, await this.instrument(known, version, provider));
    }
    const advice = "decorate the methods that use it with @TrackPerformance('database')";
    for (const driver of UNSEEN_DRIVERS) {
      const installed = this.modules.findUsed(driver);
      if (installed === undefined) continue;
      this.set(driver, installed.version, { seen: false, how: 'no instrumentation is known', advice });
    }
  }

  /** Fills the table without instrumenting anything, for an application with its own tracer provider. */
  inspect(): void {
    this.set('node:http', undefined, isWrapped(http.request) ? BY_APPLICATION : NOT_INSTRUMENTED);
    for (const known of KNOWN_DRIVERS) {
      const installed = this.modules.findUsed(known.driver, known.declaredOnly);
      if (installed === undefined) continue;
      const advice = `add ${known.instrumentation} to your tracing`;
      const visibility = this.isPatchedByApplication(known)
        ? BY_APPLICATION
        : { ...NOT_INSTRUMENTED, advice };
      this.set(known.driver, installed.version, visibility);
    }
  }

  /** Applies the instrumentations to modules that were loaded since. */
  refresh(): void {
    for (const instrumentation of this.instrumentations) {
      try {
        applyLate(instrumentation, this.modules);
      } catch (error) {
        reportFailure(instrumentation.instrumentationName, error);
      }
    }
  }

  /** Removes all instrumentations. */
  disable(): void {
    this.unsubscribe?.();
    for (const instrumentation of this.instrumentations) instrumentation.disable();
    this.instrumentations.length = 0;
    syncBuiltinESMExports();
  }

  private async enableOutgoing(provider: TracerProvider): Promise<void> {
    if (isWrapped(http.request)) {
      this.exposePatchedHttp();
      this.set('node:http', undefined, BY_APPLICATION);
    } else {
      const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
      this.add(new HttpInstrumentation({ disableIncomingRequestInstrumentation: true }), provider);
      this.exposePatchedHttp();
      const seen = isWrapped(http.request);
      this.set('node:http', undefined, { seen, how: 'OpenTelemetry, outgoing calls' });
    }
    const { UndiciInstrumentation } = await import('@opentelemetry/instrumentation-undici');
    this.add(new UndiciInstrumentation(), provider);
    this.set('fetch', undefined, { seen: true, how: 'OpenTelemetry, on undici’s channels' });
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
    if (this.isPatchedByApplication(known)) return BY_APPLICATION;
    if (channel !== undefined && gte(version, channel.minVersion))
      return { seen: true, how: 'its own tracing channel' };
    try {
      const instrumentation = await this.createInstrumentation(known);
      if (instrumentation === undefined) {
        const update = channel === undefined ? '' : ` or update ${driver} to ${channel.minVersion}`;
        return { seen: false, how: 'no instrumentation', advice: `npm install ${how}${update}` };
      }
      this.add(instrumentation, provider);
      applyLate(instrumentation, this.modules);
      return { seen: true, how };
    } catch (error) {
      reportFailure(how, error);
      const advice = 'set a logger with diag.setLogger of @opentelemetry/api to see why';
      return { seen: false, how: `${how} failed`, advice };
    }
  }

  /** The instrumentation of a driver, if this package contains it or the application has installed it. */
  private async createInstrumentation(known: KnownDriver): Promise<PatchingInstrumentation | undefined> {
    if (known.bundled !== true && this.modules.find(known.instrumentation) === undefined) return undefined;
    const exports = (
      known.bundled === true
        ? await import('@opentelemetry/instrumentation-pg')
        : this.modules.load(known.instrumentation)
    ) as Record<string, new (config?: object) => PatchingInstrumentation>;
    const Instrumentation = own(exports, known.className);
    return Instrumentation === undefined ? undefined : new Instrumentation(known.config?.());
  }

  private add(instrumentation: PatchingInstrumentation, provider: TracerProvider): void {
    instrumentation.setTracerProvider(provider);
    this.instrumentations.push(instrumentation);
  }

  private isPatchedByApplication({ driver, patched }: KnownDriver): boolean {
    if (patched === undefined) return false;
    return this.modules.loadedCopies(driver).some(({ folder }) => {
      const exports = this.modules.loadedExports(folder);
      if (typeof exports !== 'object' && typeof exports !== 'function') return false;
      return exports !== null && isWrapped(patched(exports as Record<string, unknown>));
    });
  }

  private set(driver: string, version: string | undefined, visibility: Visibility): void {
    this.table.set(driver, { driver, ...(version === undefined ? {} : { version }), ...visibility });
  }
}

function reportFailure(instrumentation: string, error: unknown): void {
  diag.error(`nestjs-performance: ${instrumentation} failed, so its driver is not instrumented`, error);
}
