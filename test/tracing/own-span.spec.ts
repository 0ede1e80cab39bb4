import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  NodeTracerProvider,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import fc from 'fast-check';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { liveSpanOf } from '../../lib/spans/live-span.js';
import { STARTED_MS } from '../../lib/spans/sdk-span.js';
import type { OwnSpan } from '../../lib/tracing/own-span.js';
import { type OwnSampling, OwnTracer } from '../../lib/tracing/own-tracer.js';
import { RecordAllSampler } from '../../lib/tracing/record-all.sampler.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';

/** Keeps what it sees, in the order in which it sees it. */
class Seen implements SpanProcessor {
  readonly calls: string[] = [];
  readonly ended: ReadableSpan[] = [];

  onStart(span: Span, around: Context): void {
    const { name } = span as unknown as ReadableSpan;
    const parent = trace.getSpan(around) as unknown as ReadableSpan | undefined;
    this.calls.push(`start ${name} below ${parent?.name}, recording ${span.isRecording()}`);
  }

  onEnding(span: Span): void {
    this.calls.push(`ending ${(span as unknown as ReadableSpan).name}, recording ${span.isRecording()}`);
    span.setAttribute('ending', true);
  }

  onEnd(span: ReadableSpan): void {
    this.calls.push(`end ${span.name}, ended ${span.ended}`);
    this.ended.push(span);
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

const RESOURCE = resourceFromAttributes({ 'service.name': 'shop' });

function samplings(): Record<string, OwnSampling> {
  const sampling = (sampler: Sampler, keepsAll: boolean, isParentBased: boolean): OwnSampling => ({
    sampler,
    keepsAll,
    isParentBased,
  });
  const on = new AlwaysOnSampler();
  const half = new TraceIdRatioBasedSampler(0.5);
  return {
    all: sampling(new ParentBasedSampler({ root: on }), true, true),
    'all, of any parent': sampling(on, true, false),
    none: sampling(new AlwaysOffSampler(), false, false),
    half: sampling(new ParentBasedSampler({ root: half, remoteParentSampled: half }), false, true),
    'half, of any parent': sampling(half, false, false),
  };
}

function pair(sampling: OwnSampling = samplings()['all'] as OwnSampling) {
  const seen = { own: new Seen(), sdk: new Seen() };
  const own = new OwnTracer({ name: 'shop', version: '1' }, RESOURCE, sampling, [seen.own]);
  const sdk = new NodeTracerProvider({
    resource: RESOURCE,
    sampler: new RecordAllSampler(sampling.sampler),
    spanProcessors: [seen.sdk],
  }).getTracer('shop', '1');
  return { own, sdk, seen };
}

/** A tracer whose spans the monitor counts. */
function counted(monitor: PerformanceMonitor): OwnTracer {
  const sampling = samplings()['all'] as OwnSampling;
  return new OwnTracer({ name: 'shop' }, RESOURCE, sampling, [new SlowSpanProcessor(monitor) as never]);
}

/** What a program does with a span. Times are given, so that both tell the same ones. */
const text = fc.oneof(fc.constantFrom('a', 'b', 'db.query.text', ''), fc.string());
const value = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, undefined, Number.NaN, {}, Symbol.iterator, () => 1, 1n),
  fc.array(fc.oneof(fc.string(), fc.constant(null))),
  fc.array(fc.oneof(fc.string(), fc.integer())),
);
const attributes = fc.oneof(
  fc.dictionary(text, value, { maxKeys: 5 }),
  fc.constant(Object.fromEntries(Array.from({ length: 140 }, (_, i) => [`key${i}`, i]))),
) as fc.Arbitrary<Attributes>;
const time = fc.oneof(
  fc.constantFrom<number | Date | [number, number]>(new Date(1_800_000_000_123), [1_800_000_001, 5]),
  fc.integer({ min: 1_800_000_000_000, max: 1_800_000_100_000 }),
);
const link = fc.record({
  context: fc.constant<SpanContext>({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }),
  attributes: fc.oneof(fc.constant(undefined), attributes),
});
type Step = (span: Span) => unknown;
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(text, value).map(
    ([key, given]): Step =>
      (span) =>
        span.setAttribute(key, given as string),
  ),
  attributes.map(
    (given): Step =>
      (span) =>
        span.setAttributes(given),
  ),
  text.map(
    (name): Step =>
      (span) =>
        span.updateName(name),
  ),
  fc.record({ code: fc.constantFrom(0, 1, 2), message: fc.constantFrom('refused', undefined, 7, null) }).map(
    (status): Step =>
      (span) =>
        span.setStatus(status as SpanStatus),
  ),
  fc.tuple(text, attributes, time).map(
    ([name, given, at]): Step =>
      (span) =>
        span.addEvent(name, given, at),
  ),
  fc.tuple(text, time).map(
    ([name, at]): Step =>
      (span) =>
        span.addEvent(name, at),
  ),
  fc.constant<Step>((span) => {
    for (let i = 0; i < 130; i++) span.addEvent(`event ${i}`, undefined, 1_800_000_000_000 + i);
  }),
  link.map(
    (given): Step =>
      (span) =>
        span.addLink(given as never),
  ),
  fc.array(link, { maxLength: 140 }).map(
    (given): Step =>
      (span) =>
        span.addLinks(given as never),
  ),
  fc
    .tuple(
      fc.constantFrom<unknown>(
        'out of stock',
        '',
        { message: 'refused', code: 503 },
        { name: 'TypeError', message: '', stack: 'at x' },
        {},
      ),
      time,
    )
    .map(
      ([error, at]): Step =>
        (span) =>
          span.recordException(error as Error, at),
    ),
  time.map(
    (at): Step =>
      (span) =>
        span.end(at),
  ),
);

/** Everything of a span but its ids. */
function described(span: Span) {
  const {
    name,
    kind,
    attributes: given,
    status,
    events,
    links,
    ended,
    instrumentationScope,
  } = span as unknown as ReadableSpan;
  const { startTime, endTime, duration, droppedAttributesCount, droppedEventsCount, droppedLinksCount } =
    span as unknown as ReadableSpan;
  return {
    name,
    kind,
    given,
    status,
    events,
    links,
    ended,
    instrumentationScope,
    startTime,
    endTime,
    duration,
    droppedAttributesCount,
    droppedEventsCount,
    droppedLinksCount,
    isRecording: span.isRecording(),
    resource: (span as unknown as ReadableSpan).resource.attributes,
  };
}

const options = fc.record({
  kind: fc.constantFrom(undefined, SpanKind.CLIENT, SpanKind.SERVER),
  attributes: fc.oneof(fc.constant(undefined), attributes),
  links: fc.oneof(fc.constant(undefined), fc.array(link, { maxLength: 3 })),
  startTime: time,
});

let restore: () => void;
beforeEach(() => {
  const manager = new NodeTracerProvider();
  manager.register();
  restore = () => {
    trace.disable();
    context.disable();
  };
});
afterEach(() => restore());

describe("a span of this package's own provider", () => {
  it('is what a span of the SDK is, whatever is done with it', () => {
    fc.assert(
      fc.property(text, options, fc.array(step, { maxLength: 12 }), (name, given, steps) => {
        const { own, sdk, seen } = pair();
        const spans = [own, sdk].map((tracer: Tracer) => {
          const span = tracer.startSpan(name, given as never, ROOT_CONTEXT);
          for (const each of steps) each(span);
          span.end(1_800_000_200_000);
          return described(span);
        });
        expect(spans[0]).toEqual(spans[1]);
        expect(seen.own.calls).toEqual(seen.sdk.calls);
      }),
      { numRuns: 500 },
    );
  });

  it('is the same where its first attributes are those of other spans, which never see a change', () => {
    const scalar = fc.oneof(fc.string(), fc.integer());
    // Which no object gets by setting it, as the SDK does.
    const key = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__');
    const valid = fc.dictionary(key, scalar, { maxKeys: 128 }) as fc.Arbitrary<Attributes>;
    fc.assert(
      fc.property(valid, fc.array(step, { maxLength: 5 }), (shared, steps) => {
        const { own, sdk } = pair();
        const before = structuredClone(shared);
        const given = { attributes: shared, startTime: 1_800_000_000_000 };
        const spans = [
          own.startSpan('query', { ...given, isShared: true } as never),
          sdk.startSpan('query', given),
        ];
        for (const span of spans) {
          for (const each of steps) each(span);
          span.end(1_800_000_200_000);
        }
        expect(described(spans[0] as Span)).toEqual(described(spans[1] as Span));
        expect(shared).toEqual(before);
        expect(described(own.startSpan('next', { ...given, isShared: true } as never)).given).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });

  it('has the times of its own clock, as far as none are given', async () => {
    const { own } = pair();
    const before = Date.now();
    const span = own.startSpan('query', {}, ROOT_CONTEXT) as unknown as Span & ReadableSpan;
    expect([span.duration, span.endTime]).toEqual([
      [-1, -1],
      [0, 0],
    ]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    span.addEvent('retry');
    span.end();
    const ms = ([seconds, nanoseconds]: readonly [number, number]): number =>
      seconds * 1000 + nanoseconds / 1e6;
    expect(ms(span.startTime)).toBeGreaterThanOrEqual(before);
    expect(ms(span.startTime)).toBeLessThanOrEqual(Date.now());
    expect(ms(span.duration)).toBeGreaterThan(15);
    expect(ms(span.endTime)).toBeCloseTo(ms(span.startTime) + ms(span.duration), 3);
    const [event] = span.events;
    expect(ms(event?.time as [number, number])).toBeGreaterThan(ms(span.startTime) + 15);
    expect(ms(event?.time as [number, number])).toBeLessThanOrEqual(ms(span.endTime));
  });

  it('is measured by its own readings of the clock, one at its start and one at its end', () => {
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    const own = counted(monitor);
    const clock = jest.spyOn(performance, 'now');
    // The meter of the package measures some of the calls.
    const readings = Array.from({ length: 20 }, () => {
      clock.mockClear();
      const span = own.startSpan('query', {}, ROOT_CONTEXT) as OwnSpan;
      const startedAt = liveSpanOf(span)?.startedAt;
      span.end();
      expect(startedAt).toBe(span[STARTED_MS]);
      return clock.mock.calls.length;
    });
    clock.mockRestore();
    monitor.shutdown();
    expect(Math.min(...readings)).toBe(2);
    expect(monitor.getStats().totalOperations).toBe(20);
  });

  it('is judged by the duration that follows from the times that are given', () => {
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    const own = counted(monitor);
    const at = performance.now();
    own.startSpan('past', { startTime: at - 5000 }, ROOT_CONTEXT).end(at - 2000);
    own.startSpan('future', {}, ROOT_CONTEXT).end(Date.now() + 7000);
    monitor.shutdown();
    const medians = monitor.getStats().operations.map(({ name, p50 }) => [name, p50]);
    expect(Object.fromEntries(medians)).toEqual({
      past: expect.closeTo(3000, -2),
      future: expect.closeTo(7000, -2),
    });
  });

  it('takes times of performance.now()', () => {
    const at = performance.now();
    const { own, sdk } = pair();
    const [a, b] = [own, sdk].map((tracer: Tracer) => {
      const span = tracer.startSpan('query', { startTime: at - 5 }, ROOT_CONTEXT);
      span.end(at);
      return span as unknown as ReadableSpan;
    }) as [ReadableSpan, ReadableSpan];
    expect(a.duration[0]).toBe(0);
    expect(Math.abs(a.duration[1] - b.duration[1])).toBeLessThan(1000);
    expect(
      Math.abs(a.startTime[0] * 1e3 + a.startTime[1] / 1e6 - (b.startTime[0] * 1e3 + b.startTime[1] / 1e6)),
    ).toBeLessThan(1000);
  });

  it('has a duration of 0 if it ends before it starts', () => {
    const { own } = pair();
    const span = own.startSpan('query', { startTime: 2_000_000_000_000 }, ROOT_CONTEXT);
    span.end(1_900_000_000_000);
    expect((span as unknown as ReadableSpan).duration).toEqual([0, 0]);
    expect((span as unknown as ReadableSpan).endTime).toEqual([2_000_000_000, 0]);
  });

  it('counts the attributes that it takes over', () => {
    const { own } = pair();
    const span = own.startSpan('GET', {}, ROOT_CONTEXT) as OwnSpan;
    span.takeFirst({ 'http.request.method': 'GET', 'url.path': '/' }, 2);
    for (let count = 0; count < 130; count++) span.setAttribute(`key ${count}`, count);
    expect(Object.keys(span.attributes)).toHaveLength(128);
    expect(span.droppedAttributesCount).toBe(4);
    expect(span.attributes).toMatchObject({ 'http.request.method': 'GET', 'url.path': '/', 'key 0': 0 });
  });

  it('is exported as one of the SDK is', () => {
    const { own, sdk } = pair();
    const json = [own, sdk].map((tracer: Tracer) => {
      const root = tracer.startSpan(
        'GET',
        { kind: SpanKind.SERVER, startTime: 1_800_000_000_000 },
        ROOT_CONTEXT,
      );
      const span = tracer.startSpan(
        'query',
        { startTime: 1_800_000_000_001, attributes: { rows: 3 } },
        trace.setSpan(ROOT_CONTEXT, root),
      );
      span.recordException(new Error('refused'), 1_800_000_000_002);
      span.setStatus({ code: 2, message: 'refused' }).end(1_800_000_000_003);
      const bytes = JsonTraceSerializer.serializeRequest([span as unknown as ReadableSpan]);
      const { traceId, spanId } = span.spanContext();
      return new TextDecoder()
        .decode(bytes)
        .replaceAll(traceId, 'TRACE')
        .replaceAll(spanId, 'SPAN')
        .replaceAll(root.spanContext().spanId, 'PARENT')
        .replace(/"exception\.stacktrace","value":\{"stringValue":"[^}]*\}/, '');
    });
    expect(json[0]).toContain('PARENT');
    expect(json[0]).toBe(json[1]);
  });
});

describe("a tracer of this package's own provider", () => {
  const remote = (traceFlags: TraceFlags, traceId = 'a'.repeat(32)): Context =>
    trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b'.repeat(16), traceFlags, isRemote: true });

  it('gives valid ids that differ, and those of a trace to the spans below', () => {
    const { own } = pair();
    const roots = Array.from({ length: 20_000 }, () => own.startSpan('GET', {}, ROOT_CONTEXT));
    expect(new Set(roots.map((root) => root.spanContext().traceId)).size).toBe(roots.length);
    expect(new Set(roots.map((root) => root.spanContext().spanId)).size).toBe(roots.length);
    for (const root of roots.slice(0, 100)) {
      expect(isSpanContextValid(root.spanContext())).toBe(true);
      expect(root.spanContext()).toBe(root.spanContext());
      // The span below asks first.
      const parent = own.startSpan('GET', {}, ROOT_CONTEXT);
      const below = own.startSpan('query', {}, trace.setSpan(ROOT_CONTEXT, parent));
      const { traceId } = below.spanContext();
      expect(parent.spanContext().traceId).toBe(traceId);
      expect((below as unknown as ReadableSpan).parentSpanContext).toBe(parent.spanContext());
      expect(below.spanContext().spanId).not.toBe(parent.spanContext().spanId);
    }
  });

  it.each(Object.entries(samplings()))('samples as the SDK does: %s', (_, sampling) => {
    const { own, sdk } = pair(sampling);
    const ids = Array.from({ length: 200 }, (_, i) =>
      (i * 0x1234567 + 1).toString(16).padStart(8, '0').repeat(4),
    );
    for (const flags of [TraceFlags.NONE, TraceFlags.SAMPLED])
      for (const traceId of ids) {
        const around = remote(flags, traceId);
        const [a, b] = [own, sdk].map((tracer: Tracer) => {
          const span = tracer.startSpan('GET', {}, around);
          const below = tracer.startSpan('query', {}, trace.setSpan(ROOT_CONTEXT, span));
          return [span, below].map((each) => {
            const { traceFlags, traceId: id } = each.spanContext();
            return { traceFlags, id, isRecording: each.isRecording() };
          });
        });
        expect(a).toEqual(b);
      }
    const shares = [own, sdk].map(
      (tracer: Tracer) =>
        Array.from(
          { length: 2000 },
          () => tracer.startSpan('GET', {}, ROOT_CONTEXT).spanContext().traceFlags,
        ).reduce((sum, flags) => sum + flags, 0) / 2000,
    ) as [number, number];
    expect(Math.abs(shares[0] - shares[1])).toBeLessThan(0.15);
  });

  it('continues a trace of elsewhere with its state, and ignores a context that is not valid', () => {
    const { own } = pair();
    const span = own.startSpan('GET', {}, remote(TraceFlags.SAMPLED));
    expect(span.spanContext()).toMatchObject({ traceId: 'a'.repeat(32), traceFlags: 1 });
    expect((span as unknown as ReadableSpan).parentSpanContext?.spanId).toBe('b'.repeat(16));
    const invalid = own.startSpan('GET', {}, remote(TraceFlags.SAMPLED, '0'.repeat(32)));
    expect(isSpanContextValid(invalid.spanContext())).toBe(true);
    expect((invalid as unknown as ReadableSpan).parentSpanContext).toBeUndefined();
  });

  it('starts a new trace for a root, and nothing where tracing is suppressed', () => {
    const { own, seen } = pair();
    const parent = own.startSpan('GET', {}, ROOT_CONTEXT);
    const within = trace.setSpan(ROOT_CONTEXT, parent);
    const root = own.startSpan('job', { root: true }, within);
    expect(root.spanContext().traceId).not.toBe(parent.spanContext().traceId);
    expect(seen.own.calls.at(-1)).toBe('start job below undefined, recording true');
    const none = own.startSpan('query', {}, suppressTracing(within));
    expect([none.isRecording(), isSpanContextValid(none.spanContext())]).toEqual([false, false]);
    expect(seen.own.calls).toHaveLength(2);
  });

  it('runs a function within a span, with each form of its arguments', () => {
    const { own } = pair();
    const parent = own.startSpan('GET', {}, ROOT_CONTEXT);
    const around = trace.setSpan(ROOT_CONTEXT, parent);
    const run = (span: Span) => [
      trace.getActiveSpan() === span,
      (span as unknown as ReadableSpan).parentSpanContext === parent.spanContext(),
      (span as unknown as ReadableSpan).kind,
    ];
    expect(own.startActiveSpan('a', run)).toEqual([true, false, SpanKind.INTERNAL]);
    expect(own.startActiveSpan('a', { kind: SpanKind.CLIENT }, run)).toEqual([true, false, SpanKind.CLIENT]);
    expect(own.startActiveSpan('a', {}, around, run)).toEqual([true, true, SpanKind.INTERNAL]);
    expect(context.with(around, () => own.startActiveSpan('a', run))).toEqual([
      true,
      true,
      SpanKind.INTERNAL,
    ]);
  });
});
