import { describe, expect, it } from '@jest/globals';
import { Statistics } from '../../lib/statistics/statistics.js';

describe('Statistics', () => {
  it('counts by type and by name, the one with the most time first', () => {
    const statistics = new Statistics(10);
    statistics.record('http', 'GET /a', 10, false, false, 0);
    statistics.record('http', 'GET /b', 500, true, true, 0);
    statistics.record('http', 'GET /a', 20, false, false, 0);
    statistics.record('database', 'SELECT a', 100, false, false, 0);
    expect(statistics.totals()).toEqual({ count: 4, slowCount: 1 });
    expect(statistics.typeStatistics(0)).toMatchObject({
      http: { count: 3, slowCount: 1, errorCount: 1, windows: { minute: { count: 3 }, day: { count: 3 } } },
      database: { count: 1 },
    });
    expect(
      statistics.namedStatistics(0, 2).map(({ name, totalMs, count }) => [name, totalMs, count]),
    ).toEqual([
      ['GET /b', 500, 1],
      ['SELECT a', 100, 1],
    ]);
  });

  it('counts the outcome of streams by type, in every window, and leaves their duration out', () => {
    const statistics = new Statistics(10);
    const stream = (error: boolean, now: number): unknown =>
      statistics.record('http', 'GET /events', 60_000, false, error, now, Infinity, false, true);
    const request = (durationMs: number, now: number): unknown =>
      statistics.record('http', 'GET /a', durationMs, durationMs > 30, false, now, 30);
    stream(false, 0);
    stream(true, 0);
    expect(statistics.typeStatistics(0)['http']).toMatchObject({
      ...{ count: 2, slowCount: 0, slowPercentage: 0, errorCount: 1, untimedCount: 2 },
      windows: { minute: { count: 2, errorCount: 1 } },
    });
    expect(statistics.typeStatistics(0)['http']).not.toHaveProperty('avgDuration');
    // In the current slot, in a past one, and in one that was merged with others.
    request(10, 20_000);
    request(40, 20_000);
    stream(false, 20_000);
    const figures = { count: 5, errorCount: 1, untimedCount: 3, avgDuration: 25, minDuration: 10, p99: 40 };
    const hour = (now: number): unknown => statistics.typeStatistics(now)['http']?.windows.hour;
    expect(hour(20_000)).toMatchObject({ ...figures, slowPercentage: 50 });
    for (const now of [40_000, 900_000]) request(25, now);
    expect(hour(900_000)).toMatchObject({ ...figures, count: 7, slowPercentage: 25 });
    const named = statistics.namedStatistics(900_000, 10).find(({ name }) => name === 'GET /events');
    expect(named).toMatchObject({ count: 3, errorCount: 1, maxDuration: 60_000 });
  });

  it('has a window each for the last minute, hour and day, and the whole life', () => {
    const statistics = new Statistics(10);
    const hour = 3_600_000;
    const moments = [0, 30 * hour, 53.5 * hour, 54 * hour];
    for (const now of moments) statistics.record('http', 'GET /a', 10, false, false, now);
    const windows = { minute: { count: 1 }, hour: { count: 2 }, day: { count: 3 } };
    expect(statistics.typeStatistics(54 * hour)).toMatchObject({ http: { count: 4, windows } });
    expect(statistics.namedStatistics(54 * hour, 1)).toMatchObject([{ count: 4, windows }]);
  });

  it('has no percentile below the minimum or above the maximum, though they are those of buckets', () => {
    // The middle of their bucket is 1.015625.
    for (const durationMs of [1.03, 1.001]) {
      const statistics = new Statistics(10);
      statistics.record('http', 'GET /a', durationMs, false, false, 0);
      expect(statistics.typeStatistics(0)['http']).toMatchObject({
        p50: durationMs,
        p95: durationMs,
        p99: durationMs,
      });
    }
  });

  it('counts what is beyond its bound under (other) of its type, and nothing is lost', () => {
    const statistics = new Statistics(3);
    for (let i = 0; i < 100; i++) statistics.record('http', `GET /${i}`, 1, false, false, 0);
    statistics.record('database', 'SELECT a', 1, false, false, 0);
    statistics.record('http', 'GET /1', 1, false, false, 0);
    const named = statistics.namedStatistics(0, 1000);
    expect(named.map(({ type, name, count }) => `${type} ${name} ${count}`).sort()).toEqual([
      'database (other) 1',
      'http (other) 97',
      'http GET /0 1',
      'http GET /1 2',
      'http GET /2 1',
    ]);
    expect(statistics.overflowed).toBe(98);
    expect(statistics.totals().count).toBe(102);
  });

  it('bounds the types as well', () => {
    const statistics = new Statistics(10_000);
    for (let i = 0; i < 500; i++) statistics.record(`type${i}`, 'name', 1, false, false, 0);
    expect(statistics.types().length).toBeLessThanOrEqual(65);
    expect(statistics.totals().count).toBe(500);
  });

  it('is empty after a reset', () => {
    const statistics = new Statistics(1);
    statistics.record('http', 'GET /a', 1, true, false, 0);
    statistics.record('http', 'GET /b', 1, true, false, 0);
    statistics.reset();
    expect(statistics).toMatchObject({ overflowed: 0 });
    expect(statistics.totals()).toEqual({ count: 0, slowCount: 0 });
    statistics.record('http', 'GET /b', 1, true, false, 0);
    expect(statistics.namedStatistics(0, 10)).toMatchObject([{ name: 'GET /b' }]);
  });

  it('lists first what lost the most time over its threshold, then what took the most', () => {
    const statistics = new Statistics(3);
    statistics.record('http', 'GET /slow', 150, true, false, 0, 100);
    statistics.record('http', 'GET /slow', 130, true, false, 0, 120);
    statistics.record('http', 'GET /slow', 90, false, false, 0, 100);
    statistics.record('http', 'GET /busy', 5000, false, false, 0, 6000);
    statistics.record('job', 'nightly', 90_000, false, false, 0, Number.POSITIVE_INFINITY);
    statistics.record('job', 'one too many', 300, true, false, 0, 200);
    const costs = statistics.costs(30_000, 10);
    expect(
      costs.map(({ name, excessMs, totalMs, thresholdMs }) => ({ name, excessMs, totalMs, thresholdMs })),
    ).toEqual([
      { name: '(other)', excessMs: 100, totalMs: 300, thresholdMs: undefined },
      { name: 'GET /slow', excessMs: 60, totalMs: 370, thresholdMs: 100 },
      { name: 'nightly', excessMs: 0, totalMs: 90_000, thresholdMs: undefined },
      { name: 'GET /busy', excessMs: 0, totalMs: 5000, thresholdMs: 6000 },
    ]);
    expect(costs[1]).toMatchObject({
      type: 'http',
      lifetime: { count: 3, slowCount: 2, maxDuration: 150 },
      minute: { count: 3 },
      hour: { count: 3 },
    });
    expect(statistics.costs(1e9, 10)[1]).toMatchObject({ lifetime: { count: 3 }, hour: { count: 0 } });
    expect(statistics.costs(0, 2).map(({ name }) => name)).toEqual(['(other)', 'GET /slow']);
    expect(statistics.namedStatistics(0, 10).find(({ name }) => name === 'GET /slow')?.excessMs).toBe(60);
    statistics.reset();
    statistics.record('http', 'GET /slow', 110, true, false, 0, 100);
    expect(statistics.costs(0, 10)).toMatchObject([{ excessMs: 10, totalMs: 110 }]);
  });
});
