import { ByteReader, ByteWriter } from '../bytes/byte-buffers.js';
import { BUCKETS, bucketMiddle } from '../inference/latency-histogram.js';

const FORMAT = 1;
/** Fractional counts, which decay produces, are stored in sixteenths. */
const FRACTION_BITS = 4;
/** Counts are allocated in steps of this many buckets. */
const GRANULE = 16;
/** The largest exact integer of a double. */
const MAX_COUNT = Number.MAX_SAFE_INTEGER;

// Reused between calls, each of which fills them first.
const scratch = new Float64Array(BUCKETS);
const writer = new ByteWriter();

/**
 * A distribution of latencies that can be merged, decayed and stored.
 *
 * It has the buckets of `LatencyHistogram`, so a percentile is at most 1/64 (1.6 %) off, however many sketches were merged.
 * Merging adds counts: exact, commutative and associative for whole counts up to 2^53.
 */
export class LatencySketch {
  private counts = new Float64Array(0);
  private base = 0;
  private total = 0;

  /** The number of operations, older ones weighted less after a decay. */
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

  /** Adds the counts of `other`. */
  merge(other: LatencySketch): void {
    const { counts, base } = other;
    if (counts.length === 0) return;
    this.coverBoth(base, base + counts.length - 1);
    for (let at = 0; at < counts.length; at++) this.addAt(base + at, counts[at] as number);
  }

  /** Multiplies all counts by a factor of 0 to 1. */
  decay(factor: number): void {
    for (let at = 0; at < this.counts.length; at++) (this.counts[at] as number) *= factor;
    this.total *= factor;
  }

  /** @param p 0 to 1 @returns milliseconds; NaN if it is empty */
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
   * Some hundred bytes: the format, the number of fraction bits, then the count of each bucket, all as varints. A 0 is
   * followed by a number of empty buckets. Whole counts are exact, fractional ones are rounded to 1/16.
   */
  toBytes(): Uint8Array {
    const { counts, base } = this;
    const bits = counts.every(Number.isInteger) ? 0 : FRACTION_BITS;
    const perOne = 2 ** bits;
    writer.clear();
    writer.varint(FORMAT);
    writer.varint(bits);
    let empty = base;
    for (const count of counts) {
      const units = Math.round(count * perOne);
      if (units === 0) {
        empty++;
        continue;
      }
      if (empty > 0) {
        writer.varint(0);
        writer.varint(empty);
        empty = 0;
      }
      writer.varint(units);
    }
    return writer.bytes();
  }

  /** @throws RangeError for bytes that {@link toBytes} did not write */
  static fromBytes(bytes: Uint8Array): LatencySketch {
    const reader = new ByteReader(bytes, 'sketch');
    const format = reader.varint();
    if (format !== FORMAT)
      throw new RangeError(`Invalid sketch: received format ${format}, expected ${FORMAT}`);
    const bits = reader.varint();
    if (bits !== 0 && bits !== FRACTION_BITS)
      throw new RangeError(`Invalid sketch: received ${bits} fraction bits, expected 0 or ${FRACTION_BITS}`);
    const sketch = new LatencySketch();
    const one = 2 ** -bits;
    const counts = scratch.fill(0);
    let first = BUCKETS;
    let index = 0;
    while (!reader.isAtEnd) {
      const units = reader.varint();
      if (units === 0) {
        index += reader.varint();
        continue;
      }
      if (index >= BUCKETS)
        throw new RangeError(`Invalid sketch: received bucket ${index}, expected at most ${BUCKETS - 1}`);
      if (index < first) first = index;
      counts[index++] = units * one;
      sketch.total += units * one;
    }
    if (first < BUCKETS) sketch.fill(counts, first, Math.min(index, BUCKETS));
    if (sketch.total > MAX_COUNT) throw new RangeError('Invalid sketch: received a count above 2^53');
    return sketch;
  }

  /** Takes the counts of an empty sketch, those from `first` to before `end`. */
  private fill(counts: Float64Array, first: number, end: number): void {
    this.base = first - (first % GRANULE);
    this.counts = counts.slice(this.base, Math.min(BUCKETS, Math.ceil(end / GRANULE) * GRANULE));
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
