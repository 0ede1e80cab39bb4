/** Sub-buckets an octave: a bucket is at most 1/32 wide, so its middle is at most 1.6 % off. */
const SUB_BUCKET_BITS = 5;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
/** 2^-10 ms, about one microsecond, is the resolution of what is measured. */
const MIN_EXPONENT = -10;
/** 2^26 ms is 18.6 hours: longer operations share the last bucket, their exact maximum is kept apart. */
const MAX_EXPONENT = 26;
const EXPONENT_BIAS = 1023;
const INDEX_OFFSET = (EXPONENT_BIAS + MIN_EXPONENT) << SUB_BUCKET_BITS;

/** The number of buckets there are. */
export const BUCKETS = (MAX_EXPONENT - MIN_EXPONENT) * SUB_BUCKETS;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const HIGH_WORD = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;
/** Leaves exponent and the top five bits of the mantissa of the high word. */
const SHIFT = 20 - SUB_BUCKET_BITS;

/** The bucket of a latency in milliseconds: its exponent and leading mantissa bits, read from the double itself. */
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

/** Powers are slow. */
const MIDDLES = Float64Array.from({ length: BUCKETS }, (_, index) => {
  const octave = 2 ** ((index >>> SUB_BUCKET_BITS) + MIN_EXPONENT);
  return octave * (1 + ((index & (SUB_BUCKETS - 1)) + 0.5) / SUB_BUCKETS);
});

/**
 * A percentile of bucket counts.
 * @param counts an array of {@link BUCKETS} numbers
 * @param count their sum, greater than 0
 * @param p 0 to 1
 * @param max the exact greatest one, which no percentile exceeds
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
 * @param min about the least one: what is below it is not looked through
 */
export function percentilesOf(
  counts: Float64Array,
  count: number,
  ps: readonly number[],
  min: number,
  max: number,
): number[] {
  const result: number[] = [];
  // What is no latency is in the first bucket, and a minimum that was shortened may be of the next one.
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
 * A log-linear histogram of latencies that holds only the range of buckets it has seen.
 *
 * The layout is HdrHistogram's (Tene): buckets linear within an octave, octaves by the exponent. Its relative
 * error is at most 1/64 (1.6 %), whatever the distribution, and two of them add up without any loss.
 */
export class LatencyHistogram {
  /** Of two bytes each until a bucket needs more, then of four, then doubles. */
  private counts: Uint16Array | Uint32Array | Float64Array = new Uint16Array(0);
  private most = MOST_OF_TWO_BYTES;
  private base = 0;

  /** Counts one latency in milliseconds. Negative and NaN fall into the first bucket. */
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

  /** Forgets the counts and keeps the room for them. */
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
