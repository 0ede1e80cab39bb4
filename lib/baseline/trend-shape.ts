import { type Line, medianOf } from '../inference/theil-sen.js';

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** The number of values of an hour at which half of its shift is believed. */
const SHRINKAGE = 1;
/** Two levels must fit better than a line by this factor, with this many points on either side. */
const STEP_FACTOR = 0.9;
const MIN_SIDE = 3;

/**
 * The shift of each value by the hour of the day (UTC): the median of the residuals of that hour, shrunk if there are few.
 * @param residuals the values without their trend
 */
export function hourlyShifts(times: Float64Array, residuals: Float64Array): Float64Array {
  const byHour = Array.from({ length: HOURS }, () => [] as number[]);
  times.forEach((time, i) => {
    byHour[hourOf(time)]?.push(residuals[i] as number);
  });
  const shifts = byHour.map((values) =>
    values.length === 0
      ? 0
      : (medianOf(values.sort((a, b) => a - b)) * values.length) / (values.length + SHRINKAGE),
  );
  return times.map((time) => shifts[hourOf(time)] as number);
}

function hourOf(time: number): number {
  return Math.floor(time / HOUR_MS) % HOURS;
}

/** Whether a series is a single step rather than a slow rise: two levels fit it better than the line does. */
export function isStep(hours: Float64Array, values: Float64Array, { slope, intercept }: Line): boolean {
  const n = values.length;
  let line = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const value = values[i] as number;
    line += (value - intercept - slope * (hours[i] as number)) ** 2;
    sum += value;
    squares += value * value;
  }
  let best = Number.POSITIVE_INFINITY;
  let before = 0;
  for (let i = 0; i < n - MIN_SIDE; i++) {
    before += values[i] as number;
    const left = i + 1;
    if (left < MIN_SIDE) continue;
    best = Math.min(best, squares - before ** 2 / left - (sum - before) ** 2 / (n - left));
  }
  return best < STEP_FACTOR * line;
}
