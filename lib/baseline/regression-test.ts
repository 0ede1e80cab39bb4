import { rateRatioUpper } from '../inference/rate-ratio.js';
import { studentUpper } from '../inference/student-t.js';
import type { WindowMetric } from './window-metric.js';
import type { WindowModel } from './window-model.js';
import type { WindowResiduals } from './window-residuals.js';
import type { WindowRing } from './window-ring.js';

/** The number of windows before the ring that the model counts as when the start of a change is searched. */
const MODEL_WINDOWS = 12;
/** The same for the comparison of shares. */
const MODEL_WINDOWS_OF_SHARES = 300;
/** Noise that this many windows have in common is taken as the current level of the operation. */
const LASTING_WINDOWS = 32;
/** The standard deviation of the mean of many unchanged windows, as a logarithm. */
const SYSTEMATIC_ERROR = 0.005;
/** The assumed difference of an unseen hour from the day, and from the hour before, as a logarithm. */
const UNSEEN_SEASON = 0.1;
const UNSEEN_SEASON_PER_HOUR = 0.04;
/** The allowance on the variance of a mean whose noise lasts: noise may last longer than it did in the past. */
const LASTING_NOISE_ALLOWANCE = 0.7;
/** The same for coarse windows, of which the model knows the noise of many hours. */
const COARSE_NOISE_ALLOWANCE = 0.3;
/** The number of windows that a change must have lasted. */
export const MIN_WINDOWS = 2;
/** The lower bound of an expected share: an event that was never seen may still happen. */
const MIN_SHARE = 0.0005;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The difference between the windows since a moment and what the earlier windows and the model lead to expect. */
export interface Comparison {
  /** The number of the first window of the change. */
  readonly split: number;
  /** In the unit of the metric. */
  readonly difference: number;
  /** The difference before the change, of which the rest is left out of `difference`: it is expected to last. */
  readonly lasting: number;
  readonly standardError: number;
  readonly pValue: number;
  /** The expected and the actual value of the windows since. */
  readonly before: number;
  readonly now: number;
  readonly windows: number;
  /** Operations in these windows. */
  readonly count: number;
}

/** The deviation of a value from its expectation, in standard deviations; NaN if unknown. */
export function deviationOf(
  model: WindowModel,
  metric: WindowMetric,
  value: number,
  at: number,
  count: number,
): number {
  return (value - model.expectation(metric, at)) / model.spreadAt(metric, count);
}

/** The start of the rise that fits the windows best and leaves {@link MIN_WINDOWS} after it; -1 for none. */
export function bestSplit(residuals: WindowResiduals): number {
  const { ring } = residuals;
  let best = 0;
  let split = -1;
  for (let at = ring.first; at <= ring.end - MIN_WINDOWS; at++) {
    const since = residuals.since(at);
    const before = residuals.before(at);
    const windowsBefore = before.n + MODEL_WINDOWS;
    const rise = since.sum / since.n - before.sum / windowsBefore;
    const gain = rise / Math.sqrt(1 / since.n + 1 / windowsBefore);
    if (since.n >= MIN_WINDOWS && gain > best) {
      best = gain;
      split = at;
    }
  }
  return split;
}

/**
 * Compares the windows from `split` on with the model. Its uncertainty is what the model has learned about the means of
 * neighbouring windows. If the windows before `split` deviated already, the lasting part of that deviation is expected to
 * go on.
 * @returns undefined for fewer than {@link MIN_WINDOWS}
 */
export function compareLevels(residuals: WindowResiduals, split: number): Comparison | undefined {
  const { ring, model, metric } = residuals;
  const { n, sum } = residuals.since(split);
  if (n < MIN_WINDOWS) return undefined;
  const mean = sum / n;
  const level = lastingLevel(residuals, split);
  const spread = model.spread(metric);
  const noise = residuals.variance(split, level, mean) * varianceWithAllowance(model, metric, n);
  const season = metric === 'queries' ? 0 : unseenSeason(ring, model, metric, split);
  const systematic = metric === 'queries' ? 0 : (SYSTEMATIC_ERROR ** 2 + season ** 2) / spread ** 2;
  const error = Math.sqrt(noise + systematic);
  const { difference, expected, count } = robustDifference(ring, model, metric, split);
  return {
    split,
    difference: difference - level * spread,
    lasting: level * spread,
    standardError: error * spread,
    pValue: studentUpper((mean - level) / error, model.degreesOfMean(n)),
    before: expected + level * spread,
    now: expected + difference,
    windows: n,
    count,
  };
}

/**
 * Compares shares by counts instead of windows: exact for rare events, with an allowance for the dispersion between windows.
 * @returns undefined for fewer than {@link MIN_WINDOWS}
 */
export function compareShares(
  ring: WindowRing,
  model: WindowModel,
  metric: 'over_p99' | 'error_rate',
  split: number,
): Comparison | undefined {
  const before = countEvents(ring, model, metric, ring.first, Math.min(split, ring.end));
  const since = countEvents(ring, model, metric, Math.max(split, ring.first), ring.end);
  const { windows, count, events } = since;
  if (windows < MIN_WINDOWS || !(since.expected > 0)) return undefined;
  const expected = (since.expected / count) * (metric === 'over_p99' ? tailFactor(ring, model, split) : 1);
  const modelCount = (Math.min(MODEL_WINDOWS_OF_SHARES, model.weightOf(metric)) * count) / windows;
  const eventsBefore = before.events + expected * modelCount;
  const countBefore = before.count + modelCount;
  const shareBefore = eventsBefore / countBefore;
  const share = events / count;
  const dispersion = 1 + (model.dispersion(metric) - 1) * windows * model.varianceOfMean(windows);
  return {
    split,
    difference: share - shareBefore,
    lasting: 0,
    standardError: Math.sqrt(
      dispersion * ((share * (1 - share)) / count + (shareBefore * (1 - shareBefore)) / countBefore),
    ),
    pValue: rateRatioUpper(events / dispersion, count, eventsBefore / dispersion, countBefore),
    before: shareBefore,
    now: share,
    windows,
    count,
  };
}

/** Actual and expected events of the windows `from` to before `to`. */
function countEvents(
  ring: WindowRing,
  model: WindowModel,
  metric: 'over_p99' | 'error_rate',
  from: number,
  to: number,
): { windows: number; count: number; events: number; expected: number } {
  let [windows, count, events, expected] = [0, 0, 0, 0];
  for (let at = from; at < to; at++) {
    const share = ring.value(at, metric);
    if (Number.isNaN(share)) continue;
    const operations = ring.count(at);
    windows++;
    count += operations;
    events += share * operations;
    expected += Math.max(MIN_SHARE, model.expectation(metric, ring.middle(at))) * operations;
  }
  return { windows, count, events, expected };
}

/** The growth of `over_p99` that the level of the latencies explains, including what it may be at this hour. */
function tailFactor(ring: WindowRing, model: WindowModel, split: number): number {
  const { difference } = robustDifference(ring, model, 'mean_log', split);
  return model.tailFactor(difference + unseenSeason(ring, model, 'over_p99', split));
}

/**
 * The variance of the mean of `n` windows, greater if their noise lasts, since fewer independent values are behind it. The
 * mean of windows whose noise is the same in all of them does not vary more than one window.
 */
function varianceWithAllowance(model: WindowModel, metric: WindowMetric, n: number): number {
  const variance = model.varianceOfMean(n, metric);
  const allowance = model.coarse === undefined ? COARSE_NOISE_ALLOWANCE : LASTING_NOISE_ALLOWANCE;
  const allowed = variance * (1 + allowance * (1 - 1 / Math.max(1, n * variance)));
  return Math.min(allowed, Math.max(variance, model.varianceOfMean(1, metric)));
}

/** The part of the deviation before `split` that is expected to last, in standard deviations. */
function lastingLevel(residuals: WindowResiduals, split: number): number {
  const { model, metric } = residuals;
  const { n, sum } = residuals.before(split);
  if (n === 0) return 0;
  // The mean of independent windows varies as well, and nothing of that lasts.
  const independent = model.varianceOfMean(1, metric) / LASTING_WINDOWS;
  const lasting = Math.max(0, model.varianceOfMean(LASTING_WINDOWS, metric) - independent);
  const share = Math.min(1, lasting / model.varianceOfMean(n, metric));
  return (share * sum) / n;
}

/**
 * The possible difference of the season between the windows before and since `split`, as far as it is unknown. The error of
 * the known part is in the variance that the model has learned. Over the hours of a day, a season averages out.
 */
function unseenSeason(ring: WindowRing, model: WindowModel, metric: WindowMetric, split: number): number {
  const { first, end } = ring;
  const unknown = model.unknownSeason(ring.middle(end - 1), metric) * unaveraged(ring, split);
  if (split - first < MODEL_WINDOWS) return UNSEEN_SEASON * unknown;
  const hours = (ring.endedAt(end - 1) - ring.startedAt(first)) / 2 / HOUR_MS;
  return Math.min(UNSEEN_SEASON, UNSEEN_SEASON_PER_HOUR * (hours + 0.5)) * unknown;
}

/** What the mean since `split` has of the amplitude of a daily wave: 1 for a short time, 0 for a day. */
function unaveraged(ring: WindowRing, split: number): number {
  const angle = Math.PI * Math.min(1, (ring.endedAt(ring.end - 1) - ring.startedAt(split)) / DAY_MS);
  return angle > 0 ? Math.sin(angle) / angle : 1;
}

/** The mean difference from the expectation since `split`, each difference capped at three spreads from their median. */
function robustDifference(
  ring: WindowRing,
  model: WindowModel,
  metric: WindowMetric,
  split: number,
): { difference: number; expected: number; count: number } {
  const differences: number[] = [];
  let [expected, count] = [0, 0];
  for (let at = split; at < ring.end; at++) {
    const value = ring.value(at, metric);
    if (Number.isNaN(value)) continue;
    const expectation = model.expectation(metric, ring.middle(at));
    differences.push(value - expectation);
    expected += expectation;
    count += ring.count(at);
  }
  const sorted = differences.sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] as number;
  const reach = 3 * model.spread(metric);
  let sum = 0;
  for (const value of sorted) sum += Math.max(median - reach, Math.min(median + reach, value));
  return { difference: sum / sorted.length, expected: expected / sorted.length, count };
}
