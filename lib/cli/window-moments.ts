import type { MergedBaseline } from '../baseline/baseline-merge.js';
import type { WindowMoments } from '../baseline/compare-baselines.js';
import type { RegressionMetric } from '../baseline/regression.js';
import type { WindowMetric } from '../baseline/window-metric.js';
import { WindowModel } from '../baseline/window-model.js';

const HOUR_MS = 3_600_000;
const HOURS = 24;
/**
 * The assumed variation of latency between days without a change, as a standard deviation of logarithms. It cannot be
 * learned from the windows of one day or one load test.
 */
const DAY_NOISE: Partial<Record<RegressionMetric, number>> = { latency: 0.06, tail_latency: 0.1 };

/** The maximum number of windows for which a model knows the autocorrelation. */
const BLOCK = 32;
/** The compared metrics that windows contain. */
const METRICS = [
  ['latency', 'mean_log'],
  ['tail_latency', 'p99'],
  ['error_rate', 'error_rate'],
  ['queries', 'queries'],
] as const satisfies readonly (readonly [RegressionMetric, WindowMetric])[];

/** The duration of the shorter baseline in days, at least one. */
export function daysOf(one: MergedBaseline, other: MergedBaseline): number {
  const span = ({ startedAt, savedAt }: MergedBaseline): number => (savedAt - startedAt) / (HOURS * HOUR_MS);
  return Math.max(1, Math.min(span(one), span(other)));
}

/**
 * Reads the distribution of an operation's windows: the mean over the hours of a day, and a variance that keeps Welch's
 * test valid for correlated windows. `n` is the effective sample size.
 * @param days the duration of the baseline in days
 */
export function modelReader(days: number): (bytes: Uint8Array) => WindowMoments {
  return (bytes) => {
    const model = WindowModel.fromBytes(bytes);
    const moments: WindowMoments = {};
    for (const [metric, of] of METRICS) {
      const windows = model.weightOf(of);
      if (!(windows >= 1)) continue;
      const n = independentOf(model, windows);
      const lasting = (DAY_NOISE[metric] ?? 0) ** 2 / days;
      moments[metric] = { n, mean: meanOf(model, of), variance: model.spread(of) ** 2 + lasting * n };
    }
    return moments;
  };
}

/** The effective sample size for the mean. Blocks count as independent; {@link DAY_NOISE} covers longer dependence. */
function independentOf(model: WindowModel, windows: number): number {
  return Math.max(1, windows / BLOCK) / model.varianceOfMean(Math.min(windows, BLOCK));
}

/** The mean over the hours of a day, so that different traffic patterns do not matter. */
function meanOf(model: WindowModel, metric: WindowMetric): number {
  let sum = 0;
  for (let hour = 0; hour < HOURS; hour++) sum += model.expectation(metric, (hour + 0.5) * HOUR_MS);
  return sum / HOURS;
}
