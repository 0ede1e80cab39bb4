import { rateRatioUpper } from '../inference/rate-ratio.js';
import { studentUpper } from '../inference/student-t.js';
import type { WindowMetric } from './window-metric.js';
import type { WindowModel } from './window-model.js';
import { RING_WINDOWS, type WindowRing } from './window-ring.js';

/** Where a beginning is looked for, the model counts for as many windows before it, beside those that are still there. */
const MODEL_WINDOWS = 12;
/** Where shares are compared. */
const MODEL_WINDOWS_OF_SHARES = 300;
/** The noise that so many windows still have in common is taken for the level that the operation just has. */
const LASTING_WINDOWS = 32;
/** How certain the spread that a model has is at least, in windows. */
const SPREAD_WINDOWS = 30;
/**
 * Standardised residuals are cut off here, so that a few windows alone cannot make a change. The means of the logarithms and
 * of the statements are nearly normal; the others are not: the median of a bimodal operation jumps.
 */
const MOST = 3;
const MOST_OF_MEANS = 6;
/** What the mean of many windows may be off where nothing changed, as the standard deviation of a logarithm. */
const SYSTEMATIC = 0.005;
/** How much an hour may differ from the day, and from the hour before, before that has been seen. */
const UNSEEN = 0.1;
const UNSEEN_PER_HOUR = 0.04;
/**
 * By what share the variance of a mean is taken to be greater where its noise lasts and lasts: what was seen of it in the
 * past does not tell how far it goes at the most.
 */
const LASTING_CAUTION = 0.7;
/** The windows that a change must have lasted. */
export const MIN_WINDOWS = 2;
const HOUR_MS = 3_600_000;

const residuals = new Float64Array(RING_WINDOWS);
const sums = new Float64Array(RING_WINDOWS + 1);
const ns = new Float64Array(RING_WINDOWS + 1);

/** How the windows since a moment differ from those before and from the model. */
export interface Comparison {
  readonly split: number;
  /** In the unit of the metric. */
  readonly difference: number;
  readonly standardError: number;
  readonly pValue: number;
  /** What was expected of the windows since, and what they were. */
  readonly before: number;
  readonly now: number;
  readonly windows: number;
  readonly count: number;
}

/** How far a value is from what is expected, in standard deviations; NaN where it is not known. */
export function deviationOf(
  model: WindowModel,
  metric: WindowMetric,
  value: number,
  at: number,
  count: number,
): number {
  return (value - model.expectation(metric, at)) / model.spreadAt(metric, count);
}

/** The beginning of the change that fits the windows best, among those that leave {@link MIN_WINDOWS}; -1 for none. */
export function bestSplit(ring: WindowRing, model: WindowModel, metric: WindowMetric): number {
  const { first, end } = ring;
  fill(ring, model, metric);
  let best = 0;
  let split = -1;
  for (let at = first; at <= end - MIN_WINDOWS; at++) {
    const [n, mean] = since(at - first, end - first);
    const [earlier, level] = until(at - first);
    const gain = (mean - level) / Math.sqrt(1 / n + 1 / earlier);
    if (n >= MIN_WINDOWS && gain > best) {
      best = gain;
      split = at;
    }
  }
  return split;
}

/**
 * Compares the windows from `split` on with what the model expects of them. How far their mean may be off, the model has
 * seen; of how far those before them were off, the part that usually lasts is expected to last.
 */
export function compareLevels(
  ring: WindowRing,
  model: WindowModel,
  metric: WindowMetric,
  split: number,
): Comparison | undefined {
  const { first, end } = ring;
  fill(ring, model, metric);
  const [n, mean] = since(split - first, end - first);
  if (n < MIN_WINDOWS) return undefined;
  const level = lastingLevel(model, metric, split - first);
  const spread = model.spread(metric);
  const log = metric !== 'queries';
  const variance =
    scatter(split - first, end - first, mean, level) * cautious(model.varianceOfMean(n, metric), n);
  const other = log ? (SYSTEMATIC ** 2 + unseen(ring, model, metric, split) ** 2) / spread ** 2 : 0;
  const error = Math.sqrt(variance + other);
  const raw = rawLevel(ring, model, metric, split);
  return {
    split,
    difference: raw.difference - level * spread,
    standardError: error * spread,
    pValue: studentUpper((mean - level) / error, model.degreesOfMean(n)),
    before: raw.expected + level * spread,
    now: raw.expected + raw.difference,
    windows: n,
    count: raw.count,
  };
}

/** Compares shares by how often, not by windows: exact for rare ones, with an allowance for how much windows differ. */
export function compareShares(
  ring: WindowRing,
  model: WindowModel,
  metric: 'over_p99' | 'error_rate',
  split: number,
): Comparison | undefined {
  const { first, end } = ring;
  let [hits, count, windows, earlierHits, earlier, expected] = [0, 0, 0, 0, 0, 0];
  for (let at = first; at < end; at++) {
    const share = ring.value(at, metric);
    if (Number.isNaN(share)) continue;
    const n = ring.count(at);
    const normal = leastShare(model.expectation(metric, ring.middle(at)));
    if (at < split) {
      earlierHits += share * n;
      earlier += n;
    } else {
      hits += share * n;
      count += n;
      expected += normal * n;
      windows++;
    }
  }
  if (windows < MIN_WINDOWS || !(expected > 0)) return undefined;
  const normal = (expected / count) * (metric === 'over_p99' ? tailFactor(ring, model, split) : 1);
  const modelCount = (Math.min(MODEL_WINDOWS_OF_SHARES, model.weightOf(metric)) * count) / windows;
  const before = (earlierHits + normal * modelCount) / (earlier + modelCount);
  const now = hits / count;
  const lasting = windows * model.varianceOfMean(windows);
  const dispersion = 1 + (model.dispersion(metric) - 1) * lasting;
  return {
    split,
    difference: now - before,
    standardError: Math.sqrt(
      dispersion * ((now * (1 - now)) / count + (before * (1 - before)) / (earlier + modelCount)),
    ),
    pValue: rateRatioUpper(
      hits / dispersion,
      count,
      (earlierHits + normal * modelCount) / dispersion,
      earlier + modelCount,
    ),
    before,
    now,
    windows,
    count,
  };
}

/** The level of latencies rose, or may do so at this hour: then more of them are over the p99, and the tail is as it was. */
function tailFactor(ring: WindowRing, model: WindowModel, split: number): number {
  const { difference } = rawLevel(ring, model, 'mean_log', split);
  return model.tailFactor(difference + unseen(ring, model, 'over_p99', split));
}

/** A share that was never seen may yet happen. */
export function leastShare(share: number): number {
  return Math.max(share, 0.0005);
}

/** Writes the standardised residuals of the ring and their sums. */
function fill(ring: WindowRing, model: WindowModel, metric: WindowMetric): void {
  const { first, end } = ring;
  const most = metric === 'mean_log' || metric === 'queries' ? MOST_OF_MEANS : MOST;
  const spread = model.spread(metric);
  sums[0] = ns[0] = 0;
  for (let at = first; at < end; at++) {
    const difference = ring.value(at, metric) - model.expectation(metric, ring.middle(at));
    const raw = difference / (spread * model.spreadFactor(ring.count(at)));
    const known = !Number.isNaN(raw);
    const value = known ? Math.max(-most, Math.min(most, raw)) : 0;
    residuals[at - first] = known ? value : Number.NaN;
    sums[at - first + 1] = (sums[at - first] as number) + value;
    ns[at - first + 1] = (ns[at - first] as number) + (known ? 1 : 0);
  }
}

function since(from: number, to: number): [n: number, mean: number] {
  const n = (ns[to] as number) - (ns[from] as number);
  return [n, ((sums[to] as number) - (sums[from] as number)) / n];
}

function until(to: number): [n: number, mean: number] {
  const n = (ns[to] as number) + MODEL_WINDOWS;
  return [n, (sums[to] as number) / n];
}

/** The variance of the mean of `n` windows, greater where their noise lasts: fewer values that are independent are behind it. */
function cautious(variance: number, n: number): number {
  return variance * (1 + LASTING_CAUTION * (1 - 1 / Math.max(1, n * variance)));
}

/** How far the windows before `to` were off, as far as it lasts. */
function lastingLevel(model: WindowModel, metric: WindowMetric, to: number): number {
  const n = ns[to] as number;
  if (n === 0) return 0;
  // Were windows independent, their mean would still differ, and nothing of it would last.
  const apart = model.varianceOfMean(1, metric) / LASTING_WINDOWS;
  const lasting = Math.max(0, model.varianceOfMean(LASTING_WINDOWS, metric) - apart);
  const share = Math.min(1, lasting / model.varianceOfMean(n, metric));
  return (share * (sums[to] as number)) / n;
}

/**
 * The variance of the residuals around their two levels; never below what the model has, and no more above it than is
 * beyond its own standard error.
 */
function scatter(split: number, end: number, mean: number, level: number): number {
  let squares = 0;
  let n = 0;
  for (let at = 0; at < end; at++) {
    const value = residuals[at] as number;
    if (Number.isNaN(value)) continue;
    squares += (value - (at < split ? level : mean)) ** 2;
    n++;
  }
  const variance = (SPREAD_WINDOWS + squares) / (SPREAD_WINDOWS + n - 2);
  return Math.max(1, variance - Math.sqrt(2 * n) / (SPREAD_WINDOWS + n));
}

/**
 * How much the season may differ between the windows before and since, as far as it is not known. What is known of it may
 * be off, too: that is in the variance that the model has seen.
 */
function unseen(ring: WindowRing, model: WindowModel, metric: WindowMetric, split: number): number {
  const { first, end } = ring;
  const unknown = model.unknownSeason(ring.middle(end - 1), metric);
  if (split - first < MODEL_WINDOWS) return UNSEEN * unknown;
  const hours = (ring.endedAt(end - 1) - ring.startedAt(first)) / 2 / HOUR_MS;
  return Math.min(UNSEEN, UNSEEN_PER_HOUR * (hours + 0.5)) * unknown;
}

/** The mean difference from what is expected since `split`, where what is far from the middle one counts less. */
function rawLevel(
  ring: WindowRing,
  model: WindowModel,
  metric: WindowMetric,
  split: number,
): { difference: number; expected: number; count: number } {
  const differences: number[] = [];
  let expected = 0;
  let count = 0;
  for (let at = split; at < ring.end; at++) {
    const value = ring.value(at, metric);
    if (Number.isNaN(value)) continue;
    const normal = model.expectation(metric, ring.middle(at));
    differences.push(value - normal);
    expected += normal;
    count += ring.count(at);
  }
  const sorted = differences.sort((a, b) => a - b);
  const middle = sorted[sorted.length >> 1] as number;
  const reach = 3 * model.spread(metric);
  let sum = 0;
  for (const value of sorted) sum += Math.max(middle - reach, Math.min(middle + reach, value));
  return { difference: sum / sorted.length, expected: expected / sorted.length, count };
}
