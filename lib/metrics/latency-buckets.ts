import { BUCKETS, bucketMiddle } from '../inference/latency-histogram.js';

/** The bounds that the semantic conventions recommend for durations, in seconds. */
export const BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** 16 buckets per octave, each 4.4 % wide. The next scale would be finer than the counts. */
const MAX_SCALE = 4;
/** The default limit of OpenTelemetry's SDKs. */
const MAX_EXPONENTIAL_BUCKETS = 160;

/** The index of the bucket of a duration in seconds; the last bucket has no bound. */
export function boundOf(seconds: number): number {
  const index = BOUNDS_S.findIndex((bound) => seconds <= bound);
  return index < 0 ? BOUNDS_S.length : index;
}

const BOUND_OF = Uint8Array.from({ length: BUCKETS }, (_, index) => boundOf(bucketMiddle(index) / 1000));

/**
 * The counts of the buckets between {@link BOUNDS_S}. A fine bucket is counted on one side of a bound, so a bound may be 1.6 %
 * off.
 */
export function explicitBuckets(fine: Float64Array): number[] {
  const result = new Array<number>(BOUNDS_S.length + 1).fill(0);
  for (let index = 0; index < BUCKETS; index++) {
    const count = fine[index] as number;
    if (count !== 0) (result[BOUND_OF[index] as number] as number) += count;
  }
  return result;
}

/** The buckets of an exponential histogram: bucket `offset + i` is of (base^(offset + i), base^(offset + i + 1)]. */
export interface ExponentialBuckets {
  /** The base is 2^(2^-scale). */
  readonly scale: number;
  readonly offset: number;
  readonly bucketCounts: number[];
}

const EXPONENT_OF = Int16Array.from(
  { length: BUCKETS },
  (_, index) => Math.ceil(Math.log2(bucketMiddle(index) / 1000) * 2 ** MAX_SCALE) - 1,
);

/** The counts as an exponential histogram of seconds, at the finest scale with up to 160 buckets. */
export function exponentialBuckets(fine: Float64Array): ExponentialBuckets {
  let first = -1;
  let last = -1;
  for (let index = 0; index < BUCKETS; index++) {
    if (fine[index] === 0) continue;
    if (first < 0) first = index;
    last = index;
  }
  if (first < 0) return { scale: MAX_SCALE, offset: 0, bucketCounts: [] };
  const low = EXPONENT_OF[first] as number;
  const high = EXPONENT_OF[last] as number;
  let shift = 0;
  while ((high >> shift) - (low >> shift) >= MAX_EXPONENTIAL_BUCKETS) shift++;
  const offset = low >> shift;
  const bucketCounts = new Array<number>((high >> shift) - offset + 1).fill(0);
  for (let index = first; index <= last; index++) {
    const at = ((EXPONENT_OF[index] as number) >> shift) - offset;
    (bucketCounts[at] as number) += fine[index] as number;
  }
  return { scale: MAX_SCALE - shift, offset, bucketCounts };
}
