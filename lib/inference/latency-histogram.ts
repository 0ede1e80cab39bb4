/** Sub-buckets per octave: a bucket is at most 1/32 wide, so its middle is at most 1.6 % off. */
const SUB_BUCKET_BITS = 5;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
/** The resolution: 2^-10 ms, about one microsecond. */
const MIN_EXPONENT = -10;
/** 2^26 ms is 18.6 hours. Longer durations share the last bucket; the exact maximum is kept elsewhere. */
const MAX_EXPONENT = 26;
const EXPONENT_BIAS = 1023;
const INDEX_OFFSET = (EXPONENT_BIAS + MIN_EXPONENT) << SUB_BUCKET_BITS;

/** The number of buckets. */
export const BUCKETS = (MAX_EXPONENT - MIN_EXPONENT) * SUB_BUCKETS;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH_WORD = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;
/** Keeps the exponent and the top five bits of the mantissa of the high word. */
const SHIFT = 20 - SUB_BUCKET_BITS;

/** The bucket of a latency in milliseconds, taken from the exponent and the leading mantissa bits of the double. */
export function bucketOf(ms: number): number {
  if (!(ms > 0)) return 0;
  double[0] = ms;
  const index = ((words[HIGH_WORD] as number) >>> SHIFT) - INDEX_OFFSET;
  return index < 0 ? 0 : index >= BUCKETS ? BUCKETS - 1 : index;
}

/** The middle of a bucket in milliseconds. */
export function bucketMiddle(index: number): number {
  return MIDDLES[index] as number;
}

/** The least latency of a bucket in milliseconds. */
export function bucketStart(index: number): number {
  const octave = 2 ** ((index >>> SUB_BUCKET_BITS) + MIN_EXPONENT);
  return octave * (1 + (index & (SUB_BUCKETS - 1)) / SUB_BUCKETS);
}

/** Precomputed, since powers are slow. */
const MIDDLES = Float64Array.from({ length: BUCKETS }, (_, index) => {
  const octave = 2 ** ((index >>> SUB_BUCKET_BITS) + MIN_EXPONENT);
  return octave * (1 + ((index & (SUB_BUCKETS - 1)) + 0.5) / SUB_BUCKETS);
});

/**
 * A percentile of bucket counts.
 * @param counts an array of {@link BUCKETS} numbers
 * @param count their sum, greater than 0
 * @param p 0 to 1
 * @param max the exact maximum, which caps the percentile
 */
export function percentileOf(counts: Float64Array, count: number, p: number, max: number): number {
  const rank = Math.ceil(p * count);
  let seen = 0;
  for (let index = 0; index < BUCKETS; index++) {
    seen += counts[index] as number;
    if (seen >= rank) return Math.min(max, bucketMiddle(index));
  }
  return max;
}

/**
 * Several percentiles in one pass, see {@link percentileOf}.
 * @param ps above 0, to 1, in ascending order
 * @param min the minimum: the search starts there
 */
export function percentilesOf(
  counts: Float64Array,
  count: number,
  ps: readonly number[],
  min: number,
  max: number,
): number[] {
  const result: number[] = [];
  // Invalid latencies are in the first bucket. A minimum rounded to a float may lie one bucket too high.
  let index = (counts[0] as number) > 0 ? 0 : Math.max(0, bucketOf(min) - 1);
  let seen = counts[index] as number;
  for (const p of ps) {
    const rank = Math.ceil(p * count);
    while (seen < rank && index < BUCKETS - 1) seen += counts[++index] as number;
    result.push(seen < rank ? max : Math.min(max, bucketMiddle(index)));
  }
  return result;
}

/** Counts are allocated in steps of this many buckets. */
const GRANULE = 16;
const MOST_OF_TWO_BYTES = 2 ** 16 - 1;
const MOST_OF_FOUR_BYTES = 2 ** 32 - 1;

/**
 * A log-linear histogram of latencies that allocates only the range of buckets in use.
 *
 * The layout is HdrHistogram's (Tene): linear buckets within an octave, octaves by the exponent. The relative error is at
 * most 1/64 (1.6 %) for any distribution, and adding two histograms is exact.
 */
export class LatencyHistogram {
  /** Two bytes per bucket until a count needs four, then doubles. */
  private counts: Uint16Array | Uint32Array | Float64Array = new Uint16Array(0);
  private most = MOST_OF_TWO_BYTES;
  private base = 0;

  /** Counts one latency in milliseconds. Negative values and NaN are counted in the first bucket. */
  record(ms: number): void {
    const index = bucketOf(ms);
    let at = index - this.base;
    if (at < 0 || at >= this.counts.length) {
      this.cover(index);
      at = index - this.base;
    }
    if ((this.counts[at] as number) === this.most) this.widen();
    (this.counts[at] as number)++;
  }

  /** Adds counts: an array of {@link BUCKETS} numbers. */
  addCounts(added: Float64Array): void {
    for (let index = 0; index < BUCKETS; index++) {
      const count = added[index] as number;
      if (count === 0) continue;
      let at = index - this.base;
      if (at < 0 || at >= this.counts.length) {
        this.cover(index);
        at = index - this.base;
      }
      while ((this.counts[at] as number) + count > this.most) this.widen();
      (this.counts[at] as number) += count;
    }
  }

  /** Adds the counts to `target`, an array of {@link BUCKETS} numbers. */
  addTo(target: Float64Array): void {
    const { counts, base } = this;
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i] as number;
      if (count !== 0) (target[base + i] as number) += count;
    }
  }

  /** Resets the counts and keeps the memory. */
  clear(): void {
    this.counts.fill(0);
  }

  private widen(): void {
    if (this.most === MOST_OF_TWO_BYTES) {
      this.most = MOST_OF_FOUR_BYTES;
      this.counts = Uint32Array.from(this.counts);
    } else {
      this.most = Number.POSITIVE_INFINITY;
      this.counts = Float64Array.from(this.counts);
    }
  }

  private cover(index: number): void {
    const first = index - (index % GRANULE);
    const used = this.counts.length;
    const start = used === 0 ? first : Math.min(this.base, first);
    const end = Math.max(used === 0 ? 0 : this.base + used, first + GRANULE);
    const grown = new (this.counts.constructor as new (length: number) => typeof this.counts)(end - start);
    grown.set(this.counts, used === 0 ? 0 : this.base - start);
    this.counts = grown;
    this.base = start;
  }
}
