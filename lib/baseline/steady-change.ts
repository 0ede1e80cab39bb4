import { type ChangeEstimate, estimateChange, estimateChanges } from './estimate-change.js';
import type { ChangeMeasure, ChangeOptions, OperationSide } from './operation-change.js';
import { type OperationPeriod, sideOfPeriods } from './operation-periods.js';
import { type ComparedPeriods, MIN_PERIODS } from './release-periods.js';

/** A change still falls, as that of caches that fill, if its last third is below this share of the first. */
const STILL = 0.6;
/** Each third must have this share of the change: a burst of errors is an incident, not a release. */
const MIN_THIRD = 0.35;

/**
 * The changes of an operation. A change for the worse must last: of one that falls, the first part is left out, and one that
 * is not in each third of its time, or shorter than half an hour, is not steady. So a version is judged neither by its cold
 * start nor by an incident of minutes.
 */
export function steadyChanges(compared: ComparedPeriods, options: ChangeOptions): ChangeEstimate[] {
  const before = sideOfPeriods(compared.before);
  const withDrift = { ...options, drift: compared.drift };
  const ordered = [...compared.after].sort((one, other) => one.startedAt - other.startedAt);
  return estimateChanges(before, sideOfPeriods(ordered), withDrift).map((whole) => {
    if (whole.difference < 0) return { ...whole, isSteady: lasted(whole.measure, compared) };
    let estimate: ChangeEstimate | undefined = whole;
    for (let after = ordered; estimate !== undefined && estimate.difference > 0; ) {
      if (after.length < MIN_PERIODS) return { ...whole, isSteady: false };
      const thirds = thirdsOf(after);
      const [first = 0, middle = 0, last = 0] = thirds.map((third) =>
        differenceOf(whole.measure, before, sideOfPeriods(third)),
      );
      if (last >= STILL * first) {
        const mean = (first + middle + last) / 3;
        return Math.min(first, middle, last) < MIN_THIRD * mean ? { ...estimate, isSteady: false } : estimate;
      }
      after = thirds.slice(1).flat();
      estimate = estimateChange(whole.measure, before, sideOfPeriods(after), withDrift);
    }
    return estimate ?? { ...whole, isSteady: false };
  });
}

/** Whether each third of the time before was worse: that an incident is over makes no version better. */
function lasted(measure: ChangeMeasure, { before, after }: ComparedPeriods): boolean {
  if (before.length < MIN_PERIODS) return false;
  const ordered = [...before].sort((one, other) => one.startedAt - other.startedAt);
  const now = sideOfPeriods(after);
  const excess = thirdsOf(ordered).map((third) => -differenceOf(measure, sideOfPeriods(third), now));
  return Math.min(...excess) >= (MIN_THIRD * excess.reduce((sum, one) => sum + one, 0)) / excess.length;
}

/**
 * Three parts of at least a period, each with about an equal share of the executions that the parts before it leave: the
 * first may be hours that were merged.
 */
function thirdsOf(periods: readonly OperationPeriod[]): OperationPeriod[][] {
  let left = periods.reduce((sum, { side }) => sum + side.count, 0);
  let from = 0;
  return [3, 2, 1].map((parts) => {
    const share = left / parts;
    const limit = periods.length - (parts - 1);
    let [to, count] = [from, 0];
    for (; to < limit; to++) {
      const next = (periods[to] as OperationPeriod).side.count;
      if (parts > 1 && to > from && count + next / 2 >= share) break;
      count += next;
    }
    const third = periods.slice(from, to);
    left -= count;
    from = to;
    return third;
  });
}

/** In the unit of the samples, logarithms included: only shares of each other are needed. */
function differenceOf(measure: ChangeMeasure, before: OperationSide, after: OperationSide): number {
  if (measure === 'errors') return after.errors / after.count - before.errors / before.count;
  return (after[measure]?.mean ?? Number.NaN) - (before[measure]?.mean ?? Number.NaN);
}
