import { bytesToFloats, floatsToBytes } from '../bytes/float-bytes.js';
import { addValue, MOMENTS } from '../inference/moments.js';
import type { Sample } from '../inference/welch.js';

/** What is judged: what remains of the heap after major collections, and the resident set. */
export const MEMORY_MEASURES = ['heap', 'rss'] as const;
export type MemoryMeasure = (typeof MEMORY_MEASURES)[number];

/** The first byte of stored memory. Another one is of another release of this package. */
const MEMORY_FORMAT = 80;
/** Of each slot the lowest reading counts, in which what requests hold for a moment is not seen. */
export const SLOT_MS = 5 * 60_000;
/** Nothing is recorded of the slots before: every process still loads code and fills its first caches. */
const FIRST_SLOT = 2;
/** Two to an octave of age: from 10 minutes to 57 days. */
export const AGES = 26;
/** The number of processes of a version that are kept: those that ran longest. */
export const MAX_PROCESSES = 32;
/** More than any number of bytes, as a natural logarithm. */
const MAX_LOG = 64;

// The layout of a row: an id, the slot since 1970 in which the process started, then for each age the executions a minute and
// the moments of each measure as natural logarithms of bytes.
const ID = 0;
const STARTED = 1;
const HEAD = 2;
const LOAD = 0;
const SAMPLES = 1;
const FIELDS = SAMPLES + MEMORY_MEASURES.length * MOMENTS;
const ROW = HEAD + AGES * FIELDS;

/** One process at an age: the lowest readings of its slots, as natural logarithms of bytes. */
export interface MemoryAtAge {
  readonly heap?: Sample;
  readonly rss?: Sample;
  /** Executions of incoming operations a minute. */
  readonly load: number;
}

/** The part of a process's life, in milliseconds since its start. Each octave has two halves. */
export function rangeOfAge(age: number): { readonly from: number; readonly to: number } {
  const slots = slotsOfAge(age);
  const from = FIRST_SLOT * slots + (age % 2) * slots;
  return { from: from * SLOT_MS, to: (from + slots) * SLOT_MS };
}

/** The number of slots of an age. */
export function slotsOfAge(age: number): number {
  return 2 ** Math.floor(age / 2);
}

/** Undefined before and beyond the ages that are recorded. */
function ageOf(slot: number): number | undefined {
  if (!(slot >= FIRST_SLOT)) return undefined;
  const octave = Math.floor(Math.log2(slot / FIRST_SLOT));
  const age = 2 * octave + (slot < 3 * 2 ** octave ? 0 : 1);
  return age < AGES ? age : undefined;
}

/**
 * The memory of processes by their age, 0.7 KB each. Memory grows for hours after a start, so that only processes of the same
 * age can be compared.
 */
export class ProcessMemory {
  private rows: Float32Array[] = [];

  /**
   * Adds a slot of the process with this id.
   * @param startedAt when it started, in milliseconds since 1970
   * @param slot the number of the slot, 0 for the one that begins with the process
   * @param lowest in bytes; NaN if there was no reading
   * @param load executions of incoming operations a minute
   */
  add(
    id: number,
    startedAt: number,
    slot: number,
    lowest: Readonly<Record<MemoryMeasure, number>>,
    load: number,
  ): void {
    const age = ageOf(slot);
    if (age === undefined || !(lowest.rss > 0) || !(load >= 0)) return;
    const row = this.rowOf(id, Math.floor(startedAt / SLOT_MS));
    const at = HEAD + age * FIELDS;
    MEMORY_MEASURES.forEach((measure, index) => {
      const value = lowest[measure];
      if (value > 0) addValue(row, at + SAMPLES + index * MOMENTS, Math.log(value), 1);
    });
    const n = row[at + SAMPLES + MEMORY_MEASURES.indexOf('rss') * MOMENTS] as number;
    (row[at + LOAD] as number) += (load - (row[at + LOAD] as number)) / n;
  }

  /** Adds other processes. Of the same one, which two snapshots may contain, the one with more counts. */
  merge(other: ProcessMemory): void {
    for (const row of other.rows) {
      const at = this.rows.findIndex((one) => one[ID] === row[ID] && one[STARTED] === row[STARTED]);
      if (at < 0) this.rows.push(row);
      else if (slotsIn(row) > slotsIn(this.rows[at] as Float32Array)) this.rows[at] = row;
    }
    this.rows.sort(
      (one, other) =>
        slotsIn(other) - slotsIn(one) ||
        (other[STARTED] as number) - (one[STARTED] as number) ||
        (one[ID] as number) - (other[ID] as number),
    );
    this.rows.length = Math.min(this.rows.length, MAX_PROCESSES);
  }

  get isEmpty(): boolean {
    return this.rows.length === 0;
  }

  /** Each process at each age; undefined where nothing is known. */
  list(): (MemoryAtAge | undefined)[][] {
    return this.rows.map((row) => Array.from({ length: AGES }, (_, age) => atAge(row, age)));
  }

  toBytes(): Uint8Array {
    return floatsToBytes(MEMORY_FORMAT, this.rows);
  }

  /** @throws RangeError for bytes that {@link toBytes} did not write */
  static fromBytes(bytes: Uint8Array): ProcessMemory {
    const memory = new ProcessMemory();
    const length = Math.floor(Math.max(0, bytes.length - 1) / (ROW * Float32Array.BYTES_PER_ELEMENT));
    if (length > MAX_PROCESSES) throw invalidMemory(`${length} processes`, `at most ${MAX_PROCESSES}`);
    memory.rows = Array.from({ length }, () => new Float32Array(ROW));
    bytesToFloats(bytes, MEMORY_FORMAT, memory.rows, 'memory');
    for (const row of memory.rows) checkRow(row);
    return memory;
  }

  private rowOf(id: number, started: number): Float32Array {
    const known = this.rows.find((row) => row[ID] === id && row[STARTED] === started);
    if (known !== undefined) return known;
    const row = new Float32Array(ROW);
    row[ID] = id;
    row[STARTED] = started;
    const added = new ProcessMemory();
    added.rows = [row];
    this.merge(added);
    return row;
  }
}

function atAge(row: Float32Array, age: number): MemoryAtAge | undefined {
  const at = HEAD + age * FIELDS;
  const samples: { [K in MemoryMeasure]?: Sample } = {};
  MEMORY_MEASURES.forEach((measure, index) => {
    const moments = row.subarray(at + SAMPLES + index * MOMENTS);
    const [n, mean, squares] = moments as unknown as [number, number, number];
    if (n > 0) samples[measure] = { n, mean, variance: squares / Math.max(1, n - 1) };
  });
  return samples.rss === undefined ? undefined : { ...samples, load: row[at + LOAD] as number };
}

/** The number of slots of all ages. */
function slotsIn(row: Float32Array): number {
  let slots = 0;
  const first = HEAD + SAMPLES + MEMORY_MEASURES.indexOf('rss') * MOMENTS;
  for (let age = 0; age < AGES; age++) slots += row[first + age * FIELDS] as number;
  return slots;
}

/** Numbers that no process can have: a stored file may have been written by others. */
function checkRow(row: Float32Array): void {
  const negative = row.find((value) => value < 0);
  if (negative !== undefined) throw invalidMemory(negative, '0 or more');
  for (let age = 0; age < AGES; age++) {
    for (let index = 0; index < MEMORY_MEASURES.length; index++) {
      const at = HEAD + age * FIELDS + SAMPLES + index * MOMENTS;
      const [n, mean] = row.subarray(at) as unknown as [number, number];
      // A process has one slot at a time.
      if (n > slotsOfAge(age)) throw invalidMemory(`${n} slots`, `at most ${slotsOfAge(age)}`);
      if (mean > MAX_LOG) throw invalidMemory(mean, `at most ${MAX_LOG}`);
    }
  }
}

function invalidMemory(received: number | string, expected: string): RangeError {
  return new RangeError(`Invalid memory: received ${received}, expected ${expected}`);
}
