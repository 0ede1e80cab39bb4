import {
  BUCKETS,
  bucketMiddle,
  bucketOf,
  LatencyHistogram,
  percentileOf,
} from '../inference/latency-histogram.js';
import { type OperationWindow, PARTS, type WorkSummary } from './operation-window.js';
import type { Totals } from './totals.js';

/** A window closes once it has both the minimal length and the minimal count, or the maximal length. */
const MIN_MS = 60_000;
const MIN_COUNT = 30;
const MAX_MS = 30 * 60_000;
/** The share of the executions that are the tail. */
const TAIL = 0.05;

// The layout of `work`: the sums of the parts, the sum of the statements, the number of operations measured. Then the same
// of all windows that were closed.
const STATEMENTS = PARTS.length;
const COUNT = STATEMENTS + 1;
const CLOSED = COUNT + 1;

const scratch = new Float64Array(BUCKETS);
let logarithms: Float64Array | undefined;

/** Collects the operations of the current window until it can be closed. */
export class OpenWindow {
  private histogram: LatencyHistogram | undefined;
  private startedAt = 0;
  private endedAt = 0;
  private count = 0;
  private errors = 0;
  private sum = 0;
  private max = 0;
  /** Of double precision: with 24 bits, the sums of a long life stop growing. */
  private work: Float64Array | undefined;

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Adds the time of one operation, in milliseconds: `parts` in the order of {@link PARTS}. */
  addWork(parts: readonly number[], statements: number): void {
    this.work ??= new Float64Array(2 * CLOSED);
    const { work } = this;
    for (let part = 0; part < PARTS.length; part++) (work[part] as number) += parts[part] as number;
    (work[STATEMENTS] as number) += statements;
    (work[COUNT] as number)++;
  }

  /** Where the time of all operations went, those of closed windows included; undefined if none was measured. */
  get workSinceStart(): WorkSummary | undefined {
    const { work } = this;
    if (work === undefined) return undefined;
    const sum = (index: number): number => (work[index] as number) + (work[CLOSED + index] as number);
    const count = sum(COUNT);
    if (count === 0) return undefined;
    return {
      count,
      partsMs: PARTS.map((_, part) => sum(part) / count),
      statements: sum(STATEMENTS) / count,
    };
  }

  /**
   * Adds the operations of one slot.
   * @param counts of {@link BUCKETS} numbers
   * @param from,to the slot, in milliseconds since 1970
   */
  fold(totals: Totals, counts: Float64Array, from: number, to: number): void {
    if (this.count === 0) this.startedAt = from;
    this.endedAt = to;
    this.count += totals.count;
    this.errors += totals.errors;
    this.sum += totals.sum;
    if (totals.max > this.max) this.max = totals.max;
    this.histogram ??= new LatencyHistogram();
    this.histogram.addCounts(counts);
  }

  /** Whether the window can be closed at `now`, in milliseconds since 1970. */
  isDue(now: number): boolean {
    if (this.count === 0) return false;
    const age = now - this.startedAt;
    return (this.count >= MIN_COUNT && age >= MIN_MS) || age >= MAX_MS;
  }

  /**
   * Closes the window and begins the next one.
   * @param normalP99Ms the p99 of the baseline, if there is one
   * @param counts of {@link BUCKETS} numbers, all 0: receives the counts of the latencies
   */
  close(normalP99Ms: number | undefined, counts: Float64Array = scratch.fill(0)): OperationWindow {
    const { count, max, work } = this;
    this.histogram?.addTo(counts);
    const measured = work?.[COUNT] ?? 0;
    const per = (index: number): number => (work?.[index] as number) / measured;
    const window: OperationWindow = {
      startedAt: this.startedAt,
      endedAt: this.endedAt,
      count,
      errors: this.errors,
      meanMs: this.sum / count,
      meanLog: meanLogOf(counts, count),
      p50Ms: percentileOf(counts, count, 0.5, max),
      p90Ms: percentileOf(counts, count, 0.9, max),
      p99Ms: percentileOf(counts, count, 0.99, max),
      tailMs: Math.exp(meanLogAbove(counts, TAIL * count)),
      overP99: normalP99Ms === undefined ? Number.NaN : countAbove(counts, normalP99Ms),
      queries: measured > 0 ? per(STATEMENTS) : Number.NaN,
      ...(measured > 0 ? { partsMs: PARTS.map((_, part) => per(part)) } : {}),
    };
    if (work !== undefined)
      for (let index = 0; index < CLOSED; index++) (work[CLOSED + index] as number) += work[index] as number;
    this.clear();
    return window;
  }

  /** Discards the operations collected so far. */
  clear(): void {
    this.histogram?.clear();
    this.work?.fill(0, 0, CLOSED);
    this.count = this.errors = this.sum = this.max = 0;
  }
}

/** The mean logarithm, each latency counted as the middle of its bucket: at most 0.016 off, less on average. */
function meanLogOf(counts: Float64Array, count: number): number {
  return meanLogAbove(counts, count);
}

/** The mean logarithm of the slowest executions. `slowest` need not be whole: the least slow one counts in part. */
function meanLogAbove(counts: Float64Array, slowest: number): number {
  logarithms ??= Float64Array.from(counts, (_, index) => Math.log(bucketMiddle(index)));
  let [sum, left] = [0, slowest];
  for (let index = BUCKETS - 1; index >= 0 && left > 0; index--) {
    if (counts[index] === 0) continue;
    const taken = Math.min(left, counts[index] as number);
    sum += taken * (logarithms[index] as number);
    left -= taken;
  }
  return sum / (slowest - left);
}

function countAbove(counts: Float64Array, ms: number): number {
  let above = 0;
  for (let index = bucketOf(ms) + 1; index < BUCKETS; index++) above += counts[index] as number;
  return above;
}
