import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { BUCKETS, bucketOf } from '../../lib/inference/latency-histogram.js';
import { BOUNDS_S, boundOf, explicitBuckets, exponentialBuckets } from '../../lib/metrics/latency-buckets.js';

const durations = fc.array(fc.double({ min: 0.001, max: 6e7, noNaN: true }), { minLength: 1, maxLength: 50 });

function counted(all: readonly number[]): Float64Array {
  const counts = new Float64Array(BUCKETS);
  for (const ms of all) (counts[bucketOf(ms)] as number)++;
  return counts;
}

describe('explicit buckets', () => {
  it('hold each duration, at most 1.6 % off a bound', () => {
    fc.assert(
      fc.property(durations, (all) => {
        const buckets = explicitBuckets(counted(all));
        expect(buckets).toHaveLength(BOUNDS_S.length + 1);
        let upTo = 0;
        for (const [index, bound] of BOUNDS_S.entries()) {
          upTo += buckets[index] ?? 0;
          const within = (slack: number): number => all.filter((ms) => ms / 1000 <= bound * slack).length;
          expect(upTo).toBeGreaterThanOrEqual(within(0.984));
          expect(upTo).toBeLessThanOrEqual(within(1.016));
        }
        expect(upTo + (buckets.at(-1) ?? 0)).toBe(all.length);
      }),
    );
  });

  it('include their bound', () => {
    expect([0.005, 0.0051, 10, 11].map(boundOf)).toEqual([0, 1, BOUNDS_S.length - 1, BOUNDS_S.length]);
  });
});

describe('exponential buckets', () => {
  it('hold each duration, in 160 buckets or fewer', () => {
    fc.assert(
      fc.property(durations, (all) => {
        const { scale, offset, bucketCounts } = exponentialBuckets(counted(all));
        expect(bucketCounts.length).toBeLessThanOrEqual(160);
        expect(bucketCounts.reduce((sum, count) => sum + count, 0)).toBe(all.length);
        const base = 2 ** (2 ** -scale);
        for (const ms of all) {
          const least = bucketCounts.findIndex(
            (count, i) => count > 0 && base ** (offset + i + 1) * 1.017 >= ms / 1000,
          );
          expect(least).toBeGreaterThanOrEqual(0);
          expect(base ** (offset + least)).toBeLessThanOrEqual((ms / 1000) * 1.017);
        }
      }),
    );
  });

  it('are as fine as they can be', () => {
    expect(exponentialBuckets(counted([100, 110])).scale).toBe(4);
    expect(exponentialBuckets(counted([0.001, 6e7])).scale).toBeLessThan(4);
    expect(exponentialBuckets(new Float64Array(BUCKETS)).bucketCounts).toEqual([]);
  });
});
