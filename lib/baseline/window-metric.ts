import type { OperationWindow } from '../statistics/operation-window.js';

/**
 * The figures of a window that are compared. Latencies are logarithms of milliseconds, so that a difference is a ratio:
 * their mean, then the logarithms of their mean, median, p90 and p99. The median alone misses the slow mode of a bimodal
 * operation; outliers dominate the mean. `over_p99` and `error_rate` are shares of 0 to 1, `queries` is the number of
 * statements per operation.
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

/** The index of a metric in {@link WINDOW_METRICS}. */
export const METRIC_INDEX = Object.fromEntries(
  WINDOW_METRICS.map((metric, index) => [metric, index]),
) as Readonly<Record<WindowMetric, number>>;

/** The lower bound of a latency, 1 µs, since the logarithm of 0 is infinite. */
const MIN_MS = 0.001;

/** The metrics of a window in the order of {@link WINDOW_METRICS}; NaN for one that is unknown. */
export function metricsOf(window: OperationWindow): readonly number[] {
  const { count } = window;
  return [
    window.meanLog,
    logOf(window.meanMs),
    logOf(window.p50Ms),
    logOf(window.p90Ms),
    logOf(window.p99Ms),
    window.overP99 / count,
    window.errors / count,
    window.queries,
  ];
}

function logOf(ms: number): number {
  return Math.log(Math.max(MIN_MS, ms));
}
