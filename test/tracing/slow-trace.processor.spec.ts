import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, type Span, type SpanOptions, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { RecordAllSampler } from '../../lib/tracing/record-all.sampler.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';
import { SlowTraceProcessor } from '../../lib/tracing/slow-trace.processor.js';

describe('SlowTraceProcessor without sampled traces', () => {
  let monitor: PerformanceMonitor;
  let exporter: InMemorySpanExporter;
  let processor: SlowTraceProcessor;
  let provider: NodeTracerProvider;
  let tracer: Tracer;
  beforeEach(() => {
    monitor = new PerformanceMonitor({ customThresholds: { internal: 1000 }, alerts: { enabled: false } });
    exporter = new InMemorySpanExporter();
    processor = new SlowTraceProcessor(new SimpleSpanProcessor(exporter), {
      maxBufferedSpans: 10,
      maxSpansPerTrace: 4,
    });
    provider = new NodeTracerProvider({
      sampler: new RecordAllSampler(new TraceIdRatioBasedSampler(0)),
      spanProcessors: [new SlowSpanProcessor(monitor), processor],
    });
    tracer = provider.getTracer('test');
  });
  afterEach(async () => {
    await provider.shutdown();
    monitor.shutdown();
  });

  const start = (name: string, parent?: Span, options: SpanOptions = {}): Span =>
    tracer.startSpan(
      name,
      options,
      parent === undefined ? context.active() : trace.setSpan(context.active(), parent),
    );
  const exported = (): string[] => exporter.getFinishedSpans().map(({ name }) => name);
  const fail = (span: Span): void => {
    span.setStatus({ code: SpanStatusCode.ERROR });
  };
  /** Ends a span with a duration in milliseconds. */
  const endAfter = (span: Span, ms: number): void => span.end(Date.now() + ms);

  it('neither exports nor keeps a trace that was not slow and did not fail', () => {
    const root = start('root');
    start('child', root).end();
    expect(processor.size).toBe(1);
    root.end();
    expect(exported()).toEqual([]);
    expect(processor.size).toBe(0);
    expect(monitor.getStats().totalOperations).toBe(2);
  });

  it('exports all spans of a trace with a slow root, marked as sampled', () => {
    const root = start('root');
    start('child', root).end();
    endAfter(root, 2000);
    expect(exported()).toEqual(['child', 'root']);
    for (const span of exporter.getFinishedSpans()) {
      expect(span.spanContext().traceFlags).toBe(1);
      expect(span.duration).toHaveLength(2);
      expect(span.ended).toBe(true);
    }
    expect(processor.size).toBe(0);
  });

  it.each([
    ['slow', (span: Span) => endAfter(span, 2000)],
    [
      'failed',
      (span: Span) => {
        fail(span);
        span.end();
      },
    ],
  ])('exports all spans of a trace with a nested span that was %s', (_what, end) => {
    const root = start('root');
    const child = start('child', root);
    end(start('grandchild', child));
    start('sibling', root).end();
    child.end();
    root.end();
    expect(exported().sort()).toEqual(['child', 'grandchild', 'root', 'sibling']);
  });

  it('applies the verdict to a span that ends after its root', () => {
    const slow = start('slow');
    const lateOfSlow = start('late of slow', slow);
    endAfter(slow, 2000);
    lateOfSlow.end();
    const fast = start('fast');
    const lateOfFast = start('late of fast', fast);
    fast.end();
    lateOfFast.end();
    expect(exported()).toEqual(['slow', 'late of slow']);
  });

  it('exports a slow span that ends after its root', () => {
    const root = start('root');
    const late = start('late', root);
    root.end();
    endAfter(late, 3000);
    expect(exported()).toEqual(['late']);
  });

  it('limits the spans of one trace', () => {
    const root = start('root');
    for (let i = 0; i < 7; i++) start(`child ${i}`, root).end();
    expect(processor.size).toBe(4);
    expect(processor.dropped).toBe(3);
    endAfter(root, 2000);
    expect(exported()).toEqual(['child 0', 'child 1', 'child 2', 'child 3', 'root']);
  });

  it('drops the trace that has waited longest beyond its limit', () => {
    const roots = Array.from({ length: 4 }, (_, i) => start(`root ${i}`));
    roots.forEach((root, i) => {
      for (let n = 0; n < 3; n++) start(`${i}.${n}`, root).end();
      expect(processor.size).toBeLessThanOrEqual(10);
    });
    for (const root of roots) endAfter(root, 2000);
    expect(processor.dropped).toBe(3);
    expect(exported().filter((name) => name.startsWith('0.'))).toEqual([]);
    expect(exported().filter((name) => name.startsWith('3.'))).toHaveLength(3);
    expect(processor.size).toBe(0);
  });

  it('keeps working with traces that never end', () => {
    for (let i = 0; i < 1000; i++) start(`child ${i}`, start('never ends')).end();
    expect(processor.size).toBe(10);
    const root = start('root');
    start('child', root).end();
    endAfter(root, 2000);
    expect(exported()).toEqual(['child', 'root']);
  });
});
