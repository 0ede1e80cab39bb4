import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  BUCKETS,
  bucketMiddle,
  bucketOf,
  LatencyHistogram,
  percentileOf,
  percentilesOf,
} from '../../lib/inference/latency-histogram.js';

describe('LatencyHistogram', () => {
  it('puts every latency from a microsecond to eighteen hours at most 1.6 % from the middle of its bucket', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 2 ** 26 - 1, noNaN: true }), (ms) => {
        expect(Math.abs(bucketMiddle(bucketOf(ms)) - ms) / ms).toBeLessThanOrEqual(1 / 64);
      }),
    );
  });

  it('computes several percentiles in one pass', () => {
    const latency = fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constant(Number.NaN));
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 200 }), (latencies) => {
        const counts = new Float64Array(BUCKETS);
        for (const ms of latencies) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1;
        const known = latencies.filter((ms) => !Number.isNaN(ms));
        const [min, max] = [Math.fround(Math.min(...known)), Math.max(0, ...known)];
        const ps = [0.001, 0.01, 0.5, 0.95, 0.99, 1];
        expect(percentilesOf(counts, latencies.length, ps, min, max)).toEqual(
          ps.map((p) => percentileOf(counts, latencies.length, p, max)),
        );
      }),
    );
  });

  it('keeps the order of latencies', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (a, b) => {
          expect(Math.sign(bucketOf(a) - bucketOf(b)) * Math.sign(a - b)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  it.each([
    [0, 0],
    [-1, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, BUCKETS - 1],
    [1e300, BUCKETS - 1],
  ])('puts %p into bucket %p', (ms, bucket) => {
    expect(bucketOf(ms)).toBe(bucket);
  });

  it('adds up to what was recorded, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 200 }), (latencies) => {
        const histogram = new LatencyHistogram();
        const expected = new Float64Array(BUCKETS);
        for (const ms of latencies) {
          histogram.record(ms);
          expected[bucketOf(ms)] = (expected[bucketOf(ms)] ?? 0) + 1;
        }
        const counts = new Float64Array(BUCKETS);
        histogram.addTo(counts);
        expect(counts).toEqual(expected);
      }),
    );
  });

  it('is empty once cleared', () => {
    const histogram = new LatencyHistogram();
    histogram.record(12);
    histogram.clear();
    const counts = new Float64Array(BUCKETS);
    histogram.addTo(counts);
    expect(counts.every((count) => count === 0)).toBe(true);
  });

  it('counts more than four bytes hold, and goes on from there', () => {
    const histogram = new LatencyHistogram();
    const added = new Float64Array(BUCKETS);
    added[bucketOf(5)] = 2 ** 32 - 1;
    histogram.addCounts(added);
    histogram.record(5);
    histogram.record(5000);
    const counts = new Float64Array(BUCKETS);
    histogram.addTo(counts);
    expect([counts[bucketOf(5)], counts[bucketOf(5000)]]).toEqual([2 ** 32, 1]);
  });

  it('counts more than two bytes hold, recorded or added, beside what it had', () => {
    const histogram = new LatencyHistogram();
    histogram.record(200);
    for (let i = 0; i < 70_000; i++) histogram.record(5);
    const added = new Float64Array(BUCKETS);
    added[bucketOf(900)] = 3_000_000;
    const other = new LatencyHistogram();
    other.record(900);
    other.addCounts(added);
    const counts = new Float64Array(BUCKETS);
    histogram.addTo(counts);
    other.addTo(counts);
    expect(counts[bucketOf(200)]).toBe(1);
    expect(counts[bucketOf(5)]).toBe(70_000);
    expect(counts[bucketOf(900)]).toBe(3_000_001);
  });
});
