import { SegmentSums } from './change-point-segments.js';

/** Where one series, the values of which are equally far apart, changes. */
export interface ChangePoint {
  /** The index of the first value after the change. */
  readonly index: number;
  /** The fitted values just before and just after it. Equal where only the slope changed. */
  readonly before: number;
  readonly after: number;
  /** `after` as a share more than `before`. */
  readonly change: number;
}

export interface ChangePointOptions {
  /** The fewest values of a segment, 2 or more. Default 4. */
  readonly minSegment?: number;
  /** Changes that are less, as a share of what was before, are left out. Default 0: kinks are changes, too. */
  readonly minEffect?: number;
}

/** It takes n^2 / 2 fits: some tens of milliseconds for so many values. */
const MOST_VALUES = 4000;
/** However much neighbours depend on one another, a value tells at least a twelfth of an independent one. */
const MOST_CORRELATION = 0.85;

/**
 * Divides a series into segments, each of which is a level or a line with noise: those of the least cost, that is the
 * Bayesian information criterion (Schwarz 1978) with a place and the parameters for each segment, found exactly by optimal
 * partitioning (Jackson et al. 2005). A series whose neighbours depend on one another tells less than its length says, so
 * it counts for as many values as would be independent; the correlation is that around one line through all of it, which
 * is too high rather than too low where there are steps.
 * @param values finite numbers, at most 4,000
 * @throws RangeError for others
 */
export function changePoints(
  values: readonly number[],
  { minSegment = 4, minEffect = 0 }: ChangePointOptions = {},
): ChangePoint[] {
  if (values.length > MOST_VALUES)
    throw new RangeError(`values has ${values.length} numbers: at most ${MOST_VALUES} are allowed`);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new RangeError(`values[${wrong}] is ${values[wrong]}: finite numbers are allowed`);
  if (!(Number.isInteger(minSegment) && minSegment >= 2))
    throw new RangeError(`minSegment is ${minSegment}: a whole number of 2 or more is allowed`);
  if (!(minEffect >= 0)) throw new RangeError(`minEffect is ${minEffect}: a share of 0 or more is allowed`);
  const segments = new SegmentSums(values);
  const rho = Math.min(MOST_CORRELATION, segments.correlation());
  const starts = partition(segments, minSegment, (1 - rho) / (1 + rho));
  return starts
    .map((index, place): ChangePoint => {
      const before = segments.fittedAt(starts[place - 1] ?? 0, index, index - 1);
      const after = segments.fittedAt(index, starts[place + 1] ?? values.length, index);
      return { index, before, after, change: (after - before) / Math.abs(before) };
    })
    .filter(({ change }) => minEffect === 0 || Math.abs(change) >= minEffect);
}

/** The beginnings of all segments but the first, in order. */
function partition(segments: SegmentSums, minSegment: number, share: number): number[] {
  const n = segments.length;
  const perPlace = Math.log(Math.max(n, 2));
  const costs = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
  const begins = new Int32Array(n + 1);
  costs[0] = 0;
  for (let end = minSegment; end <= n; end++) {
    for (let begin = 0; begin <= end - minSegment; begin++) {
      const cost = (costs[begin] as number) + segments.cost(begin, end, share) + (begin > 0 ? perPlace : 0);
      if (cost < (costs[end] as number)) {
        costs[end] = cost;
        begins[end] = begin;
      }
    }
  }
  const starts: number[] = [];
  for (let at = begins[n] as number; at > 0; at = begins[at] as number) starts.unshift(at);
  return starts;
}
