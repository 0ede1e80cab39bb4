import { type OperationWindow, PARTS } from '../statistics/operation-window.js';
import { METRIC_INDEX, metricsOf, WINDOW_METRICS } from './window-metric.js';

/** A coarse window closes once it has both the minimal length and the minimal count, or the maximal length. */
const MIN_MS = 20 * 60_000;
const MIN_COUNT = 30;
const MAX_MS = 6 * 3_600_000;
/** Windows further apart than this do not belong together: after an outage, a new window begins. */
const MAX_GAP_MS = 3 * 3_600_000;

const METRICS = WINDOW_METRICS.length;

/**
 * Merges windows into coarse ones of 20 minutes or more, until they have 30 operations: they show lasting changes through
 * noise of minutes, and changes of operations with few requests. The percentiles of a coarse window are geometric means
 * of those of its windows.
 */
export class WindowMerger {
  /** The sums of the metrics and of the parts by operations, then the operations for which each metric and all parts are known. */
  private readonly sums = new Float64Array(2 * METRICS + PARTS.length + 1);
  private startedAt = 0;
  private endedAt = 0;
  private count = 0;

  /** @returns the coarse window that ends with this window, if one does */
  add(window: OperationWindow): OperationWindow | undefined {
    if (this.count > 0 && window.startedAt - this.endedAt > MAX_GAP_MS) this.clear();
    if (this.count === 0) this.startedAt = window.startedAt;
    this.endedAt = window.endedAt;
    this.count += window.count;
    this.addSums(window);
    const age = this.endedAt - this.startedAt;
    if (age < MIN_MS || (this.count < MIN_COUNT && age < MAX_MS)) return undefined;
    const merged = this.merged();
    this.clear();
    return merged;
  }

  /** Discards the windows since the last coarse one. */
  clear(): void {
    this.sums.fill(0);
    this.count = 0;
  }

  private addSums(window: OperationWindow): void {
    const { sums } = this;
    metricsOf(window).forEach((value, metric) => {
      if (Number.isNaN(value)) return;
      // Means of milliseconds, not of their logarithms, add up.
      (sums[metric] as number) += (metric === METRIC_INDEX.mean ? window.meanMs : value) * window.count;
      (sums[METRICS + metric] as number) += window.count;
    });
    if (window.partsMs === undefined) return;
    window.partsMs.forEach((ms, part) => {
      (sums[2 * METRICS + part] as number) += ms * window.count;
    });
    (sums[2 * METRICS + PARTS.length] as number) += window.count;
  }

  private merged(): OperationWindow {
    const { sums, startedAt, endedAt, count } = this;
    const mean = (metric: keyof typeof METRIC_INDEX): number =>
      (sums[METRIC_INDEX[metric]] as number) / (sums[METRICS + METRIC_INDEX[metric]] as number);
    const withParts = sums[2 * METRICS + PARTS.length] as number;
    return {
      startedAt,
      endedAt,
      count,
      errors: Math.round(mean('error_rate') * count),
      meanMs: mean('mean'),
      meanLog: mean('mean_log'),
      p50Ms: Math.exp(mean('p50')),
      p90Ms: Math.exp(mean('p90')),
      p99Ms: Math.exp(mean('p99')),
      overP99: mean('over_p99') * count,
      queries: mean('queries'),
      ...(withParts > 0
        ? { partsMs: PARTS.map((_, part) => (sums[2 * METRICS + part] as number) / withParts) }
        : {}),
    };
  }
}
