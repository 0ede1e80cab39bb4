import { type TracerProvider, trace } from '@opentelemetry/api';
import { Deadline, SHUTDOWN_MS } from '../async/deadline.js';
import { type ProcessWideSettings, refusedSettings } from '../async/process-wide.js';
import type { ResolvedOptions } from '../monitor/options.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { SCOPE, tracingRuntime } from '../spans/tracing-runtime.js';
import { isRegistered, otherApi, type Registration, registerGlobals } from './api-globals.js';
import { DriverInstrumentation } from './drivers.js';
import { SlowSpanProcessor } from './slow-span.processor.js';

/** The log of the application. Nest's Logger fits. */
export interface Log {
  log(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
}

/** The tracing of one module. Modules of one process share it. */
export interface Tracing {
  readonly provider: TracerProvider;
  readonly processor: SlowSpanProcessor;
  /** Whether the application registered the tracer provider. */
  readonly isApplicationProvider: boolean;
  readonly drivers: DriverInstrumentation;
  /** The options of this module that do not apply, because another module of the process has set up tracing. */
  readonly refused: readonly string[];
  /** Call when the module is initialized: from then on it counts what belongs to no module, if it is the oldest. */
  start(): void;
  /** Ends its use by this module. The last module to do so flushes it, until the deadline, and removes it. */
  release(deadline?: Deadline): Promise<void>;
}

interface Shared {
  tracing: Promise<Omit<Tracing, 'refused' | 'start' | 'release'>>;
  /** Of the module that has set it up; undefined if the application has. */
  settings: ProcessWideSettings | undefined;
  users: number;
  shutdown(deadline: Deadline): Promise<void>;
}

/** Returns the tracing of the process. Sets it up unless the application or another module has. */
export async function acquireTracing(
  options: ResolvedOptions,
  monitor: PerformanceMonitor,
  log: Log,
): Promise<Tracing> {
  const runtime = tracingRuntime;
  runtime.created.push(monitor);
  if (runtime.shared === undefined) for (const warning of options.telemetry.warnings) log.warn(warning);
  runtime.shared ??= hasTracerProvider()
    ? joinApplication(options, log)
    : options.telemetry.isSdkDisabled
      ? createDisabled(options, log)
      : createOwn(options, log);
  const shared = runtime.shared as Shared;
  shared.users++;
  let list = runtime.created;
  // One entry: two modules may share a monitor.
  const leave = (): void => void list.splice(list.lastIndexOf(monitor), 1);
  const start = (): void => {
    leave();
    list = runtime.monitors;
    list.push(monitor);
  };
  const refused = shared.settings === undefined ? [] : refusedSettings(shared.settings, settingsOf(options));
  let released = false;
  const release = async (deadline = new Deadline(SHUTDOWN_MS)): Promise<void> => {
    if (released) return;
    released = true;
    leave();
    if (--shared.users > 0) return;
    runtime.shared = undefined;
    await shared.shutdown(deadline);
  };
  try {
    const tracing = await shared.tracing;
    monitor.drivers = tracing.drivers.statuses();
    return { ...tracing, refused, start, release };
  } catch (error) {
    await release().catch(() => {}); // The first error has the reason.
    throw error;
  }
}

/** Whether a tracer provider is registered: otherwise the API has no delegate. */
function hasTracerProvider(): boolean {
  const provider = trace.getTracerProvider() as { getDelegateTracer?: (name: string) => unknown };
  return provider.getDelegateTracer === undefined || provider.getDelegateTracer(SCOPE.name) !== undefined;
}

function joinApplication(options: ResolvedOptions, log: Log): Shared {
  const hasProcessor = tracingRuntime.processors > 0;
  const drivers = new DriverInstrumentation((message) => log.warn(message));
  if (!hasProcessor) {
    log.log(
      "The tracer provider of the application has no SlowSpanProcessor: only incoming requests and decorated methods are measured. To measure queries and outgoing calls, add it: 'spanProcessors: [..., new SlowSpanProcessor()]' (import { SlowSpanProcessor } from 'nestjs-performance').",
    );
  }
  const tracing = drivers.inspect(options.tracing.instrumentation).then(() => ({
    provider: trace.getTracerProvider(),
    processor: detachedProcessor(),
    isApplicationProvider: true,
    drivers,
  }));
  return { tracing, settings: undefined, users: 0, shutdown: async () => {} };
}

/**
 * For `OTEL_SDK_DISABLED`: no spans, and nothing is exported. Propagation of contexts and headers is not part of what it
 * disables.
 */
function createDisabled(options: ResolvedOptions, log: Log): Shared {
  log.log(
    'OTEL_SDK_DISABLED is true: no spans are created, and nothing is exported. Only incoming requests and decorated methods are measured.',
  );
  const drivers = new DriverInstrumentation((message) => log.warn(message));
  tracingRuntime.isSdkDisabled = true;
  let removeGlobals = (): void => {};
  const setUp = async (): Promise<Omit<Tracing, 'refused' | 'start' | 'release'>> => {
    await drivers.inspect(options.tracing.instrumentation);
    removeGlobals = registerGlobals({ provider: undefined, ...(await propagating(options, log)) });
    return {
      provider: trace.getTracerProvider(),
      processor: detachedProcessor(),
      isApplicationProvider: true,
      drivers,
    };
  };
  const tracing = setUp();
  return {
    tracing,
    settings: settingsOf(options),
    users: 0,
    async shutdown() {
      try {
        await tracing;
      } finally {
        tracingRuntime.isSdkDisabled = false;
        removeGlobals();
      }
    },
  };
}

/** What carries contexts through the process, and to others. */
async function propagating(
  { telemetry }: ResolvedOptions,
  log: Log,
): Promise<Omit<Registration, 'provider'>> {
  const { AsyncLocalStorageContextManager } = await import('@opentelemetry/context-async-hooks');
  const { createPropagator } = await import('./propagators.js');
  const propagator = createPropagator(telemetry.propagators, (message) => log.warn(message));
  return { contextManager: new AsyncLocalStorageContextManager(), propagator };
}

/** A processor for injection only, which no tracer provider uses. */
function detachedProcessor(): SlowSpanProcessor {
  const processor = new SlowSpanProcessor();
  tracingRuntime.processors--;
  return processor;
}

function createOwn(options: ResolvedOptions, log: Log): Shared {
  const drivers = new DriverInstrumentation((message) => log.warn(message));
  const processor = new SlowSpanProcessor();
  const building = import('./own-provider.js').then(({ buildProvider }) =>
    buildProvider(options, processor, log),
  );
  let removeGlobals = (): void => {};
  const tracing = building.then(async ({ provider }) => {
    removeGlobals = registerGlobals({ provider, ...(await propagating(options, log)) });
    if (!isRegistered(provider)) log.warn(otherApi());
    tracingRuntime.tracer = provider.getTracer(SCOPE.name, SCOPE.version);
    if (options.tracing.instrumentation) await drivers.enable(provider);
    else await drivers.inspect(false);
    return { provider, processor, isApplicationProvider: false, drivers };
  });
  return {
    tracing,
    settings: settingsOf(options),
    users: 0,
    async shutdown(deadline) {
      const { provider, abort } = await building;
      drivers.disable();
      // First, so that an application which starts meanwhile does not take this provider for one of its own.
      tracingRuntime.tracer = undefined;
      removeGlobals();
      if (!(await deadline.settle(provider.shutdown()))) abort();
    },
  };
}

/** The options that apply to the process. What identifies the service is part of exported spans only. */
function settingsOf({
  tracing,
  serviceName,
  serviceVersion,
  hostName,
}: ResolvedOptions): ProcessWideSettings {
  const { endpoint, instrumentation, sampling } = tracing;
  return {
    'tracing.endpoint': endpoint,
    'tracing.instrumentation': instrumentation,
    ...Object.fromEntries(
      Object.entries(sampling).map(([name, value]) => [`tracing.sampling.${name}`, value]),
    ),
    ...(endpoint === undefined ? {} : { serviceName, serviceVersion, hostName }),
  };
}
