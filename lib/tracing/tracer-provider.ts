import { context, propagation, type TracerProvider, trace } from '@opentelemetry/api';
import type { NodeTracerProvider, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { FLUSH_TIMEOUT_MS, settleWithin } from '../async/settle-within.js';
import { ExportHealth } from '../metrics/export-health.js';
import type { ResolvedOptions } from '../monitor/options.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { SCOPE, tracingRuntime } from '../spans/tracing-runtime.js';
import { DriverInstrumentation } from './drivers.js';
import { RecordAllSampler } from './record-all.sampler.js';
import { SlowSpanProcessor } from './slow-span.processor.js';
import { SlowTraceProcessor } from './slow-trace.processor.js';

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
  /** Ends its use by this module. The last module to do so flushes and removes it. */
  release(): Promise<void>;
}

interface Shared {
  tracing: Promise<Omit<Tracing, 'release'>>;
  users: number;
  shutdown(): Promise<void>;
}

/** Returns the tracing of the process. Sets it up unless the application or another module has. */
export async function acquireTracing(
  options: ResolvedOptions,
  monitor: PerformanceMonitor,
  log: Log,
): Promise<Tracing> {
  const runtime = tracingRuntime;
  runtime.monitors.push(monitor);
  runtime.shared ??= hasTracerProvider() ? joinApplication(log) : createOwn(options, log);
  const shared = runtime.shared as Shared;
  shared.users++;
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    // One entry: two modules may share a monitor.
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
    await release().catch(() => {}); // The first error has the reason.
    throw error;
  }
}

/** Whether a tracer provider is registered: otherwise the API has no delegate. */
function hasTracerProvider(): boolean {
  const provider = trace.getTracerProvider() as { getDelegateTracer?: (name: string) => unknown };
  return provider.getDelegateTracer === undefined || provider.getDelegateTracer(SCOPE.name) !== undefined;
}

function joinApplication(log: Log): Shared {
  const hasProcessor = tracingRuntime.processors > 0;
  const drivers = new DriverInstrumentation();
  drivers.inspect();
  if (!hasProcessor) {
    log.log(
      "The tracer provider of the application has no SlowSpanProcessor: only incoming requests and decorated methods are measured. To measure queries and outgoing calls, add it: 'spanProcessors: [..., new SlowSpanProcessor()]' (import { SlowSpanProcessor } from 'nestjs-performance').",
    );
  }
  const tracing = {
    provider: trace.getTracerProvider(),
    processor: detachedProcessor(),
    isApplicationProvider: true,
    drivers,
  };
  return { tracing: Promise.resolve(tracing), users: 0, shutdown: async () => {} };
}

/** A processor for injection only, which no tracer provider uses. */
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
    return { provider, processor, isApplicationProvider: false, drivers };
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
    const exporter = watched(new OTLPTraceExporter({ url: endpoint }), endpoint, log);
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

/** An exporter that logs once when exports fail, and once when they succeed again. */
function watched(exporter: SpanExporter, endpoint: string, log: Log): SpanExporter {
  const health = new ExportHealth(
    'Spans',
    'These spans are lost; statistics are not affected.',
    endpoint,
    log,
  );
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        health.note(result);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
