import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OperationStatistics, WINDOWS, type WindowName } from '../../lib/statistics/operation-statistics.js';

const SLOT_MS = 10_000;

interface Recorded {
  at: number;
  ms: number;
  slow: boolean;
  error: boolean;
}

/** The nearest-rank percentile, computed by sorting. */
function percentile(values: number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(p * sorted.length) - 1] as number;
}

describe('OperationStatistics', () => {
  it('has no figure but zero counts before the first operation', () => {
    expect(new OperationStatistics().summary('lifetime', 0)).toEqual({
      count: 0,
      slowCount: 0,
      slowPercentage: 0,
      errorCount: 0,
    });
  });

  it('counts slow and failed operations, and knows the exact minimum, maximum and average', () => {
    const statistics = new OperationStatistics();
    statistics.record(10, false, false, 0);
    statistics.record(20, true, true, 5);
    statistics.record(60, true, false, 25_000);
    expect(statistics.summary('lifetime', 25_000)).toMatchObject({
      count: 3,
      slowCount: 2,
      slowPercentage: 66.667,
      errorCount: 1,
      avgDuration: 30,
      minDuration: 10,
      maxDuration: 60,
    });
  });

  it.each([
    ['uniform', (u: number) => 1 + u * 1000],
    ['exponential', (u: number) => -Math.log(1 - u) * 80],
    ['heavy tailed', (u: number) => 5 / (1 - u) ** 1.2],
    ['bimodal', (u: number) => (u < 0.9 ? 3 + u : 900 + u * 200)],
    ['constant', () => 42],
    ['microseconds', (u: number) => 0.002 + u * 0.05],
  ])('gives percentiles within 2 %% for a distribution that is %s', (_name, quantile) => {
    const statistics = new OperationStatistics();
    const values: number[] = [];
    for (let i = 0; i < 5000; i++) {
      // A low-discrepancy sequence: the same at each run, and without the clumps of chance.
      const ms = quantile((i * 0.618_033_988_75) % 1);
      values.push(ms);
      statistics.record(ms, false, false, i * 20);
    }
    const summary = statistics.summary('lifetime', 100_000);
    for (const [key, p] of [
      ['p50', 0.5],
      ['p95', 0.95],
      ['p99', 0.99],
    ] as const) {
      const exact = percentile(values, p);
      expect(Math.abs((summary[key] as number) - exact)).toBeLessThanOrEqual(Math.max(exact * 0.02, 0.0006));
    }
  });

  it('agrees with a plain list of operations in every window, at any time', () => {
    const operation = fc.record({
      gap: fc.oneof(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: 8_000_000 })),
      ms: fc.double({ min: 0.01, max: 10_000, noNaN: true }),
      slow: fc.boolean(),
      error: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 120 }),
        fc.integer({ min: 0, max: 100_000_000 }),
        (given, after) => {
          const statistics = new OperationStatistics();
          const all: Recorded[] = [];
          let now = 0;
          for (const { gap, ...rest } of given) {
            now += gap;
            all.push({ at: now, ...rest });
            statistics.record(rest.ms, rest.slow, rest.error, now);
          }
          now += after;
          const lifetime = statistics.summary('lifetime', now);
          expect(lifetime.count).toBe(all.length);
          // Read in one pass, a mean may be rounded the other way.
          const together = statistics.summaries(now);
          for (const name of ['minute', 'hour', 'day', 'lifetime'] as const) {
            const { avgDuration: mean = 0, ...exact } = statistics.summary(name, now);
            expect(together[name]).toMatchObject(exact);
            expect(together[name].avgDuration ?? 0).toBeCloseTo(mean, 2);
          }
          expect(lifetime.slowCount).toBe(all.filter(({ slow }) => slow).length);
          expect(lifetime.errorCount).toBe(all.filter(({ error }) => error).length);
          for (const window of Object.keys(WINDOWS) as WindowName[]) {
            const length = WINDOWS[window];
            // A window holds all of its period, and at most a sixth of it (one slot) more.
            const least = all.filter(({ at }) => at > now - length).length;
            const most = all.filter(({ at }) => at >= now - length - Math.max(SLOT_MS, length / 6)).length;
            const { count } = statistics.summary(window, now);
            expect(count).toBeGreaterThanOrEqual(least);
            expect(count).toBeLessThanOrEqual(most);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keeps its lifetime totals over days in bounded memory', () => {
    const statistics = new OperationStatistics();
    const { past } = statistics as unknown as { past: { byteLength: number } };
    const sizes: number[] = [];
    for (let i = 0; i < 60_000; i++) {
      statistics.record(20 + (i % 97), i % 10 === 0, false, i * 10_000);
      if (i % 6000 === 5999) sizes.push(past.byteLength);
    }
    expect(statistics.summary('lifetime', 600_000_000)).toMatchObject({ count: 60_000, slowCount: 6000 });
    expect(Math.max(...sizes)).toBeLessThan(4096);
    expect(sizes.at(-1)).toBeLessThan((sizes[1] as number) * 1.3);
  });

  describe('the means of the last minutes', () => {
    const MINUTE_MS = 60_000;

    it('are null where nothing ended, and end with the present minute', () => {
      const statistics = new OperationStatistics();
      expect(statistics.minuteMeans(3, 0)).toEqual([null, null, null]);
      statistics.record(10, false, false, 600_000);
      statistics.record(30, false, false, 600_000);
      expect(statistics.minuteMeans(3, 600_000)).toEqual([null, null, 20]);
      expect(statistics.minuteMeans(3, 600_000 + 2 * MINUTE_MS)).toEqual([20, null, null]);
      expect(statistics.minuteMeans(3, 600_000 + 3 * MINUTE_MS)).toEqual([null, null, null]);
    });

    it('fill every minute that a longer stretch covers with its mean', () => {
      const statistics = new OperationStatistics();
      // 10 ms for ten minutes, nothing for ten, then 50 ms.
      for (let minute = 0; minute < 10; minute++) statistics.record(10, false, false, minute * MINUTE_MS);
      for (let minute = 20; minute < 30; minute++) statistics.record(50, false, false, minute * MINUTE_MS);
      const means = statistics.minuteMeans(30, 30 * MINUTE_MS - SLOT_MS);
      expect(means.slice(0, 9)).toEqual(Array(9).fill(10));
      expect(means.slice(10, 20)).toEqual(Array(10).fill(null));
      expect(means.slice(20)).toEqual(Array(10).fill(50));
    });

    it('weigh each execution of a minute alike, of which a part is already in a longer stretch', () => {
      const statistics = new OperationStatistics();
      for (let slot = 0; slot < 12; slot++)
        statistics.record(slot < 5 ? 100 : 10, false, false, slot * SLOT_MS);
      expect(statistics.minuteMeans(2, 11 * SLOT_MS)).toEqual([85, 10]);
    });

    it('are between minimum and maximum for any traffic, and leave out older operations', () => {
      const recorded = fc.array(
        fc.record({ gap: fc.integer({ min: 0, max: 400_000 }), ms: fc.integer({ min: 1, max: 1000 }) }),
        { minLength: 1, maxLength: 200 },
      );
      fc.assert(
        fc.property(recorded, (operations) => {
          const statistics = new OperationStatistics();
          let now = 5 * MINUTE_MS;
          for (const { gap, ms } of operations) {
            now += gap;
            statistics.record(ms, false, false, now);
          }
          const all = operations.map(({ ms }) => ms);
          const means = statistics.minuteMeans(60, now);
          expect(means).toHaveLength(60);
          for (const mean of means) {
            if (mean === null) continue;
            expect(mean).toBeGreaterThanOrEqual(Math.min(...all) - 0.001);
            expect(mean).toBeLessThanOrEqual(Math.max(...all) + 0.001);
          }
          expect(means[59]).not.toBeNull();
          expect(statistics.minuteMeans(60, now + 70 * MINUTE_MS)).toEqual(Array(60).fill(null));
        }),
      );
    });
  });
});
