import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { MAX_COMPLETED_SPANS } from '../../lib/spans/completed-spans.js';
import { liveSpanOf } from '../../lib/spans/live-span.js';
import type { Waterfall } from '../../lib/spans/waterfall.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';
import { withdraw } from '../../lib/tracing/work-tracking.js';
import { until } from '../support/application.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

describe('the waterfall of a slow operation', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    // A job is always slow. A step is slow if a test says so.
    tracing = startTracing({ customThresholds: { job: 0 } });
  });
  afterEach(() => tracing.shutdown());

  const start = (name: string, parent?: Span, type = parent === undefined ? 'job' : 'step'): Span =>
    tracing.provider
      .getTracer('test')
      .startSpan(
        name,
        { attributes: { 'performance.operation.type': type } },
        parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
      );
  const waterfall = (name: string, { monitor }: { monitor: PerformanceMonitor } = tracing) => {
    const slow = monitor.getSlowOperations().find((operation) => operation.name === name);
    return monitor.getSlowOperation(slow?.id ?? '')?.waterfall;
  };
  /** Each span with its parent. */
  const tree = ({ spans }: Waterfall = { spans: [], omitted: 0 }): string[] =>
    spans.map(({ name, parent }) => (parent === -1 ? name : `${spans[parent]?.name} > ${name}`));

  it('shows nested and parallel spans with their times, their types and their errors', async () => {
    const job = start('job');
    const first = start('first', job);
    await sleep(5);
    const query = tracing.provider.getTracer('test').startSpan(
      'pg.query',
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'db.system.name': 'postgresql',
          'db.query.text': "SELECT * FROM users WHERE mail = 'a@b.c'",
        },
      },
      trace.setSpan(ROOT_CONTEXT, first),
    );
    const second = start('second', job);
    await sleep(5);
    second.setStatus({ code: SpanStatusCode.ERROR });
    second.end();
    query.end();
    first.end();
    job.end();
    const { spans, omitted } = waterfall('job') as Waterfall;
    expect(spans).toMatchObject([
      { name: 'job', type: 'job', startMs: 0, parent: -1 },
      { name: 'first', type: 'step', parent: 0 },
      { name: expect.stringMatching(/^SELECT users/), type: 'database', parent: 1 },
      { name: 'second', type: 'step', parent: 0, error: true },
    ]);
    expect(omitted).toBe(0);
    const [whole, outer, inner, beside] = spans as [...Waterfall['spans'], never, never, never, never];
    expect(spans.filter(({ error }) => error !== undefined)).toEqual([beside]);
    expect(inner.startMs).toBeGreaterThan(outer.startMs + 3);
    expect(beside.startMs).toBeGreaterThanOrEqual(inner.startMs);
    expect(beside.startMs).toBeLessThan(inner.startMs + inner.durationMs);
    expect(whole.durationMs).toBe(tracing.monitor.getSlowOperations()[0]?.durationMs);
    expect(JSON.stringify(spans)).not.toContain('a@b.c');
  });

  it('is part of a single operation, not of lists and events', async () => {
    const heard: object[] = [];
    tracing.monitor.onSlowOperation((operation) => heard.push(operation));
    const job = start('job');
    start('step', job).end();
    job.end();
    await until(() => heard.length > 0);
    expect(waterfall('job')).toBeDefined();
    expect(heard).toHaveLength(1);
    expect(heard[0]).not.toHaveProperty('waterfall');
    expect(tracing.monitor.getSlowOperations()[0]).not.toHaveProperty('waterfall');
  });

  it('exists for a slow operation within another, and both contain the spans below', () => {
    const fast = start('fast', undefined, 'step');
    start('before', fast).end();
    const slow = start('slow', fast, 'job');
    start('within', slow).end();
    const other = start('slower', slow, 'job');
    start('deep', other).end();
    other.end();
    slow.end();
    start('after', fast).end();
    fast.end();
    expect(tree(waterfall('slow'))).toEqual(['slow', 'slow > within', 'slow > slower', 'slower > deep']);
    expect(tree(waterfall('slower'))).toEqual(['slower', 'slower > deep']);
    expect(waterfall('fast')).toBeUndefined();
  });

  it('is complete for a root with slow children', () => {
    const root = start('root');
    const part = start('part', root, 'job');
    start('step', part).end();
    part.end();
    start('last', root).end();
    root.end();
    expect(tree(waterfall('root'))).toEqual(['root', 'root > part', 'part > step', 'root > last']);
    expect(tree(waterfall('part'))).toEqual(['part', 'part > step']);
  });

  it('omits running spans, and shows them below their next ancestor that ends later', () => {
    const root = start('root');
    const job = start('job', root, 'job');
    const early = start('early', job);
    const detached = start('detached', early);
    start('done', early).end();
    early.end();
    job.end();
    expect(tree(waterfall('job'))).toEqual(['job', 'job > early', 'early > done']);
    detached.end();
    root.end();
    expect(tree(waterfall('root'))).toEqual([
      'root',
      'root > job',
      'job > early',
      'early > done',
      'root > detached',
    ]);
  });

  it('neither reports nor keeps spans that end after their root', () => {
    const job = start('job');
    const step = start('step', job);
    job.end();
    start('later', step).end();
    step.end();
    expect(waterfall('job')).toBeUndefined();
    for (const span of [job, step]) expect(liveSpanOf(span)?.completedBelow).toBeUndefined();
  });

  it('retains no span that has ended while its root runs', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const { monitor } = tracing;
    const tracer = new NodeTracerProvider({ spanProcessors: [new SlowSpanProcessor(monitor)] }).getTracer(
      'test',
    );
    const job = tracer.startSpan('job', {}, ROOT_CONTEXT);
    const endSome = (): WeakRef<Span>[] =>
      Array.from({ length: 100 }, () => {
        const step = tracer.startSpan('step', {}, trace.setSpan(ROOT_CONTEXT, job));
        tracer.startSpan('deep', {}, trace.setSpan(ROOT_CONTEXT, step)).end();
        step.end();
        return new WeakRef(step);
      });
    const ended = endSome();
    await sleep(1);
    gc();
    expect(liveSpanOf(job)?.completedBelow?.size).toBeGreaterThan(100);
    expect(ended.filter((step) => step.deref() !== undefined)).toEqual([]);
    job.end();
  });

  it('omits withdrawn spans, and keeps the spans below them', () => {
    const job = start('job');
    const call = start('call', job);
    start('before', call).end();
    const during = start('during', call);
    const live = liveSpanOf(call);
    if (live === undefined) throw new Error('the span was not seen');
    withdraw(live, performance.now(), 0);
    during.end();
    call.end();
    job.end();
    expect(tree(waterfall('job'))).toEqual(['job', 'job > before', 'job > during']);
  });

  it('contains the longest spans if there are more than 200', async () => {
    const job = start('job');
    const long = start('long', job);
    for (let i = 0; i < 500; i++) start('short', job).end();
    await sleep(20);
    long.end();
    for (let i = 0; i < 500; i++) start('short', job).end();
    job.end();
    const { spans, omitted } = waterfall('job') as Waterfall;
    expect(spans.length).toBeLessThanOrEqual(MAX_COMPLETED_SPANS + 1);
    expect(spans.length + omitted).toBe(1002);
    expect(spans.map(({ name }) => name)).toContain('long');
  });

  it('is not changed when its parent drops spans', async () => {
    const root = start('root');
    const job = start('job', root, 'job');
    for (let i = 0; i < 10; i++) start('step', job).end();
    job.end();
    const before = waterfall('job');
    expect(before?.spans).toHaveLength(11);
    await sleep(5);
    for (let i = 0; i < 300; i++) {
      const longer = start('longer', root);
      await Promise.resolve();
      longer.end();
    }
    root.end();
    expect(waterfall('root')?.omitted).toBeGreaterThan(0);
    expect(waterfall('job')).toEqual(before);
  });

  it('finds the nearest running ancestor, however many have ended', () => {
    const job = start('job');
    const chain: Span[] = [];
    for (let i = 0; i < 100; i++) chain.push(start(`step ${i}`, chain.at(-1) ?? job));
    const last = start('last', chain.at(-1));
    for (const span of chain) span.end();
    last.end();
    job.end();
    expect(tree(waterfall('job'))).toContain('job > last');
  });

  it('is absent without completed spans, and without explanations', async () => {
    start('job').end();
    expect(tracing.monitor.getSlowOperations()).toHaveLength(1);
    expect(waterfall('job')).toBeUndefined();
    await tracing.shutdown();
    tracing = startTracing({ customThresholds: { job: 0 }, detection: { explain: false } });
    const job = start('job');
    start('step', job).end();
    expect(liveSpanOf(job)?.completedBelow).toBeUndefined();
    job.end();
    expect(tracing.monitor.getSlowOperations()).toHaveLength(1);
    expect(waterfall('job')).toBeUndefined();
  });

  it('is dropped with its operation, and on a reset', () => {
    const monitor = new PerformanceMonitor({
      alerts: { enabled: false },
      customThresholds: { job: 0 },
      detection: { maxSlowOperations: 1 },
    });
    const provider = new NodeTracerProvider({ spanProcessors: [new SlowSpanProcessor(monitor)] });
    const run = (): string => {
      const job = provider
        .getTracer('test')
        .startSpan('job', { attributes: { 'performance.operation.type': 'job' } }, ROOT_CONTEXT);
      provider.getTracer('test').startSpan('step', {}, trace.setSpan(ROOT_CONTEXT, job)).end();
      job.end();
      return job.spanContext().spanId;
    };
    const first = run();
    expect(monitor.getSlowOperation(first)?.waterfall).toBeDefined();
    const second = run();
    expect(monitor.getSlowOperation(first)).toBeUndefined();
    expect(monitor.getSlowOperation(second)?.waterfall).toBeDefined();
    monitor.resetStats();
    expect(monitor.getSlowOperation(second)).toBeUndefined();
    monitor.shutdown();
  });

  it('is the same with several processors, and with an SDK without onEnding', () => {
    const monitor = new PerformanceMonitor({ alerts: { enabled: false }, customThresholds: { job: 0 } });
    const ours = new SlowSpanProcessor(monitor);
    const old: SpanProcessor = {
      onStart: (span, context) => ours.onStart(span as never, context),
      onEnd: (span) => ours.onEnd(span),
      forceFlush: () => ours.forceFlush(),
      shutdown: () => ours.shutdown(),
    };
    for (const spanProcessors of [[new SlowSpanProcessor(monitor), new SlowSpanProcessor(monitor)], [old]]) {
      monitor.resetStats();
      const tracer = new NodeTracerProvider({ spanProcessors }).getTracer('test');
      const job = tracer.startSpan(
        'job',
        { attributes: { 'performance.operation.type': 'job' } },
        ROOT_CONTEXT,
      );
      const step = tracer.startSpan('step', {}, trace.setSpan(ROOT_CONTEXT, job));
      tracer.startSpan('deep', {}, trace.setSpan(ROOT_CONTEXT, step)).end();
      step.end();
      job.end();
      expect(tree(waterfall('job', { monitor }))).toEqual(['job', 'job > step', 'step > deep']);
    }
    monitor.shutdown();
  });
});
