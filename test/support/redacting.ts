import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';

/** A provider whose spans are redacted before they are exported. */
export class Redacting {
  readonly monitor = new PerformanceMonitor({ alerts: { enabled: false }, databaseThresholdMs: 0 });
  private readonly exporter = new InMemorySpanExporter();
  private readonly provider = new NodeTracerProvider({
    spanProcessors: [
      new SimpleSpanProcessor(this.exporter),
      new SlowSpanProcessor(this.monitor).withRedaction(),
    ],
  });

  /** A span as it is exported. */
  exported(
    name: string,
    attributes: Attributes,
    use: (span: Span) => void = () => {},
    kind = SpanKind.CLIENT,
  ): ReadableSpan {
    const span = this.provider.getTracer('test').startSpan(name, { kind, attributes });
    use(span);
    span.end();
    return this.exporter.getFinishedSpans().at(-1) as ReadableSpan;
  }

  async shutdown(): Promise<void> {
    await this.provider.shutdown();
    this.monitor.shutdown();
  }
}

/** Everything of a span that an exporter writes. */
export function shown({ name, attributes, status, events, links }: ReadableSpan): string {
  return JSON.stringify({ name, attributes, status, events, links });
}
