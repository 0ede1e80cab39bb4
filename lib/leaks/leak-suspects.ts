import type { Leak } from './leak.js';
import type { LeakBlock } from './leak-blocks.js';
import { adjusted } from './leak-growth.js';

/** The executions of an operation since the start. */
export interface OperationCount {
  readonly type: string;
  readonly name: string;
  readonly count: number;
}

/** The first operations that were ever among the busiest are followed, up to this number. */
export const MAX_OPERATIONS = 32;
/** Maximum number of suspects: a longer list would not help. */
const MAX_SUSPECTS = 3;
/** With fewer blocks, chance looks like a cause. */
const LEAST_BLOCKS = 10;
/**
 * Minimum correlation of growth with an operation's executions, both without their trend over time; and of their steps
 * from block to block.
 */
const LEAST_CORRELATION = 0.8;
const LEAST_STEP_CORRELATION = 0.5;
/** Two operations whose executions correlate like this cannot be separated. */
const INSEPARABLE = 0.97;
/** The lead that the first needs over others: a difference of Fisher's z of the correlations, in standard errors. */
const LEAD = 1.5;

interface Candidate {
  readonly operation: number;
  readonly numbers: Float64Array;
  readonly correlation: number;
}

/** Finds the operations that memory grows with. */
export class LeakSuspects {
  private readonly indices = new Map<string, number>();
  private readonly operations: { type: string; name: string }[] = [];
  /** The last counts, and the sums from before they were reset: counts restart at 0 when statistics are reset. */
  private readonly lastCounts = new Float64Array(MAX_OPERATIONS);
  private readonly baseCounts = new Float64Array(MAX_OPERATIONS);

  /** @param busiest the executions of the busiest operations; the first 32 ever listed are followed */
  constructor(private readonly busiest: () => Iterable<OperationCount>) {}

  /** The executions of each operation, to be stored with a block. */
  counts(): readonly number[] {
    for (const { type, name, count } of this.busiest()) {
      const key = `${type}\n${name}`;
      let index = this.indices.get(key);
      if (index === undefined) {
        if (this.operations.length >= MAX_OPERATIONS) continue;
        index = this.operations.push({ type, name }) - 1;
        this.indices.set(key, index);
      }
      const lastCounts = this.lastCounts[index] as number;
      if (count < lastCounts) this.baseCounts[index] = (this.baseCounts[index] as number) + lastCounts;
      this.lastCounts[index] = count;
    }
    // The count of an operation that is no longer among the busiest stays as it was.
    return Array.from(this.lastCounts, (count, index) => count + (this.baseCounts[index] as number));
  }

  /**
   * The operations whose executions explain the growth beyond its trend over time. Empty if traffic is too even, or if
   * several operations explain it equally well.
   */
  of(blocks: readonly LeakBlock[], perLoad: number): Leak['suspects'] {
    if (blocks.length < LEAST_BLOCKS || blocks.some(({ counts }) => counts === undefined)) return [];
    const { times, values } = adjusted(blocks, perLoad);
    const growth = residuals(times, values);
    const candidates = this.operations
      .map((_, operation): Candidate => {
        const numbers = Float64Array.from(blocks, ({ counts }) => counts?.[operation] ?? 0);
        const detrended = residuals(times, numbers);
        const steps = correlation(stepsOf(numbers), stepsOf(values));
        return {
          operation,
          numbers: detrended,
          correlation: steps < LEAST_STEP_CORRELATION ? 0 : correlation(detrended, growth),
        };
      })
      .sort((a, b) => b.correlation - a.correlation);
    const best = candidates[0];
    if (best === undefined || best.correlation < LEAST_CORRELATION) return [];
    const together = candidates.filter(({ numbers }) => correlation(numbers, best.numbers) >= INSEPARABLE);
    if (together.length > MAX_SUSPECTS) return [];
    const next = candidates.find((candidate) => !together.includes(candidate));
    const error = Math.sqrt(2 / (blocks.length - 4));
    if (next !== undefined && fisher(best.correlation) - fisher(next.correlation) < LEAD * error) return [];
    const sum = Float64Array.from(growth, (_, i) =>
      together.reduce((all, { numbers }) => all + (numbers[i] as number), 0),
    );
    const bytesPerOperation = lineThrough(sum, growth).slope;
    return together.flatMap(({ operation }) => {
      const named = this.operations[operation];
      return named === undefined ? [] : [{ ...named, bytesPerOperation }];
    });
  }
}

function stepsOf(values: Float64Array): Float64Array {
  return Float64Array.from(values.subarray(1), (value, i) => value - (values[i] as number));
}

function fisher(r: number): number {
  return Math.atanh(Math.min(0.999, Math.max(-0.999, r)));
}

function lineThrough(xs: ArrayLike<number>, ys: ArrayLike<number>): { slope: number; intercept: number } {
  const { xx, xy, meanX, meanY } = moments(xs, ys);
  const slope = xx > 0 ? xy / xx : 0;
  return { slope, intercept: meanY - slope * meanX };
}

/** The residuals of `ys` from their line of least squares. */
function residuals(xs: ArrayLike<number>, ys: ArrayLike<number>): Float64Array {
  const { slope, intercept } = lineThrough(xs, ys);
  return Float64Array.from(ys, (y, i) => y - intercept - slope * (xs[i] as number));
}

/** Pearson's correlation; 0 if one series is constant. */
function correlation(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  const { xx, xy, yy, scale } = moments(xs, ys);
  // The residuals of a straight line vary only by rounding.
  return xx > scale && yy > scale ? xy / Math.sqrt(xx * yy) : 0;
}

function moments(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
): { xx: number; xy: number; yy: number; meanX: number; meanY: number; scale: number } {
  const n = xs.length;
  let [meanX, meanY, xx, xy, yy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    meanX += (xs[i] as number) / n;
    meanY += (ys[i] as number) / n;
  }
  for (let i = 0; i < n; i++) {
    const x = (xs[i] as number) - meanX;
    const y = (ys[i] as number) - meanY;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  return { xx, xy, yy, meanX, meanY, scale: 1e-9 * n };
}
