import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { context, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import type { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { SlowOperations } from '../../lib/monitor/slow-operations.js';
import {
  ATTRIBUTION,
  bitOf,
  EXPLAINING,
  PROFILING,
  PROVIDERS,
  SHEDDABLE,
  VALUES,
  WATERFALL,
} from '../../lib/overhead/sheddable.js';
import { liveSpanOf } from '../../lib/spans/live-span.js';
import { Database, endQuery, startQuery } from '../../lib/tracing/query-span.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

it('have one bit each', () => {
  expect(SHEDDABLE.map(bitOf)).toEqual([ATTRIBUTION, PROFILING, WATERFALL, VALUES, EXPLAINING, PROVIDERS]);
});

describe('a request', () => {
  let monitor: PerformanceMonitor;
  let tracer: Tracer;
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing({ httpThresholdMs: 1 });
    monitor = tracing.monitor;
    tracer = tracing.provider.getTracer('test');
  });
  afterEach(() => tracing.shutdown());

  /**
   * A request of six equal queries with other values, one after the other. It waits for them for at least three quarters of
   * its time, however long the machine takes to run its code.
   */
  async function request(between: () => void = () => {}) {
    const start = performance.eventLoopUtilization();
    const span = tracer.startSpan('GET /albums', { kind: SpanKind.SERVER });
    const live = liveSpanOf(span);
    if (live !== undefined) {
      live.type = 'http';
      live.name = 'GET /albums';
    }
    await context.with(trace.setSpan(context.active(), span), async () => {
      for (let id = 0; id < 6; id++) {
        const query = startQuery(tracer, {
          database: new Database('postgresql'),
          text: 'select * from tracks where album_id = $1',
          values: [id],
        });
        do await sleep(60);
        while (performance.eventLoopUtilization(start).utilization > 0.25);
        if (query !== undefined) endQuery(query, undefined, () => {});
        between();
      }
    });
    const group = live?.request.work?.groups[0];
    span.end();
    const [slow] = monitor.getSlowOperations({ type: 'http' });
    return { group, slow: monitor.getSlowOperation(slow?.id ?? ''), statements: live?.request.statements };
  }

  const queries = (): number | undefined =>
    monitor.getStats().operations.find(({ type }) => type === 'database')?.count;

  it('has all parts while nothing pauses', async () => {
    const { group, slow } = await request();
    expect(slow).toMatchObject({ cause: 'n_plus_one', nPlusOne: { count: 6 } });
    expect(slow?.waterfall?.spans).toHaveLength(7);
    expect(group?.inputCount).toBe(1);
    expect(monitor.getFindings().map(({ type }) => type)).toEqual(['n_plus_one']);
  });

  it('is counted and not explained without explanations', async () => {
    monitor.analyzer.shedding.bits = EXPLAINING;
    const { group, slow, statements } = await request();
    expect(group).toBeUndefined();
    expect(slow).toMatchObject({
      cause: 'unknown',
      explanation: expect.stringMatching(/There is no explanation: it pauses, by overhead\.maxCpuPercent\.$/),
    });
    expect(monitor.getFindings()).toEqual([]);
    expect({ statements, queries: queries() }).toEqual({ statements: 6, queries: 6 });
    expect(monitor.getSlowQueries({ all: true })).toMatchObject([{ count: 6 }]);
  });

  it('has all parts while a test records', async () => {
    monitor.analyzer.shedding.bits = SHEDDABLE.map(bitOf).reduce((all, bit) => all | bit, 0);
    Object.assign(monitor.sink, { recorder: { started: () => {}, ended: () => {} } });
    const { slow } = await request();
    expect(slow).toMatchObject({ cause: 'n_plus_one', nPlusOne: { count: 6 } });
    expect(slow?.waterfall?.spans).toHaveLength(7);
  });

  it('keeps the alerts on findings as they were while it is not explained', async () => {
    await tracing.shutdown();
    const named = { name: 'n+1', kind: 'n_plus_one', withinMinutes: 1, forSeconds: 0 } as const;
    tracing = startTracing({ httpThresholdMs: 1, alerts: { enabled: true, rules: [named] } });
    monitor = tracing.monitor;
    tracer = tracing.provider.getTracer('test');
    await request();
    const start = Date.now();
    const firing = (): unknown[] => monitor.getActiveAlerts().filter(({ rule }) => rule === 'n+1');
    const at = (minutes: number): void => {
      now.mockReturnValue(start + minutes * 60_000);
      monitor.evaluateAlerts();
    };
    const now = jest.spyOn(Date, 'now');
    try {
      at(0);
      expect(firing()).toHaveLength(1);
      monitor.analyzer.shedding.unexplainedSince = start;
      at(30);
      expect(firing()).toHaveLength(1);
      monitor.analyzer.shedding.unexplainedSince = undefined;
      at(31);
      at(33);
      expect(firing()).toEqual([]);
    } finally {
      now.mockRestore();
    }
  });

  it('has no waterfall without waterfalls', async () => {
    monitor.analyzer.shedding.bits = WATERFALL;
    const { slow } = await request();
    expect(slow?.cause).toBe('n_plus_one');
    expect(slow).not.toHaveProperty('waterfall');
    expect(queries()).toBe(6);
  });

  it('has a repetition of unknown values without the comparison of values', async () => {
    monitor.analyzer.shedding.bits = VALUES;
    const { group, slow } = await request();
    expect(group?.inputCount).not.toBe(1);
    expect(slow).toMatchObject({ nPlusOne: { count: 6 } });
    expect(queries()).toBe(6);
  });

  it('has no line of a query without lines', async () => {
    monitor.analyzer.shedding.bits = ATTRIBUTION;
    await request();
    const { slow } = await request();
    expect(slow?.nPlusOne).toMatchObject({ count: 6 });
    expect(monitor.getFindings()[0]).not.toHaveProperty('callSite');
  });

  it('keeps to what paused when it started', async () => {
    let ended = 0;
    const { group, slow } = await request(() => {
      if (++ended === 3) monitor.analyzer.shedding.bits = EXPLAINING | WATERFALL | VALUES;
    });
    expect(group?.executions).toBe(6);
    expect(slow?.waterfall?.spans).toHaveLength(7);
    const next = await request(() => {
      monitor.analyzer.shedding.bits = 0;
    });
    expect(next.group).toBeUndefined();
    expect(next.slow?.cause).toBe('unknown');
    expect(queries()).toBe(12);
  });
});

describe('slow operations', () => {
  it('lose their oldest waterfalls, then themselves, to save memory', async () => {
    const tracing = startTracing({ httpThresholdMs: 1 });
    const { slow } = (tracing.monitor as unknown as { parts: { slow: SlowOperations } }).parts;
    const tracer = tracing.provider.getTracer('test');
    for (let index = 0; index < 8; index++) {
      const attributes = { 'http.request.method': 'GET', 'http.route': '/' };
      const span = tracer.startSpan('GET /', { kind: SpanKind.SERVER, attributes });
      tracer.startSpan('child', {}, trace.setSpan(context.active(), span)).end();
      await sleep(3);
      span.end();
    }
    const withWaterfall = (): boolean[] => slow.list().map(({ id }) => 'waterfall' in (slow.get(id) ?? {}));
    expect({ size: slow.size, spans: slow.spans }).toEqual({ size: 8, spans: 8 });
    slow.limitSpans(3);
    expect(slow.spans).toBe(3);
    expect(withWaterfall()).toEqual([true, true, true, false, false, false, false, false]);
    slow.limit(2);
    expect({ size: slow.size, spans: slow.spans }).toEqual({ size: 2, spans: 2 });
    slow.clear();
    expect(slow.spans).toBe(0);
    await tracing.shutdown();
  });
});
