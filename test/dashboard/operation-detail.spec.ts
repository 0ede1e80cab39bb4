import { afterEach, describe, expect, it } from '@jest/globals';
import { buildOperation } from '../../lib/dashboard/build-operation.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { latencyHeatmap } from '../../lib/statistics/latency-heatmap.js';
import { OpenWindow } from '../../lib/statistics/open-window.js';
import { OperationStatistics } from '../../lib/statistics/operation-statistics.js';

describe('the data of an operation', () => {
  let monitor: PerformanceMonitor | undefined;
  afterEach(() => monitor?.shutdown());

  const start = (maxSlowOperations = 200): PerformanceMonitor => {
    monitor = new PerformanceMonitor({ alerts: { enabled: false }, detection: { maxSlowOperations } });
    return monitor;
  };
  const record = (name: string, durationMs: number, type = 'http'): void => {
    monitor?.record({ type, name, durationMs, thresholdMs: 100, error: false });
  };

  it('is absent for an operation that has not ended', () => {
    expect(buildOperation(start(), 'http', 'GET /albums')).toBeUndefined();
    record('GET /albums', 5);
    expect(buildOperation(start(), 'database', 'GET /albums')).toBeUndefined();
  });

  it('has the figures of all windows, whatever the operation costs, and its slow executions by cause', () => {
    start();
    for (let each = 0; each < 150; each++) record(`GET /${each}`, 500);
    for (let count = 0; count < 8; count++) record('GET /albums', 10);
    for (let count = 0; count < 2; count++) record('GET /albums', 150);
    record('GET /albums', 150, 'external');
    const detail = buildOperation(monitor as PerformanceMonitor, 'http', 'GET /albums');
    expect(detail).toMatchObject({
      thresholdMs: 100,
      figures: { minute: { count: 10 }, day: { slowCount: 2 }, lifetime: { slowPercentage: 20 } },
      totalMs: 380,
      excessMs: 100,
      slow: [{ cause: 'unknown', count: 2 }],
      periods: [],
    });
    expect(JSON.parse(JSON.stringify(detail))).toEqual(detail);
  });

  it('limits its lists', () => {
    const source = {
      operationStatistics: () => new OperationStatistics(),
      longTerm: { baseline: { courseOf: () => undefined, status: {} } },
      getSlowOperations: () =>
        Array.from({ length: 300 }, (_, line) => ({
          ...{ id: `${line}`, name: 'GET /', cause: 'cpu', causes: [{ cause: 'cpu', ms: 2 }] },
          callSite: { function: 'f', file: 'a.ts', line, column: 1 },
        })),
      getSlowOperation: (id: string) => ({
        waterfall: {
          spans: Array.from({ length: 200 }, (_, at) => ({
            ...{ name: `${id} ${at}`, type: 'database', startMs: 0, durationMs: at, parent: at - 1 },
          })),
          omitted: 0,
        },
      }),
      getFindings: () =>
        Array.from({ length: 100 }, (_, count) => ({ route: 'GET /', type: 'errors', count })),
      getSlowQueries: ({ limit = 0, route = '' }) => [
        { name: route, fingerprint: `select ${limit}`, routes: [{ name: route, count: 7 }] },
      ],
    };
    const detail = buildOperation(source as never, 'http', 'GET /');
    expect(detail?.lines).toHaveLength(10);
    expect(detail?.errors.map(({ count }) => count).slice(0, 2)).toEqual([99, 98]);
    expect(detail?.errors).toHaveLength(20);
    expect(detail?.calls.list).toHaveLength(10);
    expect(detail?.calls.executions).toBe(20);
    expect(detail?.statements).toMatchObject([{ fingerprint: 'select 10', count: 7 }]);
    expect(detail?.slow).toEqual([{ cause: 'cpu', count: 300, totalMs: 600 }]);
  });
});

describe('the heatmap of latencies', () => {
  it('counts each execution once, in a row with its latency, on a logarithmic scale of up to 24 rows', () => {
    const statistics = new OperationStatistics();
    const latencies = [0.02, 0.5, 3, 3.1, 40, 900, 60_000];
    let now = 0;
    // Ten hours: periods of all lengths.
    for (let each = 0; each < 600; each++, now += 60_000)
      statistics.record(latencies[each % latencies.length] as number, false, false, now);
    const map = latencyHeatmap(statistics);
    const { boundsMs = [], counts = [], periods = [] } = map ?? {};
    expect(boundsMs.length).toBeGreaterThan(10);
    expect(boundsMs.length).toBeLessThanOrEqual(25);
    expect(counts.flat().reduce((sum, count) => sum + count, 0)).toBe(600);
    const ofLatency = (ms: number): number =>
      counts.reduce((sum, column) => {
        const row = boundsMs.findLastIndex((bound) => bound <= ms);
        return sum + (column[row] ?? 0);
      }, 0);
    expect(ofLatency(0.02)).toBe(86);
    expect(ofLatency(60_000)).toBe(85);
    const ratio = (boundsMs[1] ?? 0) / (boundsMs[0] ?? 1);
    expect((boundsMs.at(-1) ?? 0) / (boundsMs.at(-2) ?? 1)).toBeCloseTo(ratio, 1);
    expect(periods.length).toBeLessThan(30);
    periods.slice(1).forEach(({ from }, index) => {
      expect(from).toBeGreaterThanOrEqual(periods[index]?.to ?? 0);
    });
  });

  it('is absent without a latency', () => {
    expect(latencyHeatmap(new OperationStatistics())).toBeUndefined();
  });
});

describe('where the time of all executions went', () => {
  it('includes closed windows and the current one', () => {
    const window = new OpenWindow();
    expect(window.workSinceStart).toBeUndefined();
    window.addWork([10, 0, 0, 0, 0, 0, 5, 1], 4);
    window.addWork([30, 0, 0, 0, 0, 0, 5, 1], 2);
    window.close(undefined);
    window.addWork([2, 0, 0, 0, 0, 0, 2, 4], 0);
    expect(window.workSinceStart).toEqual({ count: 3, partsMs: [14, 0, 0, 0, 0, 0, 4, 2], statements: 2 });
  });

  it('counts each execution of a long life', () => {
    const window = new OpenWindow();
    const many = 2 ** 24;
    window.addWork([many, 0, 0, 0, 0, 0, 0, 0], many);
    window.close(undefined);
    for (let index = 1; index < 1000; index++) {
      window.addWork([1, 0, 0, 0, 0, 0, 0, 0], 1);
      window.close(undefined);
    }
    const { count, partsMs, statements } = window.workSinceStart ?? {};
    expect({ count, ms: partsMs?.[0], statements }).toEqual({
      count: 1000,
      ms: (many + 999) / 1000,
      statements: (many + 999) / 1000,
    });
  });
});
