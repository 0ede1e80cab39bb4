import type { WindowMetric } from './window-metric.js';
import type { WindowModel } from './window-model.js';
import { RING_WINDOWS, type WindowRing } from './window-ring.js';

/**
 * Residuals are capped at this number of standard deviations, so that a few windows alone are not a change. The means of
 * logarithms and of statements are nearly normal. The other metrics are not: the median of a bimodal operation jumps.
 */
const MAX_RESIDUAL = 3;
const MAX_RESIDUAL_OF_MEANS = 15;
/** The weight of the model's spread beside the windows, in windows. */
const SPREAD_WINDOWS = 30;

/** The number and the sum of the residuals of consecutive windows. */
export interface ResidualSum {
  readonly n: number;
  readonly sum: number;
}

/** The deviations of a ring's windows from a model in one metric, in standard deviations. */
export class WindowResiduals {
  private readonly first: number;
  private readonly size: number;
  /** NaN for a window without the metric. */
  private readonly values = new Float64Array(RING_WINDOWS);
  /** The number and the sum of the residuals of the first i windows. */
  private readonly counts = new Float64Array(RING_WINDOWS + 1);
  private readonly sums = new Float64Array(RING_WINDOWS + 1);

  constructor(
    readonly ring: WindowRing,
    readonly model: WindowModel,
    readonly metric: WindowMetric,
  ) {
    this.first = ring.first;
    this.size = ring.end - ring.first;
    const max = metric === 'mean_log' || metric === 'queries' ? MAX_RESIDUAL_OF_MEANS : MAX_RESIDUAL;
    const spread = model.spread(metric);
    let n = 0;
    let sum = 0;
    for (let i = 0; i < this.size; i++) {
      const at = this.first + i;
      const difference = ring.value(at, metric) - model.expectation(metric, ring.middle(at));
      const residual = difference / (spread * model.spreadFactor(ring.count(at)));
      const value = Math.max(-max, Math.min(max, residual));
      if (!Number.isNaN(value)) {
        n++;
        sum += value;
      }
      this.values[i] = value;
      this.counts[i + 1] = n;
      this.sums[i + 1] = sum;
    }
  }

  /** The windows before number `split`. */
  before(split: number): ResidualSum {
    const index = split - this.first;
    return { n: this.counts[index] as number, sum: this.sums[index] as number };
  }

  /** The windows from number `split` on. */
  since(split: number): ResidualSum {
    const all = this.before(this.first + this.size);
    const before = this.before(split);
    return { n: all.n - before.n, sum: all.sum - before.sum };
  }

  /**
   * The variance of the residuals around a mean before `split` and another one since; at least that of the model, which is 1,
   * and above it only by as much as exceeds its own standard error.
   */
  variance(split: number, before: number, since: number): number {
    let n = 0;
    let squares = 0;
    for (let i = 0; i < this.size; i++) {
      const value = this.values[i] as number;
      if (Number.isNaN(value)) continue;
      squares += (value - (this.first + i < split ? before : since)) ** 2;
      n++;
    }
    const variance = (SPREAD_WINDOWS + squares) / (SPREAD_WINDOWS + n - 2);
    return Math.max(1, variance - Math.sqrt(2 * n) / (SPREAD_WINDOWS + n));
  }
}
