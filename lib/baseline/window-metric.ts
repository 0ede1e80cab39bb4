import type { OperationWindow } from '../statistics/operation-window.js';

/**
 * What is compared of a window. Latencies are logarithms of milliseconds, so that a difference is a ratio: their mean,
 * the logarithm of their mean, and of the median, p90 and p99. The median alone does not see the slow mode of a bimodal
 * operation, the mean alone drowns in outliers. `over_p99` and `error_rate` are shares of 0 to 1, `queries` statements per
 * operation.
 */
export const WINDOW_METRICS = [
  'mean_log',
  'mean',
  'p50',
  'p90',
  'p99',
  'over_p99',
  'error_rate',
  'queries',
] as const;
export type WindowMetric = (typeof WINDOW_METRICS)[number];

/** The place of a metric in {@link WINDOW_METRICS}. */
export const METRIC_INDEX = Object.fromEntries(
  WINDOW_METRICS.map((metric, index) => [metric, index]),
) as Readonly<Record<WindowMetric, number>>;

/** Latencies below it are taken for it: 1 µs. A logarithm needs a least value. */
const LEAST_MS = 0.001;

/** Writes the metrics of a window in the order of {@link WINDOW_METRICS}; NaN where one is not known. */
export function metricsOf(window: OperationWindow, into: Float64Array): void {
  const { count } = window;
  into[0] = window.meanLog;
  into[1] = logOf(window.meanMs);
  into[2] = logOf(window.p50Ms);
  into[3] = logOf(window.p90Ms);
  into[4] = logOf(window.p99Ms);
  into[5] = window.overP99 / count;
  into[6] = window.errors / count;
  into[7] = window.queries;
}

function logOf(ms: number): number {
  return Math.log(Math.max(LEAST_MS, ms));
}
