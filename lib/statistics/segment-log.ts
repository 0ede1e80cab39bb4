import { BUCKETS } from '../inference/latency-histogram.js';

/** The length of the finest slot in milliseconds. */
export const SLOT_MS = 10_000;

/**
 * The ages at which slots are merged into longer ones, in slots. A window is made of six: the last minute of
 * 10-second slots, the last hour of 10-minute slots, the last day of 4-hour slots, and what is older of one.
 */
const LEVELS = [
  { width: 1, keep: 6 },
  { width: 60, keep: 360 },
  { width: 1440, keep: 8640 },
] as const;
const ARCHIVE = LEVELS.length;

/** Totals of the operations within a span of time. `min` is Infinity and `max` 0 while `count` is 0. */
export class Totals {
  count = 0;
  slow = 0;
  errors = 0;
  /** Errors among them that do not mean that the service is broken. */
  expected = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;

  add(other: Totals): void {
    this.count += other.count;
    this.slow += other.slow;
    this.errors += other.errors;
    this.expected += other.expected;
    this.sum += other.sum;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  clear(): void {
    this.count = this.slow = this.errors = this.expected = this.sum = this.max = 0;
    this.min = Number.POSITIVE_INFINITY;
  }
}

/** What a segment says of itself before its counts. */
export interface Segment {
  level: number;
  /** The first slot it holds, and the first after it. */
  start: number;
  end: number;
  bodyStart: number;
  bodyEnd: number;
  totals: Totals;
}

const scratch = new Float64Array(BUCKETS);
const scratchTotals = new Totals();
let out = new Uint8Array(4096);
let outView = new DataView(out.buffer);
let outLength = 0;

/**
 * The past of one operation as a timeline of segments in a single byte array: fine slots near now, merged into
 * longer ones as they age, so that the last minute, hour and day and the whole life are read from one structure
 * whose size depends on how spread the latencies are and not on how many there were.
 *
 * A segment is `level, start slot, slots, count, slow, errors, expected errors` as varints, `sum` as a double, `min, max` as floats,
 * the length of its body, and the body: pairs of varints (distance to the last bucket that is not empty, its count).
 * Knows no clock: time is a slot number that the caller counts.
 */
export class SegmentLog {
  private bytes = new Uint8Array(0);

  /** The memory held, in bytes. */
  get byteLength(): number {
    return this.bytes.byteLength;
  }

  /**
   * Adds what happened in slot `start` and merges what has aged.
   * @param counts of {@link BUCKETS} numbers
   * @param now the present slot
   */
  append(start: number, totals: Totals, counts: Float64Array, now: number): void {
    outLength = 0;
    let level = -1;
    let period = -1;
    let pending: Segment | undefined;
    let merging = false;
    const flush = (): void => {
      if (pending === undefined) return;
      if (merging) writeSegment(level, pending.start, pending.end, scratchTotals, scratch);
      else copySegment(this.bytes, pending, level);
    };
    for (let header = readHeader(this.bytes, 0); header; header = readHeader(this.bytes, header.bodyEnd)) {
      const target = levelAt(header, now);
      const targetPeriod = periodOf(header.start, target);
      if (pending !== undefined && target === level && targetPeriod === period) {
        if (!merging) {
          scratch.fill(0);
          scratchTotals.clear();
          addSegment(this.bytes, pending, scratchTotals, scratch);
          merging = true;
        }
        addSegment(this.bytes, header, scratchTotals, scratch);
        pending.end = header.end;
      } else {
        flush();
        pending = header;
        merging = false;
        level = target;
        period = targetPeriod;
      }
    }
    flush();
    writeSegment(0, start, start + 1, totals, counts);
    this.bytes = out.slice(0, outLength);
  }

  /** Its segments, the oldest first. */
  segments(): Segment[] {
    const segments: Segment[] = [];
    const view = new DataView(this.bytes.buffer);
    let offset = 0;
    for (let one = readHeader(this.bytes, offset, view); one; one = readHeader(this.bytes, offset, view)) {
      segments.push(one);
      offset = one.bodyEnd;
    }
    return segments;
  }

  /** Adds one of its segments to `totals` and `counts`. */
  addTo(segment: Segment, totals: Totals, counts: Float64Array): void {
    addSegment(this.bytes, segment, totals, counts);
  }

  /** Adds the segments that end after slot `since` to `totals` and `counts`. `since` may be -Infinity. */
  read(since: number, totals: Totals, counts: Float64Array): void {
    for (let header = readHeader(this.bytes, 0); header; header = readHeader(this.bytes, header.bodyEnd)) {
      if (header.end > since) addSegment(this.bytes, header, totals, counts);
    }
  }

  /** Adds the totals alone of the segments that end after slot `since`: much cheaper than {@link read}. */
  readTotals(since: number, totals: Totals): void {
    if (this.bytes.length === 0) return;
    const view = new DataView(this.bytes.buffer);
    for (
      let header = readHeader(this.bytes, 0, view);
      header;
      header = readHeader(this.bytes, header.bodyEnd, view)
    ) {
      if (header.end > since) totals.add(header.totals);
    }
  }

  /** Calls `visit` with the totals of each segment, the oldest first, and with the slots from which to before which they are. */
  each(visit: (start: number, end: number, totals: Totals) => void): void {
    for (let header = readHeader(this.bytes, 0); header; header = readHeader(this.bytes, header.bodyEnd)) {
      visit(header.start, header.end, header.totals);
    }
  }
}

/** The level a segment belongs to at its age; a segment never becomes finer. */
function levelAt(header: Segment, now: number): number {
  if (header.level === ARCHIVE) return ARCHIVE;
  const age = now - header.end;
  let level: number = header.level;
  while (level < ARCHIVE && age >= (LEVELS[level]?.keep ?? 0)) level++;
  return level;
}

function periodOf(start: number, level: number): number {
  return Math.floor(start / (LEVELS[level]?.width ?? Number.POSITIVE_INFINITY));
}

let cursor = 0;

function readVarint(bytes: Uint8Array): number {
  let value = 0;
  let factor = 1;
  for (;;) {
    const byte = bytes[cursor++] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
    factor *= 128;
  }
}

function readHeader(
  bytes: Uint8Array,
  offset: number,
  view = new DataView(bytes.buffer, bytes.byteOffset),
): Segment | undefined {
  if (offset >= bytes.length) return undefined;
  cursor = offset;
  const level = readVarint(bytes);
  const start = readVarint(bytes);
  const end = start + readVarint(bytes);
  const totals = new Totals();
  totals.count = readVarint(bytes);
  totals.slow = readVarint(bytes);
  totals.errors = readVarint(bytes);
  totals.expected = readVarint(bytes);
  totals.sum = view.getFloat64(cursor);
  totals.min = view.getFloat32(cursor + 8);
  totals.max = view.getFloat32(cursor + 12);
  cursor += 16;
  const length = readVarint(bytes);
  return { level, start, end, bodyStart: cursor, bodyEnd: cursor + length, totals };
}

function addSegment(bytes: Uint8Array, header: Segment, totals: Totals, counts: Float64Array): void {
  totals.add(header.totals);
  let index = 0;
  let at = header.bodyStart;
  while (at < header.bodyEnd) {
    // Nearly all of them have one byte.
    const distance = bytes[at] as number;
    const count = bytes[at + 1] as number;
    if ((distance | count) < 0x80) {
      index += distance;
      (counts[index] as number) += count;
      at += 2;
    } else {
      cursor = at;
      index += readVarint(bytes);
      (counts[index] as number) += readVarint(bytes);
      at = cursor;
    }
  }
}

function reserve(bytes: number): void {
  if (outLength + bytes <= out.length) return;
  const grown = new Uint8Array(Math.max(out.length * 2, outLength + bytes));
  grown.set(out);
  out = grown;
  outView = new DataView(out.buffer);
}

function writeVarint(value: number): void {
  let rest = value;
  while (rest >= 128) {
    out[outLength++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  out[outLength++] = rest;
}

/** A varint of a safe integer takes at most 8 bytes; a header has eight of them, a double and two floats. */
const HEADER_BYTES = 8 * 8 + 16;

function writeHeader(level: number, start: number, end: number, totals: Totals): void {
  reserve(HEADER_BYTES);
  writeVarint(level);
  writeVarint(start);
  writeVarint(end - start);
  writeVarint(totals.count);
  writeVarint(totals.slow);
  writeVarint(totals.errors);
  writeVarint(totals.expected);
  outView.setFloat64(outLength, totals.sum);
  outView.setFloat32(outLength + 8, totals.min);
  outView.setFloat32(outLength + 12, totals.max);
  outLength += 16;
}

function writeSegment(level: number, start: number, end: number, totals: Totals, counts: Float64Array): void {
  writeHeader(level, start, end, totals);
  // The body is written behind a gap for its length, then moved up against it.
  const gap = outLength + 8;
  reserve(8 + 10 * BUCKETS);
  outLength = gap;
  let last = 0;
  for (let index = 0; index < BUCKETS; index++) {
    const count = counts[index] as number;
    if (count === 0) continue;
    writeVarint(index - last);
    writeVarint(count);
    last = index;
  }
  const length = outLength - gap;
  outLength = gap - 8;
  writeVarint(length);
  out.copyWithin(outLength, gap, gap + length);
  outLength += length;
}

function copySegment(bytes: Uint8Array, header: Segment, level: number): void {
  writeHeader(level, header.start, header.end, header.totals);
  const length = header.bodyEnd - header.bodyStart;
  reserve(8 + length);
  writeVarint(length);
  out.set(bytes.subarray(header.bodyStart, header.bodyEnd), outLength);
  outLength += length;
}
