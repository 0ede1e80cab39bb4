import type { Leak } from './leak.js';
import type { LeakBlock } from './leak-blocks.js';
import { correlation, lineThrough, rests } from './leak-fit.js';
import { adjusted } from './leak-growth.js';

/** How often an operation has ended since the start. */
export interface OperationCount {
  readonly type: string;
  readonly name: string;
  readonly count: number;
}

/** Operations that are followed; the first that were ever among the busiest. */
export const FOLLOWED = 32;
/** Told together at the most: of more it would say nothing. */
const MOST_TOLD = 3;
/** Fewer blocks let chance look like a reason. */
const LEAST_BLOCKS = 10;
/** Of growth with an operation's number, both less what goes with time alone; and of their steps from block to block. */
const LEAST_CORRELATION = 0.8;
const LEAST_STEP_CORRELATION = 0.5;
/** Two operations whose numbers go together like that cannot be told apart. */
const SAME = 0.97;
/** The first must be ahead of others by this (a difference of Fisher's z of correlations, in standard errors). */
const AHEAD = 1.5;

interface Candidate {
  readonly operation: number;
  readonly numbers: Float64Array;
  readonly correlation: number;
}

/** Says which operations memory grows with, where that can be said. */
export class LeakSuspects {
  private readonly indices = new Map<string, number>();
  private readonly operations: { type: string; name: string }[] = [];
  /** What was told last, and what is added to it: numbers begin anew when statistics are reset. */
  private readonly told = new Float64Array(FOLLOWED);
  private readonly before = new Float64Array(FOLLOWED);

  /** @param operations how often the busiest operations have ended; more than 32 in a life are not followed */
  constructor(private readonly busiest: () => Iterable<OperationCount>) {}

  /** To be kept with a block. */
  counts(): readonly number[] {
    for (const { type, name, count } of this.busiest()) {
      const key = `${type}\n${name}`;
      let index = this.indices.get(key);
      if (index === undefined) {
        if (this.operations.length >= FOLLOWED) continue;
        index = this.operations.push({ type, name }) - 1;
        this.indices.set(key, index);
      }
      const told = this.told[index] as number;
      if (count < told) this.before[index] = (this.before[index] as number) + told;
      this.told[index] = count;
    }
    // One that is not among the busiest any more has stood still, as far as is known.
    return Array.from(this.told, (count, index) => count + (this.before[index] as number));
  }

  /**
   * The operations that growth goes with beyond what goes with time alone; nothing where traffic is too even to tell,
   * or where several would explain it as well.
   */
  of(blocks: readonly LeakBlock[], perLoad: number): Leak['suspects'] {
    if (blocks.length < LEAST_BLOCKS || blocks.some(({ counts }) => counts === undefined)) return [];
    const { times, values } = adjusted(blocks, perLoad);
    const growth = rests(times, values);
    const candidates = this.operations
      .map((_, operation): Candidate => {
        const numbers = Float64Array.from(blocks, ({ counts }) => counts?.[operation] ?? 0);
        const apart = rests(times, numbers);
        const steps = correlation(stepsOf(numbers), stepsOf(values));
        return {
          operation,
          numbers: apart,
          correlation: steps < LEAST_STEP_CORRELATION ? 0 : correlation(apart, growth),
        };
      })
      .sort((a, b) => b.correlation - a.correlation);
    const best = candidates[0];
    if (best === undefined || best.correlation < LEAST_CORRELATION) return [];
    const together = candidates.filter(({ numbers }) => correlation(numbers, best.numbers) >= SAME);
    if (together.length > MOST_TOLD) return [];
    const next = candidates.find((candidate) => !together.includes(candidate));
    const error = Math.sqrt(2 / (blocks.length - 4));
    if (next !== undefined && fisher(best.correlation) - fisher(next.correlation) < AHEAD * error) return [];
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
