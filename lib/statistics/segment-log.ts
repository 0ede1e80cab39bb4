import { ByteReader, ByteWriter } from '../bytes/byte-buffers.js';
import { BUCKETS } from '../inference/latency-histogram.js';
import { Totals } from './totals.js';

/** The length of the finest slot in milliseconds. */
export const SLOT_MS = 10_000;

/**
 * How long segments are at each level (`width`) and up to which age they stay there (`keep`), in slots. The last minute
 * consists of 10-second segments, the last hour of 10-minute ones, the last day of 4-hour ones; all that is older is one.
 */
const LEVELS = [
  { width: 1, keep: 6 },
  { width: 60, keep: 360 },
  { width: 1440, keep: 8640 },
] as const;
const ARCHIVE_LEVEL = LEVELS.length;

/** The operations of consecutive slots. */
export interface Segment {
  readonly level: number;
  /** The first slot, and the first slot after it. */
  readonly start: number;
  readonly end: number;
  readonly totals: Totals;
  /** Where the counts of its latencies lie in the bytes of the log. */
  readonly countsStart: number;
  readonly countsEnd: number;
}

// Reused, since thousands of logs are appended to in the same second. Every use ends before the function returns.
const output = new ByteWriter();
const encodedCounts = new ByteWriter();
const mergedCounts = new Float64Array(BUCKETS);

/**
 * The past of one operation as a sequence of segments in one byte array: short segments for recent time, merged into
 * longer ones with age. The last minute, hour and day and the whole lifetime are read from the same array, whose size
 * depends on how widely latencies are spread and not on how many operations ended.
 *
 * A segment consists of the varints `level`, `start`, `end - start`, `count`, `slow`, `errors`, `expected`,
 * `untimed`, the double
 * `sum`, the floats `min` and `max`, the varint length of its counts, and its counts: for each non-empty bucket the
 * distance from the previous one and its count, as varints.
 *
 * Has no clock: the caller numbers the slots.
 */
export class SegmentLog {
  private bytes = new Uint8Array(0);

  /** The memory held, in bytes. */
  get byteLength(): number {
    return this.bytes.byteLength;
  }

  /**
   * Appends slot `start` and merges the segments that have aged.
   * @param counts of {@link BUCKETS} numbers
   * @param now the current slot
   */
  append(start: number, totals: Totals, counts: Float64Array, now: number): void {
    output.clear();
    let group: Segment[] = [];
    let level = 0;
    for (const segment of this.segments()) {
      const target = levelAt(segment, now);
      const [first] = group;
      if (first !== undefined && !(target === level && isSamePeriod(first, segment, level))) {
        this.writeMerged(group, level);
        group = [];
      }
      level = target;
      group.push(segment);
    }
    this.writeMerged(group, level);
    writeSegment(0, start, start + 1, totals, counts);
    this.bytes = output.bytes();
  }

  /** Its segments, the oldest first. */
  segments(): Segment[] {
    const segments: Segment[] = [];
    const reader = new ByteReader(this.bytes, 'segment log');
    while (!reader.isAtEnd) segments.push(readSegment(reader));
    return segments;
  }

  /** Adds one of its segments to `totals` and `counts`. */
  addTo(segment: Segment, totals: Totals, counts: Float64Array): void {
    totals.add(segment.totals);
    addCounts(this.bytes, segment, counts);
  }

  /** Adds the segments that end after slot `since` to `totals` and `counts`. `since` may be -Infinity. */
  read(since: number, totals: Totals, counts: Float64Array): void {
    for (const segment of this.segments()) if (segment.end > since) this.addTo(segment, totals, counts);
  }

  /** Adds only the totals of the segments that end after slot `since`: much cheaper than {@link read}. */
  readTotals(since: number, totals: Totals): void {
    for (const segment of this.segments()) if (segment.end > since) totals.add(segment.totals);
  }

  private writeMerged(group: readonly Segment[], level: number): void {
    const [first, second] = group;
    if (first === undefined) return;
    if (second === undefined) {
      writeHeader(level, first.start, first.end, first.totals);
      writeCounts(this.bytes.subarray(first.countsStart, first.countsEnd));
      return;
    }
    const totals = new Totals();
    mergedCounts.fill(0);
    for (const segment of group) this.addTo(segment, totals, mergedCounts);
    writeSegment(level, first.start, (group.at(-1) as Segment).end, totals, mergedCounts);
  }
}

/** The level a segment belongs to at its age; a segment never becomes finer. */
function levelAt({ level: present, end }: Segment, now: number): number {
  let level = present;
  while (level < ARCHIVE_LEVEL && now - end >= (LEVELS[level]?.keep ?? 0)) level++;
  return level;
}

function isSamePeriod(one: Segment, other: Segment, level: number): boolean {
  const width = LEVELS[level]?.width ?? Number.POSITIVE_INFINITY;
  return Math.floor(one.start / width) === Math.floor(other.start / width);
}

function readSegment(reader: ByteReader): Segment {
  const level = reader.varint();
  const start = reader.varint();
  const end = start + reader.varint();
  const totals = new Totals();
  totals.count = reader.varint();
  totals.slow = reader.varint();
  totals.errors = reader.varint();
  totals.expected = reader.varint();
  totals.untimed = reader.varint();
  totals.sum = reader.float64();
  totals.min = reader.float32();
  totals.max = reader.float32();
  const length = reader.varint();
  const countsStart = reader.position;
  reader.position += length;
  return { level, start, end, totals, countsStart, countsEnd: reader.position };
}

function addCounts(bytes: Uint8Array, { countsStart, countsEnd }: Segment, counts: Float64Array): void {
  let reader: ByteReader | undefined;
  let bucket = 0;
  for (let at = countsStart; at < countsEnd; ) {
    const distance = bytes[at] as number;
    const count = bytes[at + 1] as number;
    // Nearly all pairs are two bytes, which are read without the reader.
    if ((distance | count) < 0x80) {
      bucket += distance;
      (counts[bucket] as number) += count;
      at += 2;
      continue;
    }
    reader ??= new ByteReader(bytes, 'segment log');
    reader.position = at;
    bucket += reader.varint();
    (counts[bucket] as number) += reader.varint();
    at = reader.position;
  }
}

function writeSegment(level: number, start: number, end: number, totals: Totals, counts: Float64Array): void {
  writeHeader(level, start, end, totals);
  encodedCounts.clear();
  let previous = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const count = counts[bucket] as number;
    if (count === 0) continue;
    encodedCounts.varint(bucket - previous);
    encodedCounts.varint(count);
    previous = bucket;
  }
  writeCounts(encodedCounts.written);
}

function writeHeader(level: number, start: number, end: number, totals: Totals): void {
  output.varint(level);
  output.varint(start);
  output.varint(end - start);
  output.varint(totals.count);
  output.varint(totals.slow);
  output.varint(totals.errors);
  output.varint(totals.expected);
  output.varint(totals.untimed);
  output.float64(totals.sum);
  output.float32(totals.min);
  output.float32(totals.max);
}

function writeCounts(encoded: Uint8Array): void {
  output.varint(encoded.length);
  output.append(encoded);
}
