import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { diag, type Tracer, type TracerProvider } from '@opentelemetry/api';
import gte from 'semver/functions/gte.js';
import type { DriverStatus } from '../operation/driver-status.js';
import { SCOPE } from '../spans/tracing-runtime.js';
import { own } from '../validation/own.js';
import { CHANNEL_DRIVERS, subscribeChannelDrivers } from './driver-channels.js';
import { InstalledModules } from './installed-modules.js';
import { KNOWN_DRIVERS, type KnownDriver, UNSEEN_DRIVERS } from './known-drivers.js';
import { applyLate, isWrapped, type PatchingInstrumentation } from './late-instrumentation.js';

/** Sees to it that drivers and outgoing calls make spans, without a preload and whatever was loaded first. */
export class DriverInstrumentation {
  private readonly modules = new InstalledModules();
  private readonly instrumentations: PatchingInstrumentation[] = [];
  private unsubscribe: (() => void) | undefined;
  private readonly table = new Map<string, DriverStatus>();

  /** What is seen and what is not. */
  statuses(): DriverStatus[] {
    return [...this.table.values()];
  }

  /** Makes every driver seen that can be. */
  async enable(provider: TracerProvider): Promise<void> {
    await this.enableOutgoing(provider);
    const tracer: Tracer = provider.getTracer(SCOPE.name, SCOPE.version);
    this.unsubscribe = subscribeChannelDrivers(() => tracer, {
      skip: (driver) => this.table.get(driver)?.how === APPLICATIONS_OWN,
    });
    for (const known of KNOWN_DRIVERS) await this.enableDriver(known, provider);
    this.reportUnseen();
  }

  /** Fills the table and changes nothing, where the application does its own instrumentation. */
  inspect(): void {
    this.set(
      'node:http',
      undefined,
      isWrapped(http.request),
      isWrapped(http.request) ? APPLICATIONS_OWN : OFF,
    );
    for (const known of KNOWN_DRIVERS) {
      const installed = this.modules.findUsed(known.driver, known.declaredOnly);
      if (installed === undefined) continue;
      if (this.isPatchedByApplication(known))
        this.set(known.driver, installed.version, true, APPLICATIONS_OWN);
      else
        this.set(known.driver, installed.version, false, OFF, `add ${known.instrumentation} to your tracing`);
    }
  }

  /** Applies the instrumentations to what was loaded since. */
  refresh(): void {
    for (const instrumentation of this.instrumentations) {
      try {
        applyLate(instrumentation, this.modules);
      } catch (error) {
        diag.error('nestjs-performance: a driver could not be instrumented', error);
      }
    }
  }

  /** Takes everything back. */
  disable(): void {
    this.unsubscribe?.();
    for (const instrumentation of this.instrumentations) instrumentation.disable();
    this.instrumentations.length = 0;
    syncBuiltinESMExports();
  }

  private async enableOutgoing(provider: TracerProvider): Promise<void> {
    if (isWrapped(http.request)) {
      this.showPatchedHttp();
      this.set('node:http', undefined, true, APPLICATIONS_OWN);
    } else {
      const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
      this.add(new HttpInstrumentation({ disableIncomingRequestInstrumentation: true }), provider);
      this.showPatchedHttp();
      this.set('node:http', undefined, isWrapped(http.request), 'OpenTelemetry, outgoing calls');
    }
    const { UndiciInstrumentation } = await import('@opentelemetry/instrumentation-undici');
    this.add(new UndiciInstrumentation(), provider);
    this.set('fetch', undefined, true, 'OpenTelemetry, on undici’s channels');
  }

  /** The patch is applied when a core module is required, and then has to be shown to those who import it by name. */
  private showPatchedHttp(): void {
    for (const name of ['node:http', 'http', 'node:https', 'https']) this.modules.load(name);
    syncBuiltinESMExports();
  }

  private async enableDriver(known: KnownDriver, provider: TracerProvider): Promise<void> {
    const installed = this.modules.findUsed(known.driver, known.declaredOnly);
    if (installed === undefined) return;
    const { driver, instrumentation } = known;
    const { version } = installed;
    const channel = CHANNEL_DRIVERS.find((candidate) => candidate.driver === driver);
    if (this.isPatchedByApplication(known)) {
      this.set(driver, version, true, APPLICATIONS_OWN);
    } else if (channel !== undefined && gte(version, channel.minVersion)) {
      this.set(driver, version, true, 'its own tracing channel');
    } else {
      try {
        const made = await this.makeInstrumentation(known);
        if (made === undefined) {
          const update = channel === undefined ? '' : ` or update ${driver} to ${channel.minVersion}`;
          this.set(driver, version, false, 'no instrumentation', `npm install ${instrumentation}${update}`);
          return;
        }
        this.add(made, provider);
        applyLate(made, this.modules);
        this.set(driver, version, true, instrumentation);
      } catch (error) {
        diag.error(`nestjs-performance: ${driver} could not be instrumented`, error);
        this.set(driver, version, false, `${instrumentation} failed`, 'see the diag log of OpenTelemetry');
      }
    }
  }

  private async makeInstrumentation(known: KnownDriver): Promise<PatchingInstrumentation | undefined> {
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

  private reportUnseen(): void {
    for (const driver of UNSEEN_DRIVERS) {
      const installed = this.modules.findUsed(driver);
      if (installed === undefined) continue;
      const advice = "decorate the methods that use it with @TrackPerformance('database')";
      this.set(driver, installed.version, false, 'no instrumentation is known', advice);
    }
  }

  private set(
    driver: string,
    version: string | undefined,
    seen: boolean,
    how: string,
    advice?: string,
  ): void {
    this.table.set(driver, {
      driver,
      ...(version === undefined ? {} : { version }),
      seen,
      how,
      ...(advice === undefined ? {} : { advice }),
    });
  }
}

const APPLICATIONS_OWN = "the application's own instrumentation";
const OFF = 'not instrumented';
