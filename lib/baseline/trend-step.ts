import type { Line } from '../inference/theil-sen.js';

/** A step must fit so much better than a line, and leave so many points on either side. */
const BETTER = 0.9;
const MIN_SIDE = 3;

/** Whether a series is one step upwards rather than a drift: two levels fit it better than the line does. */
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
  return best < BETTER * line;
}
