import { context, propagation, type TracerProvider, trace } from '@opentelemetry/api';
import type { NodeTracerProvider, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { FLUSH_TIMEOUT_MS, settleWithin } from '../async/settle-within.js';
import type { ResolvedOptions } from '../monitor/options.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { SCOPE, tracingRuntime } from '../spans/tracing-runtime.js';
import { DriverInstrumentation } from './drivers.js';
import { RecordAllSampler } from './record-all.sampler.js';
import { SlowSpanProcessor } from './slow-span.processor.js';
import { SlowTraceProcessor } from './slow-trace.processor.js';
import { WatchedExporter } from './watched-exporter.js';

/** Where the library says what its user should know. Nest's Logger fits. */
export interface Log {
  log(message: string): void;
  warn(message: string): void;
  debug(message: string): void;
}

/** The tracing of one module: shared with the other modules of the process. */
export interface Tracing {
  readonly provider: TracerProvider;
  readonly processor: SlowSpanProcessor;
  /** Whether the application had a tracer provider of its own. */
  readonly foreign: boolean;
  readonly drivers: DriverInstrumentation;
  /** Gives it up; the last one to do so flushes and takes it down. */
  release(): Promise<void>;
}

interface Shared {
  tracing: Promise<Omit<Tracing, 'release'>>;
  users: number;
  shutdown(): Promise<void>;
}

/** Takes part in the process's tracing, and sets it up where nobody has. */
export async function acquireTracing(
  options: ResolvedOptions,
  monitor: PerformanceMonitor,
  log: Log,
): Promise<Tracing> {
  const runtime = tracingRuntime;
  runtime.monitors.push(monitor);
  runtime.shared ??= hasTracerProvider() ? joinForeign(log) : createOwn(options, log);
  const shared = runtime.shared as Shared;
  shared.users++;
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    // The last of them: two modules may share a monitor.
    runtime.monitors.splice(runtime.monitors.lastIndexOf(monitor), 1);
    if (--shared.users > 0) return;
    runtime.shared = undefined;
    await shared.shutdown();
  };
  try {
    const tracing = await shared.tracing;
    monitor.drivers = tracing.drivers.statuses();
    return { ...tracing, release };
  } catch (error) {
    await release().catch(() => {}); // The first error says why.
    throw error;
  }
}

/** Whether somebody has registered a tracer provider: the api then has more than its own no-op one. */
function hasTracerProvider(): boolean {
  const provider = trace.getTracerProvider() as { getDelegateTracer?: (name: string) => unknown };
  return provider.getDelegateTracer === undefined || provider.getDelegateTracer(SCOPE.name) !== undefined;
}

function joinForeign(log: Log): Shared {
  const attached = tracingRuntime.processors > 0;
  const drivers = new DriverInstrumentation();
  drivers.inspect();
  if (!attached) {
    log.log(
      "The application has a tracer provider of its own, which is used. Served requests and decorated methods are measured; to see its other spans too, give it 'spanProcessors: [..., new SlowSpanProcessor()]' (import { SlowSpanProcessor } from 'nestjs-performance').",
    );
  }
  const tracing = {
    provider: trace.getTracerProvider(),
    processor: detachedProcessor(),
    foreign: true,
    drivers,
  };
  return { tracing: Promise.resolve(tracing), users: 0, shutdown: async () => {} };
}

/** The provider of the class is there for injection; it is not among the processors of anybody. */
function detachedProcessor(): SlowSpanProcessor {
  const processor = new SlowSpanProcessor();
  tracingRuntime.processors--;
  return processor;
}

function createOwn(options: ResolvedOptions, log: Log): Shared {
  const drivers = new DriverInstrumentation();
  const processor = new SlowSpanProcessor().withRedaction();
  const building = buildProvider(options, processor, log);
  const tracing = building.then(async (provider) => {
    provider.register();
    tracingRuntime.tracer = provider.getTracer(SCOPE.name, SCOPE.version);
    if (options.tracing.instrumentation) await drivers.enable(provider);
    else drivers.inspect();
    return { provider, processor, foreign: false, drivers };
  });
  return {
    tracing,
    users: 0,
    async shutdown() {
      const provider = await building;
      drivers.disable();
      await settleWithin(FLUSH_TIMEOUT_MS, provider.shutdown());
      tracingRuntime.tracer = undefined;
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

async function buildProvider(
  options: ResolvedOptions,
  processor: SlowSpanProcessor,
  log: Log,
): Promise<NodeTracerProvider> {
  const sdk = await import('@opentelemetry/sdk-trace-node');
  const { resourceFromAttributes, defaultResource } = await import('@opentelemetry/resources');
  const { endpoint, sampling } = options.tracing;
  const processors: SpanProcessor[] = [processor];
  if (endpoint !== undefined) {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
    const exporter = new WatchedExporter(new OTLPTraceExporter({ url: endpoint }), endpoint, log);
    const batch = new sdk.BatchSpanProcessor(exporter);
    const keepSlow = sampling.ratio < 1 && sampling.keepSlowTraces;
    processors.push(keepSlow ? new SlowTraceProcessor(batch, sampling) : batch);
  }
  return new sdk.NodeTracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.name': options.serviceName,
        ...(options.serviceVersion === undefined ? {} : { 'service.version': options.serviceVersion }),
        'host.name': options.hostName,
      }),
    ),
    sampler: new RecordAllSampler(
      new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(sampling.ratio) }),
    ),
    spanProcessors: processors,
  });
}
