import { neighbourCorrelation } from '../inference/autocorrelation.js';
import { mannKendall } from '../inference/mann-kendall.js';
import { type Line, theilSen } from '../inference/theil-sen.js';
import { DecimatedSeries } from './decimated-series.js';
import { type Trend, wordsOfTrend } from './trend.js';
import { hourlyShifts, isStep } from './trend-shape.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A trend expires after this many periods without a point, and at least a day. */
const EXPIRY_PERIODS = 4;
/** Fewer points or a shorter time give no trend. */
const MIN_POINTS = 16;
const MIN_SPAN_MS = 3 * HOUR_MS;
/** From this time on, a daily season can be distinguished from a trend. */
const SEASON_SPAN_MS = 48 * HOUR_MS;
/** The first pass leaves part of the season, since its line is fitted with the season. */
const SEASON_PASSES = 2;
/** Before that, the growth must be greater by this factor, since it may be the rise of a day. */
const UNSEEN_SEASON_FACTOR = 2;
/** The second half must have at least this share of the whole slope: a series that has levelled off is not a trend. */
const STILL_RISING = 0.4;
/** The factor on the greatest p-value for a trend that was reported before. */
const KEEP_FACTOR = 100;
/** A forecast reaches at most this many times as far as the observed time. */
const MAX_FORECAST = 10;

export interface TrendOptions {
  /** The smallest growth over the whole time, relative to the first value. Default 0.15. */
  readonly minGrowth?: number;
  /** The greatest p-value. Default 1e-4. */
  readonly maxPValue?: number;
  /** The number of points kept, see `DecimatedSeries`. Default 96. */
  readonly capacity?: number;
}

/** Detects a slow rise over hours and days. Constant memory; evaluated only when a point of its series closes. */
export class TrendDetector {
  readonly series: DecimatedSeries;
  private found: Trend | undefined;
  private readonly minGrowth: number;
  private readonly maxPValue: number;

  constructor(
    readonly subject: Trend['subject'],
    readonly unit: Trend['unit'],
    { minGrowth = 0.15, maxPValue = 1e-4, capacity = 96 }: TrendOptions = {},
  ) {
    if (!(minGrowth > 0))
      throw new RangeError(`Invalid minGrowth: received ${minGrowth}, expected a number above 0`);
    if (!(maxPValue > 0 && maxPValue < 1))
      throw new RangeError(`Invalid maxPValue: received ${maxPValue}, expected a number between 0 and 1`);
    this.minGrowth = minGrowth;
    this.maxPValue = maxPValue;
    this.series = new DecimatedSeries(capacity);
  }

  /** The current trend, as of the last closed point. */
  get trend(): Trend | undefined {
    return this.found;
  }

  /** The current trend, unless its values have stopped. @param now milliseconds since 1970 */
  trendAt(now: number): Trend | undefined {
    const expiryMs = Math.max(DAY_MS, EXPIRY_PERIODS * this.series.period);
    return this.found !== undefined && now - this.found.to <= expiryMs ? this.found : undefined;
  }

  /**
   * Adds a value.
   * @param limit the threshold or limit to forecast, in the unit of the values
   * @returns whether the trend was evaluated again
   */
  add(at: number, value: number, weight = 1, limit?: number): boolean {
    if (!this.series.add(at, value, weight)) return false;
    this.found = this.evaluate(limit);
    return true;
  }

  /** Discards the series. */
  clear(): void {
    this.series.clear();
    this.found = undefined;
  }

  private evaluate(limit: number | undefined): Trend | undefined {
    const { times, values } = this.series.points();
    const n = times.length;
    const [from, to] = [times[0] ?? 0, times[n - 1] ?? 0];
    if (n < MIN_POINTS || to - from < MIN_SPAN_MS) return undefined;
    const hours = times.map((time) => (time - from) / HOUR_MS);
    // The tests below are expensive: most series end here.
    if (!this.mayRise(values)) return undefined;
    const hasSeason = to - from >= SEASON_SPAN_MS;
    for (let pass = 0; hasSeason && pass < SEASON_PASSES; pass++)
      subtract(values, hourlyShifts(times, residualsOf(hours, values, theilSen(hours, values))));
    const line = theilSen(hours, values);
    if (line === undefined) return undefined;
    const residuals = residualsOf(hours, values, line);
    const rho = neighbourCorrelation(residuals);
    const inflation = (1 + rho) / (1 - rho);
    const first = line.intercept;
    const last = line.intercept + (line.slope * (to - from)) / HOUR_MS;
    const needed = this.minGrowth * (hasSeason ? 1 : UNSEEN_SEASON_FACTOR) * Math.abs(first);
    if (!(last - first >= needed && last > first)) return undefined;
    const { pValue } = mannKendall(values, inflation);
    // A reported trend stays until it is clearly gone. Merging points reduces their number, and with it the certainty.
    const maxPValue = this.maxPValue * (this.found === undefined ? 1 : KEEP_FACTOR);
    if (pValue > maxPValue || isStep(hours, values, line) || !isStillRising(hours, values, line))
      return undefined;
    const interval = theilSen(hours, values, inflation)?.interval ?? line.interval;
    const reachedAt = limit === undefined ? Number.NaN : to + ((limit - last) / line.slope) * HOUR_MS;
    const isAhead = limit !== undefined && limit > last && reachedAt - to <= MAX_FORECAST * (to - from);
    const trend = {
      subject: this.subject,
      unit: this.unit,
      from,
      to,
      first,
      last,
      slopePerHour: line.slope,
      interval,
      pValue,
      ...(isAhead ? { forecast: { limit, reachedAt } } : {}),
    };
    return { ...trend, explanation: wordsOfTrend(trend) };
  }

  private mayRise(values: Float64Array): boolean {
    const third = Math.floor(values.length / 3);
    const mean = (part: Float64Array): number => part.reduce((sum, value) => sum + value, 0) / part.length;
    const before = mean(values.subarray(0, third));
    return mean(values.subarray(-third)) - before > (this.minGrowth / 3) * Math.abs(before);
  }
}

function residualsOf(hours: Float64Array, values: Float64Array, line: Line | undefined): Float64Array {
  const { slope, intercept } = line ?? { slope: 0, intercept: 0 };
  return values.map((value, i) => value - intercept - slope * (hours[i] as number));
}

function subtract(values: Float64Array, shifts: Float64Array): void {
  for (let i = 0; i < values.length; i++) (values[i] as number) -= shifts[i] as number;
}

function isStillRising(hours: Float64Array, values: Float64Array, { slope }: Line): boolean {
  const half = values.length >> 1;
  const late = theilSen(hours.subarray(half), values.subarray(half));
  return late !== undefined && late.slope >= STILL_RISING * slope;
}
