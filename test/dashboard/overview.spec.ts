import { afterEach, describe, expect, it } from '@jest/globals';
import { buildOverview } from '../../lib/dashboard/build-overview.js';
import { resourceSeries } from '../../lib/dashboard/resource-series.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { ResourceHistory, type ResourceReading } from '../../lib/process/resource-history.js';
import type { Statistics } from '../../lib/statistics/statistics.js';
import { until } from '../support/application.js';

describe('the overview', () => {
  let monitor: PerformanceMonitor | undefined;
  afterEach(() => monitor?.shutdown());

  const start = (options: ConstructorParameters<typeof PerformanceMonitor>[0] = {}): PerformanceMonitor => {
    monitor = new PerformanceMonitor({
      serviceName: 'shop',
      serviceVersion: '2.0.0',
      alerts: { enabled: false },
      ...options,
    });
    return monitor;
  };
  const record = (name: string, durationMs: number): void => {
    monitor?.record({ type: 'http', name, durationMs, thresholdMs: 100, error: false });
  };

  it('is idle and empty while no operations are recorded', () => {
    const overview = buildOverview(start(), Date.now());
    expect(overview).toMatchObject({
      service: { name: 'shop', version: '2.0.0' },
      health: { state: 'idle' },
      operations: [],
      operationCount: 0,
      slow: [],
      findings: [],
    });
    expect(JSON.parse(JSON.stringify(overview))).toEqual(overview);
  });

  it('lists operations, and slow ones without the fields of their details page', () => {
    start();
    for (let count = 0; count < 20; count++) record('GET /albums', 90);
    for (let count = 0; count < 10; count++) record('GET /albums', 300);
    const { operations, slow, health } = buildOverview(monitor as PerformanceMonitor, Date.now());
    expect(operations).toMatchObject([
      { name: 'GET /albums', lifetime: { count: 30, slowCount: 10 }, minute: { count: 30, p50: 91 } },
    ]);
    expect(slow).toHaveLength(10);
    expect(Object.keys(slow[0] ?? {}).sort()).toEqual([
      'cause',
      'durationMs',
      'error',
      'explanation',
      'id',
      'name',
      'slownessRatio',
      'thresholdMs',
      'timestamp',
      'type',
    ]);
    expect(health.sentence).toMatch(/^GET \/albums is slow in 33 % of calls/);
  });

  it('compares with the baseline once it is known', () => {
    start();
    for (let count = 0; count < 20; count++) record('GET /albums', 90);
    expect(buildOverview(monitor as PerformanceMonitor).operations[0]?.change).toBeUndefined();
    const { statistics } = (monitor as unknown as { parts: { statistics: Statistics } }).parts;
    const history = statistics.history('http', 'GET /albums');
    if (history !== undefined) history.baseline = { p50Ms: 45, p95Ms: 60, p99Ms: 80, count: 1000 };
    const { change } = buildOverview(monitor as PerformanceMonitor).operations[0] ?? {};
    expect(change).toEqual({ ratio: 2, baselineP50Ms: 45, baselineP95Ms: 60 });
  });

  it('limits its lists', () => {
    start({ detection: { maxSlowOperations: 500 } });
    for (let count = 0; count < 300; count++) record(`GET /albums/${count}`, 200);
    const { operations, operationCount, slow } = buildOverview(monitor as PerformanceMonitor, Date.now(), 3);
    expect([operations.length, operationCount, slow.length]).toEqual([100, 300, 50]);
  });

  it('judges every operation by its errors, however cheap, and lists failing ones', () => {
    start();
    for (let count = 0; count < 20; count++) {
      monitor?.record({ type: 'http', name: 'GET /boom', durationMs: 0.01, thresholdMs: 100, error: true });
    }
    for (let count = 0; count < 299; count++) {
      for (let times = 0; times < 3; times++) record(`GET /albums/${count}`, 90);
    }
    const { operations, operationCount, health, lastMinute } = buildOverview(monitor as PerformanceMonitor);
    expect(health).toEqual({
      state: 'unhealthy',
      sentence: 'GET /boom fails: 20 of 20 requests in the last minute returned an error.',
    });
    expect([operations.length, operationCount]).toEqual([100, 300]);
    expect(operations.at(-1)).toMatchObject({ name: 'GET /boom', minute: { count: 20, errorCount: 20 } });
    expect(lastMinute).toMatchObject([{ type: 'http', count: 917, errorCount: 20 }]);
  });

  it('contains the sampled resources of the process', async () => {
    start({ resources: { intervalMs: 50 } });
    await until(() => (monitor as PerformanceMonitor).resources.history.length > 30);
    const { resources, overhead } = buildOverview(monitor as PerformanceMonitor, Date.now(), 3);
    expect(overhead.streams).toBe(3);
    expect(resources.at.length).toBeGreaterThan(1);
    expect(resources.heapUsedMb.at(-1)).toBeGreaterThan(1);
    expect(resources.heapUsedMb.at(-1)).toBeLessThan(resources.heapLimitMb);
    expect(resources.eventLoopUtilization.at(-1)).toBeLessThanOrEqual(1);
    expect(Math.abs((resources.at.at(-1) ?? 0) - Date.now())).toBeLessThan(5000);
  });
});

describe('resources over time', () => {
  const reading = (at: number): ResourceReading => ({
    at,
    heapUsed: 2 ** 20 * (at / 1000),
    heapTotal: 0,
    external: 0,
    rss: 2 ** 21,
    cpuUserMs: at / 4,
    cpuSystemMs: at / 4,
    eventLoopActiveMs: at / 10,
    eventLoopIdleMs: at * 0.9,
    eventLoopDelayMaxMs: at % 1000 === 750 ? 40 : 1,
    gcPauseMs: at / 1000,
    threadCpuMs: 0,
    runDelayMs: 0,
    throttledMs: 0,
  });
  /** Four readings per second, the first at each full second of the clock. */
  const filled = (seconds: number): { history: ResourceHistory; now: number } => {
    const history = new ResourceHistory(1200);
    const offset = 1001 - (performance.timeOrigin % 1000);
    for (let at = 0; at < seconds * 1000; at += 250) history.add({ ...reading(at), at: at + offset });
    return { history, now: seconds * 1000 + offset };
  };

  it('are columns of equal length with one point per second, which covers the readings in between', () => {
    const { history, now } = filled(10);
    const series = resourceSeries(history, now);
    const { heapLimitMb, ...columns } = series;
    expect(heapLimitMb).toBeGreaterThan(10);
    expect(Object.values(columns).map(({ length }) => length)).toEqual(new Array(8).fill(10).slice(1));
    expect(series.heapUsedMb.slice(0, 3)).toEqual([0.75, 1.75, 2.75]);
    expect(series.cpuPercent.slice(0, 3)).toEqual([null, 50, 50]);
    expect(series.eventLoopUtilization.slice(0, 3)).toEqual([null, 0.1, 0.1]);
    expect(series.gcPauseMs.slice(0, 3)).toEqual([null, 1, 1]);
    expect(series.eventLoopDelayMaxMs.slice(0, 3)).toEqual([40, 40, 40]);
    expect(series.at.slice(1).map((at, index) => at - (series.at[index] ?? 0))).toEqual(
      new Array(9).fill(1000),
    );
  });

  it('cover the last five minutes in up to 300 points', () => {
    const { history, now } = filled(900);
    const { at } = resourceSeries(history, now);
    expect(at.length).toBe(300);
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBe(299_000);
  });

  it('are empty without samples', () => {
    expect(resourceSeries(new ResourceHistory(10)).at).toEqual([]);
  });
});
