import { neighbourCorrelation } from '../inference/autocorrelation.js';
import { mannKendall } from '../inference/mann-kendall.js';
import { type Line, theilSen } from '../inference/theil-sen.js';
import { DecimatedSeries } from './decimated-series.js';
import type { Trend } from './trend.js';
import { hourlyShifts } from './trend-season.js';
import { isStep } from './trend-step.js';
import { wordsOfTrend } from './trend-words.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** After so many periods without a point, and a day, a trend is not known to go on. */
const PATIENT_PERIODS = 4;
/** With fewer points or over less time nothing is said. */
const MIN_POINTS = 16;
const MIN_SPAN_MS = 3 * HOUR_MS;
/** From which on the hours of the day can be told from a drift. */
const SEASON_SPAN_MS = 48 * HOUR_MS;
/** A part of the season is left after the first time, and a line is found better without a season. */
const SEASON_PASSES = 2;
/** Before that, a drift is not told from the rise of a day: it must be greater by so much. */
const UNSEEN_SEASON = 2;
/** The second half must still rise, with at least this share of the slope of the whole: what has levelled off is none. */
const STILL_RISING = 0.4;
/** By how much less sure it may be of a trend that was told. */
const KEEP_FACTOR = 100;
/** What lies further ahead than so many times the time that was seen is not foretold. */
const MOST_AHEAD = 10;

export interface TrendOptions {
  /** The least growth over the whole time, as a share of the first value. Default 0.15. */
  readonly minGrowth?: number;
  /** How probable a trend as great may be by chance, at the most. Default 1e-4. */
  readonly maxPValue?: number;
  /** The most points kept, see `DecimatedSeries`. Default 96. */
  readonly capacity?: number;
}

/** Whether a value drifts upwards over hours and days. Constant memory; evaluated only when a point of its series closes. */
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
    if (!(minGrowth > 0)) throw new RangeError(`minGrowth is ${minGrowth}: a share above 0 is allowed`);
    if (!(maxPValue > 0 && maxPValue < 1))
      throw new RangeError(`maxPValue is ${maxPValue}: a number between 0 and 1 is allowed`);
    this.minGrowth = minGrowth;
    this.maxPValue = maxPValue;
    this.series = new DecimatedSeries(capacity);
  }

  /** The trend that is going on, as it was when the last point closed. */
  get trend(): Trend | undefined {
    return this.found;
  }

  /** The trend, if values still came of late: of what has stopped it is not known whether it goes on. */
  trendAt(now: number): Trend | undefined {
    const patience = Math.max(DAY_MS, PATIENT_PERIODS * this.series.period);
    return this.found !== undefined && now - this.found.to <= patience ? this.found : undefined;
  }

  /**
   * Adds a value.
   * @param limit the threshold or limit that a forecast is made for, in the unit of the values
   * @returns whether the trend was looked at anew
   */
  add(at: number, value: number, weight = 1, limit?: number): boolean {
    if (!this.series.add(at, value, weight)) return false;
    this.found = this.evaluate(limit);
    return true;
  }

  /** Forgets what it has seen: what comes next is something else. */
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
    // The dear tests only where the last third is above the first one at all.
    if (!this.mayRise(values)) return undefined;
    const hasSeason = to - from >= SEASON_SPAN_MS;
    for (let pass = 0; hasSeason && pass < SEASON_PASSES; pass++)
      subtract(values, hourlyShifts(times, restsOf(hours, values, theilSen(hours, values))));
    const line = theilSen(hours, values);
    if (line === undefined) return undefined;
    const rests = restsOf(hours, values, line);
    const rho = neighbourCorrelation(rests);
    const inflation = (1 + rho) / (1 - rho);
    const first = line.intercept;
    const last = line.intercept + (line.slope * (to - from)) / HOUR_MS;
    const needed = this.minGrowth * (hasSeason ? 1 : UNSEEN_SEASON) * Math.abs(first);
    if (!(last - first >= needed && last > first)) return undefined;
    const { pValue } = mannKendall(values, inflation);
    // What was told goes on until it is clearly gone: when points are merged there are fewer to be sure by.
    const mostPValue = this.maxPValue * (this.found === undefined ? 1 : KEEP_FACTOR);
    if (pValue > mostPValue || isStep(hours, values, line) || !isStillRising(hours, values, line))
      return undefined;
    const interval = theilSen(hours, values, inflation)?.interval ?? line.interval;
    const reachedAt = limit === undefined ? Number.NaN : to + ((limit - last) / line.slope) * HOUR_MS;
    const isAhead = limit !== undefined && limit > last && reachedAt - to <= MOST_AHEAD * (to - from);
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

function restsOf(hours: Float64Array, values: Float64Array, line: Line | undefined): Float64Array {
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
