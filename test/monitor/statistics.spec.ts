import { describe, expect, it } from '@jest/globals';
import { Statistics } from '../../lib/monitor/statistics.js';

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
});
