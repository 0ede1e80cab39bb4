import { BUCKETS, bucketMiddle } from '../inference/latency-histogram.js';
import { ByteReader, ByteWriter } from './baseline-bytes.js';

const FORMAT = 1;
/** Counts that are not whole, as they are after a decay, are written in sixteenths. */
const FRACTION_BITS = 4;
/** Counts are allocated in steps of this many buckets. */
const GRANULE = 16;
/** Above it a count of doubles is no longer exact. */
const MAX_COUNT = Number.MAX_SAFE_INTEGER;

const scratch = new Float64Array(BUCKETS);

/**
 * A distribution of latencies that can be merged, made old and written.
 *
 * The buckets are those of `LatencyHistogram`, so a percentile is at most 1/64 (1.6 %) off, however many sketches were
 * merged. Merging adds counts: it is exact, commutative and associative for counts that are whole, up to 2^53.
 */
export class LatencySketch {
  private counts = new Float64Array(0);
  private base = 0;
  private total = 0;

  /** The operations in it, the older ones counted less after a decay. */
  get count(): number {
    return this.total;
  }

  /** Adds counts: an array of {@link BUCKETS} numbers, 0 or greater. */
  add(counts: Float64Array): void {
    let first = 0;
    let last = BUCKETS - 1;
    while (first <= last && counts[first] === 0) first++;
    while (last >= first && counts[last] === 0) last--;
    if (last < first) return;
    this.coverBoth(first, last);
    for (let index = first; index <= last; index++) this.addAt(index, counts[index] as number);
  }

  /** Adds what another one has, which stays as it is. */
  merge(other: LatencySketch): void {
    const { counts, base } = other;
    if (counts.length === 0) return;
    this.coverBoth(base, base + counts.length - 1);
    for (let at = 0; at < counts.length; at++) this.addAt(base + at, counts[at] as number);
  }

  /** Lets all that is in it count less: by a factor of 0 to 1. */
  decay(factor: number): void {
    for (let at = 0; at < this.counts.length; at++) (this.counts[at] as number) *= factor;
    this.total *= factor;
  }

  /** @param p 0 to 1 @returns milliseconds; NaN where there is nothing in it */
  percentile(p: number): number {
    const { counts, base, total } = this;
    let seen = 0;
    let last = -1;
    for (let at = 0; at < counts.length; at++) {
      const count = counts[at] as number;
      if (count === 0) continue;
      seen += count;
      last = base + at;
      if (seen >= p * total) break;
    }
    return last < 0 ? Number.NaN : bucketMiddle(last);
  }

  /** Adds the counts to `target`, an array of {@link BUCKETS} numbers. */
  addTo(target: Float64Array): void {
    const { counts, base } = this;
    for (let at = 0; at < counts.length; at++) (target[base + at] as number) += counts[at] as number;
  }

  /**
   * Whole counts exactly, others to 1/32: some hundred bytes. The version, the bits after the point, and from the first
   * bucket on each count as a variable-length integer, where 0 is followed by how many buckets are empty.
   */
  toBytes(): Uint8Array {
    const { counts, base } = this;
    const bits = counts.every(Number.isInteger) ? 0 : FRACTION_BITS;
    const writer = new ByteWriter();
    writer.integer(FORMAT);
    writer.integer(bits);
    let empty = base;
    for (const count of counts) {
      const units = Math.round(count * 2 ** bits);
      if (units === 0) {
        empty++;
        continue;
      }
      if (empty > 0) {
        writer.integer(0);
        writer.integer(empty);
        empty = 0;
      }
      writer.integer(units);
    }
    return writer.bytes();
  }

  /** @throws RangeError for bytes that {@link toBytes} did not write */
  static fromBytes(bytes: Uint8Array): LatencySketch {
    const reader = new ByteReader(bytes, 'sketch');
    const format = reader.integer();
    if (format !== FORMAT) throw new RangeError(`sketch has format ${format}: only ${FORMAT} is known`);
    const bits = reader.integer();
    if (bits !== 0 && bits !== FRACTION_BITS)
      throw new RangeError(`sketch has ${bits} bits after the point: 0 or ${FRACTION_BITS} are allowed`);
    const sketch = new LatencySketch();
    const counts = scratch.fill(0);
    let index = 0;
    while (!reader.isAtEnd) {
      const units = reader.integer();
      if (units === 0) {
        index += reader.integer();
        continue;
      }
      if (index >= BUCKETS) throw new RangeError(`sketch has a bucket ${index}: the last is ${BUCKETS - 1}`);
      counts[index++] = units / 2 ** bits;
    }
    sketch.add(counts);
    if (sketch.total > MAX_COUNT) throw new RangeError('sketch counts more than 2^53');
    return sketch;
  }

  private coverBoth(first: number, last: number): void {
    for (const index of [first, last]) {
      const at = index - this.base;
      if (at < 0 || at >= this.counts.length) this.cover(index);
    }
  }

  private addAt(index: number, count: number): void {
    if (count === 0) return;
    let at = index - this.base;
    if (at < 0 || at >= this.counts.length) {
      this.cover(index);
      at = index - this.base;
    }
    (this.counts[at] as number) += count;
    this.total += count;
  }

  private cover(index: number): void {
    const first = index - (index % GRANULE);
    const used = this.counts.length;
    const start = used === 0 ? first : Math.min(this.base, first);
    const end = Math.max(used === 0 ? 0 : this.base + used, first + GRANULE);
    const grown = new Float64Array(end - start);
    grown.set(this.counts, used === 0 ? 0 : this.base - start);
    this.counts = grown;
    this.base = start;
  }
}
