import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LatencySketch } from '../../lib/baseline/latency-sketch.js';
import { BUCKETS, bucketOf } from '../../lib/inference/latency-histogram.js';

const SEED = { seed: 20261125, numRuns: 100 };
const latencies = fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), {
  minLength: 1,
  maxLength: 60,
});

function sketchOf(values: readonly number[]): LatencySketch {
  const counts = new Float64Array(BUCKETS);
  for (const value of values) (counts[bucketOf(value)] as number)++;
  const sketch = new LatencySketch();
  sketch.add(counts);
  return sketch;
}

function merged(...sketches: LatencySketch[]): LatencySketch {
  const all = new LatencySketch();
  for (const sketch of sketches) all.merge(sketch);
  return all;
}

describe('LatencySketch', () => {
  it('merges in any order to the same bytes', () => {
    fc.assert(
      fc.property(latencies, latencies, latencies, (a, b, c) => {
        const [x, y, z] = [sketchOf(a), sketchOf(b), sketchOf(c)];
        const bytes = merged(x, y, z).toBytes();
        expect(merged(z, y, x).toBytes()).toEqual(bytes);
        expect(merged(x, merged(y, z)).toBytes()).toEqual(bytes);
        expect(merged(merged(x, y), z).toBytes()).toEqual(bytes);
        expect(sketchOf([...a, ...b, ...c]).toBytes()).toEqual(bytes);
      }),
      SEED,
    );
  });

  it('keeps its error bound when 1,000 instances are merged', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.double({ min: 0.05, max: 2, noNaN: true }),
        (seed, spread) => {
          let state = seed;
          const random = (): number => {
            state = (Math.imul(state, 1103515245) + 12345) >>> 0;
            return (state + 0.5) / 2 ** 32;
          };
          const all: number[] = [];
          const sketch = new LatencySketch();
          for (let instance = 0; instance < 1000; instance++) {
            const values = Array.from({ length: 5 }, () => 20 * Math.exp(spread * 4 * (random() - 0.5)));
            all.push(...values);
            sketch.merge(LatencySketch.fromBytes(sketchOf(values).toBytes()));
          }
          all.sort((a, b) => a - b);
          expect(sketch.count).toBe(5000);
          for (const p of [0.01, 0.5, 0.9, 0.95, 0.99, 1]) {
            const exact = all[Math.ceil(p * all.length) - 1] as number;
            expect(Math.abs(sketch.percentile(p) / exact - 1)).toBeLessThanOrEqual(1 / 64 + 1e-12);
          }
        },
      ),
      { seed: 1, numRuns: 10 },
    );
  });

  it('round-trips', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const sketch = sketchOf(values);
        const read = LatencySketch.fromBytes(sketch.toBytes());
        expect(read.count).toBe(values.length);
        expect(read.toBytes()).toEqual(sketch.toBytes());
      }),
      SEED,
    );
  });

  it('counts less after a decay, and keeps its percentiles', () => {
    const sketch = sketchOf(Array.from({ length: 1000 }, (_, i) => 1 + i / 10));
    const median = sketch.percentile(0.5);
    sketch.decay(0.3);
    expect(sketch.count).toBeCloseTo(300, 6);
    expect(sketch.percentile(0.5)).toBe(median);
    const read = LatencySketch.fromBytes(sketch.toBytes());
    expect(Math.abs(read.count - 300)).toBeLessThan(0.03125 * 250);
    sketch.decay(0);
    expect(sketch.count).toBe(0);
    expect(LatencySketch.fromBytes(sketch.toBytes()).count).toBe(0);
  });

  it('takes the first and the last bucket, and counts up to 2^53', () => {
    const counts = new Float64Array(BUCKETS);
    counts[0] = 1;
    counts[BUCKETS - 1] = 2 ** 52;
    const sketch = new LatencySketch();
    sketch.add(counts);
    const target = new Float64Array(BUCKETS);
    LatencySketch.fromBytes(sketch.toBytes()).addTo(target);
    expect(target).toEqual(counts);
  });

  it('says NaN where there is nothing in it', () => {
    expect(new LatencySketch().percentile(0.5)).toBeNaN();
    expect(LatencySketch.fromBytes(new LatencySketch().toBytes()).count).toBe(0);
  });

  it('refuses nonsense with a RangeError, and never anything else', () => {
    expect(() => LatencySketch.fromBytes(new Uint8Array(0))).toThrow(
      'Invalid sketch: it ends within a number',
    );
    expect(() => LatencySketch.fromBytes(Uint8Array.of(2, 0))).toThrow(
      'Invalid sketch: received format 2, expected 1',
    );
    expect(() => LatencySketch.fromBytes(Uint8Array.of(1, 3))).toThrow('3 fraction bits');
    expect(() => LatencySketch.fromBytes(Uint8Array.of(1, 0, 0, 0x80, 9, 1))).toThrow('bucket 1152');
    expect(() => LatencySketch.fromBytes(Uint8Array.of(1, 0, ...new Array(9).fill(255)))).toThrow(RangeError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(Number.isFinite(LatencySketch.fromBytes(bytes).count)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      SEED,
    );
  });
});
