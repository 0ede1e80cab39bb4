import { BUCKETS, bucketMiddle } from '../inference/latency-histogram.js';
import { normalUpper, studentQuantile } from '../inference/student-t.js';
import { type Difference, type Sample, welch } from '../inference/welch.js';
import type { LatencySketch } from './latency-sketch.js';

/** The number of windows on either side from which windows are compared instead of counts. */
export const MIN_WINDOWS = 5;
/**
 * The assumed standard deviation of the logarithm of a latency between two unchanged runs. By counts alone, every random
 * difference between runs would be significant.
 */
const NOISE = 0.06;
const TAIL_NOISE = 0.1;

/** A difference and its two-sided test. */
export interface Estimate {
  readonly difference: number;
  readonly interval: readonly [number, number];
  readonly pValue: number;
}

/** Compares the means of windows. */
export function compareWindows(before: Sample, after: Sample): Estimate {
  return twoSided(welch(before, after));
}

/** Compares the mean logarithms of two sketches. Not by ranks, since the latencies of one run depend on each other. */
export function compareMiddle(before: LatencySketch, after: LatencySketch): Estimate {
  const [one, other] = [logMoments(before), logMoments(after)];
  const error = Math.sqrt(one.variance / one.n + other.variance / other.n + 2 * NOISE ** 2);
  return normal(other.mean - one.mean, error);
}

/** Compares the logarithms of a percentile of two sketches. The error results from the ranks around it. */
export function compareTail(before: LatencySketch, after: LatencySketch, p: number): Estimate {
  const error = Math.hypot(rankError(before, p), rankError(after, p), TAIL_NOISE * Math.SQRT2);
  return normal(Math.log(after.percentile(p)) - Math.log(before.percentile(p)), error);
}

function rankError(sketch: LatencySketch, p: number): number {
  const reach = 1.96 * Math.sqrt((p * (1 - p)) / sketch.count);
  const low = sketch.percentile(Math.max(0, p - reach));
  const high = sketch.percentile(Math.min(1, p + reach));
  return (Math.log(high) - Math.log(low)) / (2 * 1.96);
}

/** Mean and variance of the logarithms. */
export function logMoments(sketch: LatencySketch): Sample {
  const counts = new Float64Array(BUCKETS);
  sketch.addTo(counts);
  let sum = 0;
  let squares = 0;
  for (let index = 0; index < BUCKETS; index++) {
    const count = counts[index] as number;
    if (count === 0) continue;
    const log = Math.log(bucketMiddle(index));
    sum += count * log;
    squares += count * log * log;
  }
  const mean = sum / sketch.count;
  return { n: sketch.count, mean, variance: Math.max(0, squares / sketch.count - mean * mean) };
}

function normal(difference: number, error: number): Estimate {
  const reach = studentQuantile(0.025, 1e7) * error;
  return {
    difference,
    interval: [difference - reach, difference + reach],
    pValue: Math.min(1, 2 * normalUpper(Math.abs(difference) / error)),
  };
}

function twoSided({ difference, standardError, interval, pValue }: Difference): Estimate {
  const both = standardError > 0 ? 2 * Math.min(pValue, 1 - pValue) : difference === 0 ? 1 : 0;
  return { difference, interval, pValue: Math.min(1, both) };
}
