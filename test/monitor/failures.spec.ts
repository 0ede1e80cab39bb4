import { describe, expect, it } from '@jest/globals';
import { failureCountOf, failurePercentage, mostFail } from '../../lib/statistics/failures.js';
import { Statistics } from '../../lib/statistics/statistics.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const NOW = 100 * MINUTE;

describe('the operations that failed within a window', () => {
  it('are all of them, with what ended and what failed within it, expected errors left out', () => {
    const statistics = new Statistics(100);
    const record = (name: string, error: boolean, at: number, expected = false) =>
      statistics.record('http', name, 1, false, error, at, undefined, expected);
    record('long ago', true, NOW - 2 * MINUTE);
    record('fine', false, NOW);
    record('expected', true, NOW, true);
    for (let second = 50; second > 0; second -= 10) record('fails', true, NOW - second * SECOND);
    record('fails', false, NOW);
    record('fails', true, NOW, true);
    record('failed before', true, NOW - 2 * MINUTE);
    record('failed before', false, NOW);
    expect(statistics.failing('minute', NOW)).toEqual([
      { type: 'http', name: 'fails', count: 7, failureCount: 5 },
    ]);
    expect(statistics.failing('hour', NOW).map(({ name }) => name)).toEqual([
      'long ago',
      'fails',
      'failed before',
    ]);
    expect(statistics.failing('minute', NOW + 90 * SECOND)).toEqual([]);
  });

  it('agree with the summaries, whatever the past is like', () => {
    const statistics = new Statistics(100);
    let seed = 7;
    const random = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    let now = 0;
    let errors = 0;
    let expectedErrors = 0;
    for (let i = 0; i < 20_000; i++) {
      now += random() * 3000;
      const error = random() < 0.3;
      const expected = error && random() < 0.2;
      if (error) errors++;
      if (expected) expectedErrors++;
      statistics.record('http', `GET /${i % 3}`, random() * 100, false, error, now, 50, expected);
    }
    for (const window of ['minute', 'hour', 'day'] as const) {
      const failing = statistics.failing(window, now);
      expect(failing).toHaveLength(3);
      for (const { name, count, failureCount } of failing) {
        const summary = statistics.operationSummary(name, window, now);
        expect(summary && [summary.count, failureCountOf(summary)]).toEqual([count, failureCount]);
      }
    }
    const lifetime = statistics.typeSummary('http', 'lifetime', now);
    expect([lifetime?.errorCount, lifetime?.expectedErrorCount]).toEqual([errors, expectedErrors]);
  });
});

describe('the share that failed', () => {
  it('is not judged of too few, and never of none', () => {
    expect(failurePercentage({ count: 0, failureCount: 0 }, 0)).toBeUndefined();
    expect(failurePercentage({ count: 19, failureCount: 19 }, 20)).toBeUndefined();
    expect(failurePercentage({ count: 20, failureCount: 5 }, 20)).toBe(25);
  });

  it('is most of it above a half', () => {
    expect(mostFail({ count: 20, failureCount: 10 })).toBe(false);
    expect(mostFail({ count: 20, failureCount: 11 })).toBe(true);
    expect(mostFail({ count: 19, failureCount: 19 })).toBe(false);
  });
});
