import type { MergedBaseline } from '../baseline/baseline-merge.js';
import type { WindowMoments } from '../baseline/compare-baselines.js';
import type { RegressionMetric } from '../baseline/regression.js';
import type { WindowMetric } from '../baseline/window-metric.js';
import { WindowModel } from '../baseline/window-model.js';

const HOUR_MS = 3_600_000;
const HOURS = 24;
/**
 * How much a whole day's latencies are taken to differ from another day's where nothing changed, as a standard deviation of
 * logarithms: of neighbouring windows, which are of one day or of one load test, that cannot be learned.
 */
const DAY_NOISE: Partial<Record<RegressionMetric, number>> = { latency: 0.06, tail_latency: 0.1 };

/** The longest stretch of windows that a model knows the noise of. */
const BLOCK = 32;
/** Of what is compared, what windows know. */
const METRICS = [
  ['latency', 'mean_log'],
  ['tail_latency', 'p99'],
  ['error_rate', 'error_rate'],
  ['queries', 'queries'],
] as const satisfies readonly (readonly [RegressionMetric, WindowMetric])[];

/** For how many days the shorter of two baselines was learned: at least one. */
export function daysOf(one: MergedBaseline, other: MergedBaseline): number {
  const span = ({ startedAt, savedAt }: MergedBaseline): number => (savedAt - startedAt) / (HOURS * HOUR_MS);
  return Math.max(1, Math.min(span(one), span(other)));
}

/**
 * Reads how the windows of an operation are spread: their mean over the hours of a day, and a variance that makes Welch's
 * test right of windows that depend on one another. `n` is the number of independent windows that would tell as much.
 * @param days for how long they were learned
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

/** How many independent windows tell as much about the mean: beyond a block, blocks are; {@link DAY_NOISE} is of days. */
function independentOf(model: WindowModel, windows: number): number {
  return Math.max(1, windows / BLOCK) / model.varianceOfMean(Math.min(windows, BLOCK));
}

/** The mean over the hours: one side may have served more by day. */
function meanOf(model: WindowModel, metric: WindowMetric): number {
  let sum = 0;
  for (let hour = 0; hour < HOURS; hour++) sum += model.expectation(metric, (hour + 0.5) * HOUR_MS);
  return sum / HOURS;
}
