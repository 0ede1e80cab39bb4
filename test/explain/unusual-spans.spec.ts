import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Attributes, context, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { from, type Observable } from 'rxjs';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { concurrentRequests } from '../../lib/spans/concurrent-requests.js';
import { liveSpanOf } from '../../lib/spans/live-span.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

const SERVED = { 'http.request.method': 'GET', 'http.route': '/albums' };
const QUERY = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT * FROM track WHERE album_id = $1' };

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('unusual spans', () => {
  let tracing: TestTracing;
  const restart = async (options: PerformanceOptions = {}): Promise<void> => {
    await tracing?.shutdown();
    tracing = startTracing({
      httpThresholdMs: 1,
      customThresholds: { rpc: 1, messaging: 1, internal: 1 },
      ...options,
      detection: { nPlusOne: { minTotalMs: 5, ...options.detection?.nPlusOne } },
    });
  };
  beforeEach(() => restart());
  afterEach(() => tracing.shutdown());

  const start = (name: string, kind: SpanKind, attributes: Attributes, parent?: Span): Span =>
    tracing.provider
      .getTracer('test')
      .startSpan(name, { kind, attributes }, parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT);
  const slow = () => tracing.monitor.getSlowOperations()[0];
  const queries = async (parent: Span, count: number): Promise<void> => {
    for (let row = 0; row < count; row++) {
      const span = start('pg.query', SpanKind.CLIENT, QUERY, parent);
      await sleep(4);
      span.end();
    }
  };

  it('keeps no chain of spans of a method that reschedules itself', () => {
    let span = start('poll', SpanKind.INTERNAL, {});
    const root = liveSpanOf(span);
    for (let turn = 0; turn < 1000; turn++) {
      span.end();
      span = start('poll', SpanKind.INTERNAL, {}, span);
    }
    expect(liveSpanOf(span)?.parent).toBe(root);
    span.end();
  });

  it.each<[string, SpanKind, Attributes]>([
    [
      'an incoming RPC',
      SpanKind.SERVER,
      { 'rpc.system': 'grpc', 'rpc.service': 'Catalog', 'rpc.method': 'List' },
    ],
    ['a processed message', SpanKind.CONSUMER, { 'messaging.system': 'kafka' }],
  ])('counts the time of %s as self time, not as waiting', (_what, kind, attributes) => {
    const root = start('served', kind, attributes);
    busy(40);
    root.end();
    // The garbage collector and other processes may take a part of it.
    expect(['cpu', 'gc', 'cpu_starved']).toContain(slow()?.cause);
    expect(slow()?.causes?.map(({ cause }) => cause)).not.toContain('waiting');
  });

  it('ends concurrent requests of methods that return an Observable or a generator', () => {
    class Service {
      @TrackPerformance()
      stream(): Observable<number> {
        return from([1, 2]);
      }
      @TrackPerformance('external')
      *items(): Generator<number> {
        yield 1;
      }
    }
    const before = concurrentRequests.running;
    const service = new Service();
    service.stream();
    service.items();
    expect(concurrentRequests.running).toBe(before);
    const root = start('GET', SpanKind.SERVER, SERVED);
    context.with(trace.setSpan(ROOT_CONTEXT, root), () => service.items());
    const live = liveSpanOf(root);
    expect(live?.request.work?.groups.every(({ isRunning, started }) => !isRunning && started === 0)).toBe(
      true,
    );
    busy(40);
    root.end();
    expect(slow()?.causes.find(({ cause }) => cause === 'cpu')).toMatchObject({ certainty: 'measured' });
  });

  it('finds a query that started before a method returned an Observable', async () => {
    let end = (): void => {};
    class Service {
      @TrackPerformance()
      list(): Observable<unknown> {
        const span = tracing.provider
          .getTracer('test')
          .startSpan('pg.query', { kind: SpanKind.CLIENT, attributes: QUERY });
        end = () => span.end();
        return from(sleep(40));
      }
    }
    // The first request compiles what it runs, which may take longer than the query.
    for (let request = 0; request < 2; request++) {
      const root = start('GET', SpanKind.SERVER, SERVED);
      await context.with(trace.setSpan(ROOT_CONTEXT, root), async () => {
        new Service().list();
        await sleep(60);
      });
      end();
      root.end();
    }
    expect(slow()).toMatchObject({ cause: 'database' });
  });

  it('finds nothing in an event stream, which is no concurrent request while it is open', async () => {
    const stream = start('GET', SpanKind.SERVER, SERVED);
    const live = liveSpanOf(stream);
    if (live !== undefined) {
      live.thresholdMs = Number.POSITIVE_INFINITY;
      tracing.monitor.sink.requests.markAsStream(live);
    }
    const working = start('GET', SpanKind.SERVER, { ...SERVED, 'http.route': '/work' });
    busy(40);
    working.end();
    expect(slow()?.causes.find(({ cause }) => cause === 'cpu')).toMatchObject({ certainty: 'measured' });
    await queries(stream, 10);
    const before = concurrentRequests.running;
    stream.end();
    expect(concurrentRequests.running).toBe(before);
    expect(tracing.monitor.getFindings()).toEqual([]);
  });

  it('finds no repetition if that is disabled, in findings and in causes', async () => {
    await restart({ detection: { nPlusOne: { enabled: false } } });
    const root = start('GET', SpanKind.SERVER, SERVED);
    await queries(root, 10);
    root.end();
    expect(tracing.monitor.getFindings()).toEqual([]);
    expect(slow()).toMatchObject({ cause: 'database' });
    expect(slow()).not.toHaveProperty('nPlusOne');
  });

  it('counts a span with two SlowSpanProcessors once', async () => {
    const provider = new NodeTracerProvider({
      spanProcessors: [new SlowSpanProcessor(tracing.monitor), new SlowSpanProcessor(tracing.monitor)],
    });
    const before = concurrentRequests.running;
    const root = provider.getTracer('test').startSpan('GET', { kind: SpanKind.SERVER, attributes: SERVED });
    await sleep(30);
    root.end();
    expect(concurrentRequests.running).toBe(before);
    expect(tracing.monitor.getStats().byType['http']?.count).toBe(1);
    await provider.shutdown();
  });

  it.each([
    [8, 10],
    [20, 3],
  ])('uses the duration of %d spans of %d ms that are created afterwards', async (count, eachMs) => {
    const root = start('GET', SpanKind.SERVER, SERVED);
    for (let row = 0; row < count; row++) {
      const begun = Date.now();
      await sleep(eachMs);
      const span = tracing.provider
        .getTracer('test')
        .startSpan(
          'db_query',
          { kind: SpanKind.CLIENT, attributes: QUERY, startTime: begun },
          trace.setSpan(ROOT_CONTEXT, root),
        );
      span.end();
    }
    root.end();
    expect(slow()).toMatchObject({ cause: 'n_plus_one' });
    expect(slow()?.causeShare).toBeGreaterThan(0.5);
  });

  it('does not take a span for one that was created afterwards if another processor is slow', () => {
    const other = {
      onStart: () => busy(20),
      onEnd: () => {},
      forceFlush: async () => {},
      shutdown: async () => {},
    };
    const spanProcessors = [other, new SlowSpanProcessor(tracing.monitor)];
    const before = performance.now();
    const span = new NodeTracerProvider({ spanProcessors }).getTracer('test').startSpan('step');
    expect(liveSpanOf(span)?.startedAt).toBeGreaterThan(before + 15);
    span.end();
  });

  it('counts without explaining if that is disabled', async () => {
    await tracing.shutdown();
    tracing = startTracing({ httpThresholdMs: 20, detection: { explain: false } });
    const root = start('GET', SpanKind.SERVER, SERVED);
    await queries(root, 10);
    root.end();
    expect(slow()).toMatchObject({
      cause: 'unknown',
      causes: [],
      explanation: expect.stringContaining('detection.explain'),
    });
    expect(slow()?.selfTimeMs).toBeLessThan((slow()?.durationMs ?? 0) / 2);
    expect(tracing.monitor.getStats().byType['database']?.count).toBe(10);
    expect(tracing.monitor.getSlowQueries({ all: true })).toEqual([]);
  });
});
