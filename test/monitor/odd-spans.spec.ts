import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PerformanceMonitor, type SpanLike } from '../../lib/index.js';

/** A minimal span: an object literal that records its calls. */
function poorSpan(more: object = {}): SpanLike & { attributes: Record<string, unknown>; events: unknown[] } {
  const attributes: Record<string, unknown> = {};
  const events: unknown[] = [];
  return {
    attributes,
    events,
    setAttribute: (key: string, value: unknown) => {
      attributes[key] = value;
    },
    addEvent: (name: string) => events.push(name),
    ...more,
  };
}

describe('PerformanceMonitor with spans of no tracer provider', () => {
  let monitor: PerformanceMonitor;
  beforeEach(() => {
    monitor = new PerformanceMonitor({ httpThresholdMs: 1000, alerts: { enabled: false } });
  });
  afterEach(() => monitor.shutdown());

  it('compares, annotates and counts a span of three members', () => {
    const span = poorSpan();
    expect(monitor.checkAndAnnotateSlowOperation(span, 1500, 'http')).toBe(true);
    expect(span.attributes).toMatchObject({
      'performance.slow': true,
      'performance.operation.type': 'http',
      'performance.threshold': 1000,
      'performance.duration': 1500,
      'performance.slowness_ratio': 1.5,
      'performance.memory.heap_used_mb': expect.any(Number),
    });
    const quick = poorSpan();
    expect(monitor.checkAndAnnotateSlowOperation(quick, 500, 'http')).toBe(false);
    expect(quick.attributes).toEqual({});
  });

  it('sums up statistics that remain readable after a shutdown', async () => {
    const decided = [1500, 2000, 10].map((ms) =>
      monitor.checkAndAnnotateSlowOperation(poorSpan({ addEvent: undefined }), ms, 'http'),
    );
    expect(decided).toEqual([true, true, false]);
    const expected = {
      totalOperations: 3,
      totalSlowOperations: 2,
      slowPercentage: 66.667,
      byType: {
        http: { count: 3, slowCount: 2, slowPercentage: 66.667, maxDuration: 2000, minDuration: 10 },
      },
    };
    expect(monitor.getStats()).toMatchObject(expected);
    await monitor.shutdown();
    expect(monitor.getStats()).toMatchObject(expected);
    expect(monitor.getSlowOperations().map(({ durationMs }) => durationMs)).toEqual([2000, 1500]);
    expect(monitor.checkAndAnnotateSlowOperation(poorSpan(), 1500, 'http')).toBe(false);
  });

  it('keeps the trace id and span id of a span', () => {
    const context = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
    };
    const span = poorSpan({ spanContext: () => context, name: 'GET /a', status: { code: 2 } });
    monitor.checkAndAnnotateSlowOperation(span, 1500, 'http');
    const invalid = poorSpan({ spanContext: () => ({ traceId: '0'.repeat(32), spanId: '0'.repeat(16) }) });
    monitor.checkAndAnnotateSlowOperation(invalid, 1500, 'http');
    const [second, first] = monitor.getSlowOperations();
    expect(first).toMatchObject({
      ...{ traceId: context.traceId },
      id: context.spanId,
      error: true,
      name: 'GET /a',
    });
    expect(second).toMatchObject({ traceId: '', spanId: '', name: 'http' });
    expect(second?.id).not.toBe('0'.repeat(16));
  });

  it('sets the other attributes when one throws', () => {
    const attributes: Record<string, unknown> = {};
    const span = {
      setAttribute(key: string, value: unknown) {
        if (key === 'performance.slow') throw new Error('not this one');
        attributes[key] = value;
      },
    };
    expect(monitor.checkAndAnnotateSlowOperation(span, 1500, 'http')).toBe(true);
    expect(attributes).toMatchObject({ 'performance.threshold': 1000, 'performance.duration': 1500 });
  });

  it('leaves no rejection of a span’s asynchronous methods unhandled', async () => {
    const unhandled: unknown[] = [];
    const hear = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', hear);
    try {
      const setAttribute = async (): Promise<never> => {
        throw new Error('no such span');
      };
      expect(monitor.checkAndAnnotateSlowOperation({ setAttribute }, 1500, 'http')).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 10));
    } finally {
      process.off('unhandledRejection', hear);
    }
    expect(unhandled).toEqual([]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, '1500', undefined, null, {}, 10n, Symbol('ms')])(
    'does not count the duration %p',
    (durationMs) => {
      expect(monitor.checkAndAnnotateSlowOperation(poorSpan(), durationMs as number, 'http')).toBe(false);
      expect(monitor.getStats()).toMatchObject({ totalOperations: 0, slowPercentage: 0 });
    },
  );

  it('never throws and counts each operation, for any value as a span', () => {
    const broken = (): never => {
      throw new Error('the span is broken');
    };
    const brokenProxy = (): object =>
      new Proxy({}, { get: broken, has: broken, ownKeys: broken, getPrototypeOf: broken });
    const ownProxy = (): object => {
      const self: object = new Proxy(() => self, { get: () => self, apply: () => self });
      return self;
    };
    const junk = fc.oneof(
      fc.anything({ withNullPrototype: true, withSparseArray: true, withBigInt: true, withMap: true }),
      fc.constantFrom(Symbol('junk'), Promise.resolve(1), poorSpan()),
    );
    const member = fc.oneof(
      fc.constantFrom<unknown>(broken, brokenProxy, ownProxy),
      junk.map((result) => () => result),
      junk,
    );
    const names = ['setAttribute', 'addEvent', 'spanContext', 'attributes', 'name', 'status'];
    const further = ['parentSpanContext', 'instrumentationScope'];
    const members = fc.dictionary(fc.constantFrom(...names, ...further), member, { noNullPrototype: false });
    const getters = (given: object): object =>
      Object.create(
        null,
        Object.fromEntries(Object.keys(given).map((key) => [key, { get: broken, enumerable: true }])),
      );
    // Created where it is used, because fast-check inspects the values that it generates.
    const spans: fc.Arbitrary<() => unknown> = fc.oneof(
      members.map((span) => () => span),
      members.map((span) => () => Object.freeze({ ...span })),
      members.map((span) => () => getters(span)),
      fc.constantFrom(brokenProxy, ownProxy),
      junk.map((value) => () => new Proxy({}, { get: () => value })),
      junk.map((value) => () => value),
    );
    let counted = 0;
    fc.assert(
      fc.property(spans, fc.constantFrom(1500, 500), junk, (make, durationMs, type) => {
        const span = make();
        expect(monitor.checkAndAnnotateSlowOperation(span as never, durationMs, 'http')).toBe(
          durationMs > 1000,
        );
        monitor.checkAndAnnotateSlowOperation(span as never, durationMs, type as never);
        counted += 2;
        JSON.stringify([monitor.getStats(), monitor.getSlowOperations({ limit: 2 })]);
      }),
      { numRuns: 1000 },
    );
    expect(monitor.getStats().totalOperations).toBe(counted);
    for (const { name, type, id, traceId, spanId } of monitor.getSlowOperations()) {
      for (const text of [name, type, id, traceId, spanId]) expect(typeof text).toBe('string');
    }
  });

  it('annotates any object with a method setAttribute', () => {
    const other = fc.anything({ withNullPrototype: true });
    fc.assert(
      fc.property(other, other, other, other, (addEvent, spanContext, name, status) => {
        const span = poorSpan({ addEvent, spanContext, name, status });
        expect(monitor.checkAndAnnotateSlowOperation(span, 1500, 'http')).toBe(true);
        expect(span.attributes).toMatchObject({ 'performance.slow': true, 'performance.duration': 1500 });
      }),
    );
  });

  it('accepts the same spans in record()', () => {
    for (const span of [
      null,
      poorSpan(),
      Object.freeze({ setAttribute: 1 }),
      new Proxy({}, { get: () => 7 }),
    ]) {
      const operation = { type: 'http', name: 'GET /a', durationMs: 1500, thresholdMs: 1000, error: false };
      expect(monitor.record({ ...operation, span: span as never })).toBe(true);
    }
    expect(monitor.getStats().totalSlowOperations).toBe(4);
  });
});
