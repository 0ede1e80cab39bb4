import type { OperationWindow } from '../statistics/operation-window.js';
import type { WindowMetric } from './window-metric.js';
import { middleOf, type WindowModel } from './window-model.js';

/** In standard deviations. */
const MAX_DEVIATION = 4;
/** A model of fewer windows does not know what is extreme. */
const MIN_WINDOWS = 20;

/**
 * The window as it is learned: a burst of errors or one very slow minute changes neither the level nor the spread by more
 * than four standard deviations do.
 */
export function withoutExtremes(window: OperationWindow, model: WindowModel): OperationWindow {
  if (model.weight < MIN_WINDOWS) return window;
  const at = middleOf(window);
  const capped = (metric: WindowMetric, value: number): number => {
    const expected = model.expectation(metric, at);
    const reach = MAX_DEVIATION * model.spreadAt(metric, window.count);
    return reach >= 0 ? Math.max(expected - reach, Math.min(expected + reach, value)) : value;
  };
  const latency = (metric: WindowMetric, ms: number): number => Math.exp(capped(metric, Math.log(ms)));
  const { count } = window;
  return {
    ...window,
    errors: count * capped('error_rate', window.errors / count),
    overP99: count * capped('over_p99', window.overP99 / count),
    meanMs: latency('mean', window.meanMs),
    meanLog: capped('mean_log', window.meanLog),
    p50Ms: latency('p50', window.p50Ms),
    p90Ms: latency('p90', window.p90Ms),
    p99Ms: latency('p99', window.p99Ms),
    queries: capped('queries', window.queries),
  };
}
