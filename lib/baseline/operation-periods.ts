import { bytesToFloats, floatsToBytes } from '../bytes/float-bytes.js';
import { addValue, MOMENTS, mergeMoments } from '../inference/moments.js';
import type { Sample } from '../inference/welch.js';
import type { OperationWindow } from '../statistics/operation-window.js';
import type { OperationSide } from './operation-change.js';
import { measuresOf, SAMPLED_MEASURES } from './side-of-windows.js';
import { middleOf } from './window-model.js';

/** The first byte of stored periods, which that of a latency sketch never is. */
export const PERIODS_FORMAT = 64;
/** The length of a period, aligned to the clock so that those of several instances can be merged. */
export const PERIOD_MS = 10 * 60_000;
/** The periods that are kept one by one: two hours with executions. Earlier ones are merged into one. */
const RECENT = 12;

// The layout of a row: its first and last period since 1970, executions, failures, then the moments of each measure.
const FIRST = 0;
const LAST = 1;
const COUNT = 2;
const ERRORS = 3;
const SAMPLES = 4;
const FIELDS = SAMPLES + SAMPLED_MEASURES.length * MOMENTS;

/** One operation over some time. Moments in milliseconds since 1970. */
export interface OperationPeriod {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly side: OperationSide;
}

/**
 * The windows of an operation in the last periods and before them, in at most 0.8 KB. Unlike its models it contains all of
 * them, also while a regression is suspected: it is what a version is judged by.
 */
export class OperationPeriods {
  /** The last period first; behind the most recent ones at most one row of earlier periods. */
  private readonly rows: Float32Array[] = [];

  add(window: OperationWindow): void {
    if (!(window.count > 0)) return;
    const row = new Float32Array(FIELDS);
    row[FIRST] = row[LAST] = Math.floor(middleOf(window) / PERIOD_MS);
    row[COUNT] = window.count;
    row[ERRORS] = window.errors;
    const measures = measuresOf(window);
    SAMPLED_MEASURES.forEach((measure, index) => {
      if (Number.isFinite(measures[measure])) addValue(row, SAMPLES + index * MOMENTS, measures[measure], 1);
    });
    this.addRow(row);
    this.limit();
  }

  /** Adds what another instance has seen. */
  merge(other: OperationPeriods): void {
    for (const row of other.rows) this.addRow(row.slice());
    this.limit();
  }

  /** The last one first. */
  list(): OperationPeriod[] {
    return this.rows.map((row) => ({
      startedAt: (row[FIRST] as number) * PERIOD_MS,
      endedAt: ((row[LAST] as number) + 1) * PERIOD_MS,
      side: sideOf(row),
    }));
  }

  toBytes(): Uint8Array {
    return floatsToBytes(PERIODS_FORMAT, this.rows);
  }

  /** @throws RangeError for bytes that {@link toBytes} did not write */
  static fromBytes(bytes: Uint8Array): OperationPeriods {
    const periods = new OperationPeriods();
    const length = Math.floor((bytes.length - 1) / (FIELDS * Float32Array.BYTES_PER_ELEMENT));
    if (length > RECENT + 1)
      throw new RangeError(`Invalid periods: received ${length}, expected at most ${RECENT + 1}`);
    const rows = Array.from({ length: Math.max(0, length) }, () => new Float32Array(FIELDS));
    bytesToFloats(bytes, PERIODS_FORMAT, rows, 'periods');
    for (const row of rows) {
      const weights = SAMPLED_MEASURES.flatMap((_, index) =>
        [0, 2].map((at) => SAMPLES + index * MOMENTS + at),
      );
      const negative = [FIRST, LAST, COUNT, ERRORS, ...weights].find((at) => (row[at] as number) < 0);
      if (negative !== undefined)
        throw new RangeError(`Invalid periods: received ${row[negative]}, expected 0 or more`);
      periods.rows.push(row);
    }
    return periods;
  }

  private addRow(row: Float32Array): void {
    const at = this.rows.findIndex((one) => (one[LAST] as number) <= (row[LAST] as number));
    const same = this.rows[at];
    if (same !== undefined && same[LAST] === row[LAST]) mergeRow(same, row);
    else this.rows.splice(at < 0 ? this.rows.length : at, 0, row);
  }

  private limit(): void {
    while (this.rows.length > RECENT + 1) {
      const last = this.rows.pop() as Float32Array;
      mergeRow(this.rows[this.rows.length - 1] as Float32Array, last);
    }
  }
}

/** All periods as one side of a comparison. */
export function sideOfPeriods(periods: readonly OperationPeriod[]): OperationSide {
  const sides = periods.map(({ side }) => side);
  const total = (field: 'count' | 'errors'): number => sides.reduce((sum, side) => sum + side[field], 0);
  const samples: { [K in (typeof SAMPLED_MEASURES)[number]]?: Sample } = {};
  for (const measure of SAMPLED_MEASURES) {
    const merged = mergedSample(sides.flatMap((side) => side[measure] ?? []));
    if (merged !== undefined) samples[measure] = merged;
  }
  return { count: total('count'), errors: total('errors'), ...samples };
}

function mergedSample(samples: readonly Sample[]): Sample | undefined {
  const n = samples.reduce((sum, one) => sum + one.n, 0);
  if (n === 0) return undefined;
  const mean = samples.reduce((sum, one) => sum + one.n * one.mean, 0) / n;
  const squares = samples.reduce(
    (sum, one) => sum + one.variance * (one.n - 1) + one.n * (one.mean - mean) ** 2,
    0,
  );
  return { n, mean, variance: squares / Math.max(1, n - 1) };
}

function sideOf(row: Float32Array): OperationSide {
  const samples: { [K in (typeof SAMPLED_MEASURES)[number]]?: Sample } = {};
  SAMPLED_MEASURES.forEach((measure, index) => {
    const [n, mean, squares] = row.subarray(SAMPLES + index * MOMENTS) as unknown as [number, number, number];
    if (n > 0) samples[measure] = { n, mean, variance: squares / Math.max(1, n - 1) };
  });
  return { count: row[COUNT] as number, errors: row[ERRORS] as number, ...samples };
}

function mergeRow(into: Float32Array, row: Float32Array): void {
  into[FIRST] = Math.min(into[FIRST] as number, row[FIRST] as number);
  into[LAST] = Math.max(into[LAST] as number, row[LAST] as number);
  (into[COUNT] as number) += row[COUNT] as number;
  (into[ERRORS] as number) += row[ERRORS] as number;
  for (let index = 0; index < SAMPLED_MEASURES.length; index++)
    mergeMoments(into, row, SAMPLES + index * MOMENTS);
}
