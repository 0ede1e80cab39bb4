import { medianOf } from '../inference/theil-sen.js';

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** The values that an hour must have before half of what it shows is believed. */
const SHRINKAGE = 1;

/**
 * By how much the hour of the day (UTC) shifts each value: the median of the rests of that hour, less where there are few
 * of them.
 * @param rests what is left of the values when their trend is taken off
 */
export function hourlyShifts(times: Float64Array, rests: Float64Array): Float64Array {
  const byHour = Array.from({ length: HOURS }, () => [] as number[]);
  times.forEach((time, i) => {
    byHour[hourOf(time)]?.push(rests[i] as number);
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
