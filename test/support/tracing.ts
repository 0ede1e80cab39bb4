import { context, propagation, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { tracingRuntime } from '../../lib/spans/tracing-runtime.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';

/** A monitor with its own tracer provider, and the exported spans. */
export interface TestTracing {
  monitor: PerformanceMonitor;
  provider: NodeTracerProvider;
  exported(): ReadableSpan[];
  shutdown(): Promise<void>;
}

/** Sets up tracing for a test as the module does, without Nest. */
export function startTracing(options: PerformanceOptions = {}): TestTracing {
  const monitor = new PerformanceMonitor({ alerts: { enabled: false }, ...options });
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({
    // The exporter's processor comes first: it must still export the annotations.
    spanProcessors: [new SimpleSpanProcessor(exporter), new SlowSpanProcessor(monitor)],
  });
  provider.register();
  tracingRuntime.monitors.push(monitor);
  return {
    monitor,
    provider,
    exported: () => exporter.getFinishedSpans(),
    async shutdown() {
      tracingRuntime.monitors.splice(tracingRuntime.monitors.indexOf(monitor), 1);
      await provider.shutdown();
      monitor.shutdown();
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

/** Waits this many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
