import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AlwaysOnSampler, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { completeLater, completionOf } from '../../lib/spans/completed-later.js';
import { CompletingProcessor } from '../../lib/tracing/completing-processor.js';
import { OwnTracerProvider, PlainResource } from '../../lib/tracing/own-tracer-provider.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage in one turn of the event loop. */
function collectFor(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; ) collect();
}

/** Keeps what it is passed, as it is then. */
class Exported implements SpanProcessor {
  readonly spans: { name: string; attributes: ReadableSpan['attributes'] }[] = [];
  readonly calls: string[] = [];

  onStart(): void {}
  onEnd({ name, attributes }: ReadableSpan): void {
    this.spans.push({ name, attributes: { ...attributes } });
    this.calls.push(`end ${name}`);
  }
  async forceFlush(): Promise<void> {
    this.calls.push('flush');
  }
  async shutdown(): Promise<void> {
    this.calls.push('shutdown');
  }
}

function ended(name: string): ReadableSpan {
  return { name, attributes: {} } as unknown as ReadableSpan;
}

describe('CompletingProcessor', () => {
  let exported: Exported;
  let processor: CompletingProcessor;
  beforeEach(() => {
    exported = new Exported();
    processor = new CompletingProcessor(exported);
  });

  it('passes a span on at once unless more will be known of it', async () => {
    const later = ended('later');
    completeLater(
      later,
      turn().then(() => void Object.assign(later.attributes, { known: true })),
    );
    processor.onEnd(later);
    processor.onEnd(ended('now'));
    expect(exported.calls).toEqual(['end now']);
    await turn();
    expect(exported.calls).toEqual(['end now', 'end later']);
    expect(exported.spans[1]).toEqual({ name: 'later', attributes: { known: true } });
    expect(completionOf(later)).toBeUndefined();
  });

  it.each(['forceFlush', 'shutdown'] as const)('passes on what waits before %s', async (method) => {
    const later = ended('later');
    completeLater(
      later,
      turn().then(() => void Object.assign(later.attributes, { known: true })),
    );
    processor.onEnd(later);
    await processor[method]();
    expect(exported.calls).toEqual(['end later', method === 'shutdown' ? 'shutdown' : 'flush']);
    expect(exported.spans).toEqual([{ name: 'later', attributes: { known: true } }]);
    await turn();
    expect(exported.spans).toHaveLength(1);
  });

  it('passes on what could not be completed', async () => {
    const later = ended('later');
    completeLater(later, Promise.reject(new Error('no figures')));
    processor.onEnd(later);
    await turn();
    expect(exported.calls).toEqual(['end later']);
  });

  it('lets at most 1,000 spans wait', async () => {
    for (let count = 0; count < 1001; count++) {
      const span = ended(`${count}`);
      completeLater(span, turn());
      processor.onEnd(span);
    }
    expect(exported.calls).toEqual(['end 1000']);
    await turn();
    expect(exported.calls).toHaveLength(1001);
  });

  it('keeps the errors of a processor from the process', async () => {
    const thrown = jest.spyOn(exported, 'onEnd').mockImplementation(() => {
      throw new Error('full');
    });
    const later = ended('later');
    completeLater(later, turn());
    processor.onEnd(later);
    // An unhandled rejection would fail this test.
    await turn();
    await turn();
    expect(thrown).toHaveBeenCalledTimes(1);
  });
});

describe('a slow operation whose time was spent on collections of its own turn', () => {
  const OPTIONS = { alerts: { enabled: false }, customThresholds: { internal: 50 } };

  describe('by the own provider', () => {
    let monitor: PerformanceMonitor;
    let provider: OwnTracerProvider;
    const exported = new Exported();
    beforeEach(() => {
      monitor = new PerformanceMonitor(OPTIONS);
      const sampling = { sampler: new AlwaysOnSampler(), keepsAll: true, isParentBased: true };
      const processors = [new SlowSpanProcessor(monitor), new CompletingProcessor(exported)] as const;
      provider = new OwnTracerProvider(new PlainResource({}), sampling, processors);
    });
    afterEach(async () => {
      await provider.shutdown();
      monitor.shutdown();
    });

    it('is explained by them, in its record, in its event and on its exported span', async () => {
      const events: SlowOperation[] = [];
      monitor.onSlowOperation((slow) => events.push(slow));
      const span = provider.getTracer('test').startSpan('copy');
      collectFor(120);
      span.end();
      expect(exported.spans).toHaveLength(0);
      await turn();
      await turn();
      const [slow] = monitor.getSlowOperations();
      expect(slow?.name).toBe('copy');
      // On a machine that gives it no CPU, that comes first.
      expect(slow?.causes?.map(({ cause }) => cause)).toContain('gc');
      expect(slow?.explanation).toContain('garbage collector');
      expect(slow?.resources?.gcPauseMs).toBeGreaterThan(60);
      expect(slow?.resources?.gcPauseMs).toBeLessThanOrEqual(slow?.durationMs as number);
      expect(events).toEqual([slow]);
      expect(exported.spans).toMatchObject([
        {
          name: 'copy',
          attributes: {
            'performance.cause': slow?.cause,
            'performance.cause.share': slow?.causeShare,
            'performance.explanation': slow?.explanation,
            'performance.gc.pause_ms': slow?.resources?.gcPauseMs,
          },
        },
      ]);
    });

    it('stays as it is where the time was spent on code', async () => {
      exported.spans.length = 0;
      const updates: SlowOperation[] = [];
      monitor.onSlowOperationUpdate((slow) => updates.push(slow));
      const span = provider.getTracer('test').startSpan('count');
      // Reading a clock allocates a number each time.
      let sum = 0;
      for (const end = performance.now() + 120; performance.now() < end; )
        for (let step = 0; step < 100_000; step++) sum = (sum + step) | 0;
      span.end();
      const [before] = monitor.getSlowOperations();
      await turn();
      await turn();
      expect(monitor.getSlowOperations()).toEqual([before]);
      expect(before?.cause).not.toBe('gc');
      expect(updates).toEqual([]);
      expect(exported.spans).toMatchObject([
        { name: 'count', attributes: { 'performance.cause': before?.cause } },
      ]);
    });
  });

  describe("by an application's provider", () => {
    let tracing: TestTracing;
    beforeEach(() => {
      tracing = startTracing(OPTIONS);
    });
    afterEach(() => tracing.shutdown());

    it('is completed while it waits for its batch', async () => {
      const span = tracing.provider.getTracer('test').startSpan('copy');
      collectFor(120);
      span.end();
      await turn();
      await turn();
      const [slow] = tracing.monitor.getSlowOperations();
      const [exportedSpan] = tracing.exported();
      expect(slow?.resources?.gcPauseMs).toBeGreaterThan(60);
      expect(slow?.explanation).toContain('garbage collector');
      expect(exportedSpan?.attributes).toMatchObject({
        'performance.cause': slow?.cause,
        'performance.explanation': slow?.explanation,
        'performance.gc.pause_ms': slow?.resources?.gcPauseMs,
      });
    });
  });
});
