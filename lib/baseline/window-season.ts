import { METRIC_INDEX, type WindowMetric } from './window-metric.js';

const HOUR_MS = 3_600_000;
const HOURS = 24;
/**
 * What has a season of its own. The median goes with the mean of the logarithms; p90 and p99 with the mean, which is
 * steadier than they are.
 */
const SEASONAL = ['mean_log', 'mean', 'over_p99'] as const;
const SEASON_OF: Readonly<Record<WindowMetric, number>> = {
  mean_log: 0,
  p50: 0,
  mean: 1,
  p90: 1,
  p99: 1,
  over_p99: 2,
  error_rate: -1,
  queries: -1,
};
// `numbers`: the weights of the hours for latencies, those for `over_p99`, then the means of each season.
const WEIGHTS = [0, 0, HOURS] as const;
const MEANS = 2 * HOURS;
/** How many numbers a season is. */
export const SEASON_NUMBERS = MEANS + SEASONAL.length * HOURS;
/**
 * The windows that an hour must have before half of what it shows is believed. As many of a spread of 10 %, each of which
 * depends on the one before, are about as sure as that an hour differs from the day by 10 %.
 */
const SHRINKAGE = 4;

/** A season as one: its mean, the variance between its hours, and how many hours have been seen. */
export interface SeasonSummary {
  readonly whole: number;
  readonly variance: number;
  readonly hours: number;
}
const NO_SEASON: SeasonSummary = { whole: 0, variance: 0, hours: 1 };

/** How the hours of a day (UTC) differ. */
export class WindowSeason {
  readonly numbers = new Float32Array(SEASON_NUMBERS);
  private summaries: (SeasonSummary | undefined)[] = [];

  add(values: Float64Array, at: number, weight: number): void {
    const hour = Math.floor(at / HOUR_MS) % HOURS;
    this.addWeight(hour, weight, [
      values[METRIC_INDEX.mean_log] as number,
      values[METRIC_INDEX.mean] as number,
    ]);
    const share = values[METRIC_INDEX.over_p99] as number;
    if (!Number.isNaN(share)) this.addWeight(HOURS + hour, weight, [share]);
  }

  merge({ numbers: other }: WindowSeason): void {
    for (let hour = 0; hour < HOURS; hour++) {
      const mean = (season: number): number => other[MEANS + season * HOURS + hour] as number;
      if ((other[hour] as number) > 0) this.addWeight(hour, other[hour] as number, [mean(0), mean(1)]);
      if ((other[HOURS + hour] as number) > 0)
        this.addWeight(HOURS + hour, other[HOURS + hour] as number, [mean(2)]);
    }
  }

  decay(factor: number): void {
    this.summaries.length = 0;
    for (let index = 0; index < MEANS; index++) (this.numbers[index] as number) *= factor;
  }

  /** How far a metric is above what it is on the whole, at this moment; between the middles of two hours, between them. */
  shift(metric: WindowMetric, at: number): number {
    const season = SEASON_OF[metric];
    if (season < 0) return 0;
    const { whole } = this.summaryOf(season);
    if (Number.isNaN(whole)) return 0;
    const place = at / HOUR_MS + HOURS - 0.5;
    const before = Math.floor(place);
    const share = place - before;
    return (
      (1 - share) * this.ofHour(season, whole, before % HOURS) +
      share * this.ofHour(season, whole, (before + 1) % HOURS)
    );
  }

  /** The share of what an hour may differ by that is not known yet: 1 to 0; 0 for a metric without a season. */
  unknown(metric: WindowMetric, at: number): number {
    const season = SEASON_OF[metric];
    if (season < 0) return 0;
    return SHRINKAGE / (this.weightOf(season, Math.floor(at / HOUR_MS) % HOURS) + SHRINKAGE);
  }

  /** The variance that the hours explain, and how many hours have been seen. */
  explained(metric: WindowMetric): SeasonSummary {
    const season = SEASON_OF[metric];
    return season < 0 ? NO_SEASON : this.summaryOf(season);
  }

  private addWeight(index: number, weight: number, values: readonly number[]): void {
    const total = (this.numbers[index] as number) + weight;
    if (!(total > 0)) return;
    this.numbers[index] = total;
    this.summaries.length = 0;
    const first = index < HOURS ? MEANS + index : MEANS + 2 * HOURS + (index - HOURS);
    for (let season = 0; season < values.length; season++) {
      const at = first + season * HOURS;
      const mean = this.numbers[at] as number;
      this.numbers[at] = mean + (((values[season] as number) - mean) * weight) / total;
    }
  }

  private summaryOf(season: number): SeasonSummary {
    const known = this.summaries[season];
    if (known !== undefined) return known;
    let weights = 0;
    let sum = 0;
    let squares = 0;
    let hours = 0;
    for (let hour = 0; hour < HOURS; hour++) {
      const weight = this.weightOf(season, hour);
      if (!(weight > 0)) continue;
      const mean = this.meanAt(season, hour);
      weights += weight;
      sum += weight * mean;
      hours++;
    }
    const whole = sum / weights;
    for (let hour = 0; hour < HOURS; hour++)
      squares += this.weightOf(season, hour) * (this.meanAt(season, hour) - whole) ** 2;
    const summary = { whole, variance: weights > 0 ? squares / weights : 0, hours };
    this.summaries[season] = summary;
    return summary;
  }

  private ofHour(season: number, whole: number, hour: number): number {
    const weight = this.weightOf(season, hour);
    return weight > 0 ? ((this.meanAt(season, hour) - whole) * weight) / (weight + SHRINKAGE) : 0;
  }

  private weightOf(season: number, hour: number): number {
    return this.numbers[(WEIGHTS[season] as number) + hour] as number;
  }

  private meanAt(season: number, hour: number): number {
    return this.numbers[MEANS + season * HOURS + hour] as number;
  }
}
