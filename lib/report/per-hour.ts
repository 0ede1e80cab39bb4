import { WINDOWS } from '../statistics/operation-statistics.js';
import { round } from '../text/round.js';

/** What is seen of less than a minute says nothing of an hour. */
const MIN_COVERED_MS = WINDOWS.minute;

/** How much of `total`, counted since that moment, an hour would see. */
export function perHour(total: number, since: number, now: number): number {
  return round((total * WINDOWS.hour) / Math.max(MIN_COVERED_MS, now - since));
}
