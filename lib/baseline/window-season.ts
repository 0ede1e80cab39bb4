import { METRIC_INDEX, type WindowMetric } from './window-metric.js';

const HOUR_MS = 3_600_000;
const HOURS = 24;

/** The metrics with a season of their own. */
const MEAN_LOG = 0;
const MEAN = 1;
const OVER_P99 = 2;
const SEASONS = 3;
const NO_SEASON = -1;
/** Which season a metric follows: the median that of the mean logarithm, p90 and p99 that of the mean, which is steadier. */
const SEASON_OF: Readonly<Record<WindowMetric, number>> = {
  mean_log: MEAN_LOG,
  p50: MEAN_LOG,
  mean: MEAN,
  p90: MEAN,
  p99: MEAN,
  over_p99: OVER_P99,
  error_rate: NO_SEASON,
  queries: NO_SEASON,
};

// The layout of `numbers`: the weights of the hours for latencies, those for `over_p99`, then the means of each season. A
// simple season has only those of the mean logarithm.
const LATENCY_WEIGHTS = 0;
const OVER_P99_WEIGHTS = HOURS;

/**
 * The number of windows of an hour at which half of its difference is believed. With a spread of 10 % between dependent
 * windows, that many are about as certain as a difference of 10 % between an hour and the day.
 */
const SHRINKAGE = 4;

/** A season over all hours: its mean, the variance between hours, and the number of hours with data. */
export interface SeasonSummary {
  readonly mean: number;
  readonly variance: number;
  readonly hours: number;
}
const CONSTANT: SeasonSummary = { mean: 0, variance: 0, hours: 1 };

/** The differences between the hours of a day (UTC). */
export class WindowSeason {
  readonly numbers: Float32Array;
  /** The index of the first mean, which is the number of weights. */
  private readonly means: number;
  private summaries: (SeasonSummary | undefined)[] = [];

  /** @param isSimple whether all latencies follow the season of the mean logarithm, and nothing else has a season */
  constructor(private readonly isSimple = false) {
    this.means = isSimple ? HOURS : 2 * HOURS;
    this.numbers = new Float32Array(this.means + (isSimple ? 1 : SEASONS) * HOURS);
  }

  /** @param values in the order of `WINDOW_METRICS` */
  add(values: readonly number[], at: number, weight: number): void {
    const hour = hourOf(at);
    const meanLog = values[METRIC_INDEX.mean_log] as number;
    const share = values[METRIC_INDEX.over_p99] as number;
    this.addLatencies(hour, weight, meanLog, values[METRIC_INDEX.mean] as number);
    if (!this.isSimple && !Number.isNaN(share)) this.addShare(hour, weight, share);
  }

  merge(other: WindowSeason): void {
    for (let hour = 0; hour < HOURS; hour++) {
      const weight = other.weightOf(MEAN_LOG, hour);
      if (weight > 0) this.addLatencies(hour, weight, other.meanOf(MEAN_LOG, hour), other.meanOf(MEAN, hour));
      if (this.isSimple) continue;
      const ofShare = other.weightOf(OVER_P99, hour);
      if (ofShare > 0) this.addShare(hour, ofShare, other.meanOf(OVER_P99, hour));
    }
  }

  decay(factor: number): void {
    this.summaries = [];
    for (let index = 0; index < this.means; index++) (this.numbers[index] as number) *= factor;
  }

  /** The difference of a metric at this moment from its daily mean, interpolated between the middles of two hours. */
  shift(metric: WindowMetric, at: number): number {
    const season = this.seasonOf(metric);
    if (season === NO_SEASON) return 0;
    const { mean } = this.summaryOf(season);
    if (Number.isNaN(mean)) return 0;
    const place = at / HOUR_MS + HOURS - 0.5;
    const before = Math.floor(place);
    const share = place - before;
    return (
      (1 - share) * this.differenceOf(season, mean, before % HOURS) +
      share * this.differenceOf(season, mean, (before + 1) % HOURS)
    );
  }

  /** How unknown the difference of the hour of `at` still is: 1 (unknown) to 0; 0 for a metric without a season. */
  unknown(metric: WindowMetric, at: number): number {
    const season = this.seasonOf(metric);
    if (season === NO_SEASON) return 0;
    return SHRINKAGE / (this.weightOf(season, hourOf(at)) + SHRINKAGE);
  }

  /** The variance that the hours explain, and the number of hours with data. */
  explained(metric: WindowMetric): SeasonSummary {
    const season = this.seasonOf(metric);
    return season === NO_SEASON ? CONSTANT : this.summaryOf(season);
  }

  /** All weights, which cannot be negative. */
  get weights(): Float32Array {
    return this.numbers.subarray(0, this.means);
  }

  private addLatencies(hour: number, weight: number, meanLog: number, mean: number): void {
    const share = this.addWeight(LATENCY_WEIGHTS + hour, weight);
    this.moveMean(MEAN_LOG, hour, share, meanLog);
    if (!this.isSimple) this.moveMean(MEAN, hour, share, mean);
  }

  private seasonOf(metric: WindowMetric): number {
    const season = SEASON_OF[metric];
    if (!this.isSimple || season === NO_SEASON) return season;
    return season === OVER_P99 ? NO_SEASON : MEAN_LOG;
  }

  private addShare(hour: number, weight: number, value: number): void {
    this.moveMean(OVER_P99, hour, this.addWeight(OVER_P99_WEIGHTS + hour, weight), value);
  }

  /** @returns the share of the new weight in the total */
  private addWeight(index: number, weight: number): number {
    const total = (this.numbers[index] as number) + weight;
    if (!(total > 0)) return 0;
    this.numbers[index] = total;
    this.summaries = [];
    return weight / total;
  }

  private moveMean(season: number, hour: number, share: number, value: number): void {
    const index = this.means + season * HOURS + hour;
    const mean = this.numbers[index] as number;
    if (share > 0) this.numbers[index] = mean + (value - mean) * share;
  }

  private summaryOf(season: number): SeasonSummary {
    this.summaries[season] ??= this.summarise(season);
    return this.summaries[season] as SeasonSummary;
  }

  private summarise(season: number): SeasonSummary {
    let [weights, sum, squares, hours] = [0, 0, 0, 0];
    for (let hour = 0; hour < HOURS; hour++) {
      const weight = this.weightOf(season, hour);
      if (!(weight > 0)) continue;
      weights += weight;
      sum += weight * this.meanOf(season, hour);
      hours++;
    }
    const mean = sum / weights;
    for (let hour = 0; hour < HOURS; hour++)
      squares += this.weightOf(season, hour) * (this.meanOf(season, hour) - mean) ** 2;
    return { mean, variance: weights > 0 ? squares / weights : 0, hours };
  }

  private differenceOf(season: number, mean: number, hour: number): number {
    const weight = this.weightOf(season, hour);
    return weight > 0 ? ((this.meanOf(season, hour) - mean) * weight) / (weight + SHRINKAGE) : 0;
  }

  private weightOf(season: number, hour: number): number {
    const weights = season === OVER_P99 ? OVER_P99_WEIGHTS : LATENCY_WEIGHTS;
    return this.numbers[weights + hour] as number;
  }

  private meanOf(season: number, hour: number): number {
    return this.numbers[this.means + season * HOURS + hour] as number;
  }
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) % HOURS;
}
