import { addValue, decayMoments, MOMENTS, mergeMoments } from '../inference/moments.js';
import { METRIC_INDEX, WINDOW_METRICS, type WindowMetric } from './window-metric.js';

const WEIGHT = 0;
const MEAN = 1;
const SQUARES = 2;

/** Weight, mean and variance of each {@link WindowMetric} over windows. */
export class MetricMoments {
  /** Per metric: weight, mean and sum of squared deviations. */
  readonly numbers = new Float32Array(WINDOW_METRICS.length * MOMENTS);

  /** @param values in the order of {@link WINDOW_METRICS}; NaN is left out */
  add(values: readonly number[], weight: number): void {
    values.forEach((value, metric) => {
      if (!Number.isNaN(value)) addValue(this.numbers, metric * MOMENTS, value, weight);
    });
  }

  decay(factor: number): void {
    for (let at = 0; at < this.numbers.length; at += MOMENTS) decayMoments(this.numbers, at, factor);
  }

  merge(other: MetricMoments): void {
    for (let at = 0; at < this.numbers.length; at += MOMENTS) mergeMoments(this.numbers, other.numbers, at);
  }

  weight(metric: WindowMetric): number {
    return this.at(metric, WEIGHT);
  }

  /** 0 without any weight. */
  mean(metric: WindowMetric): number {
    return this.at(metric, MEAN);
  }

  /** NaN without any weight. */
  variance(metric: WindowMetric): number {
    return this.at(metric, SQUARES) / this.at(metric, WEIGHT);
  }

  /** The numbers that cannot be negative. */
  get nonNegative(): number[] {
    return WINDOW_METRICS.flatMap((metric) => [this.at(metric, WEIGHT), this.at(metric, SQUARES)]);
  }

  private at(metric: WindowMetric, moment: number): number {
    return this.numbers[METRIC_INDEX[metric] * MOMENTS + moment] as number;
  }
}
