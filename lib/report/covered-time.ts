import { WINDOWS, type WindowName } from '../statistics/operation-statistics.js';
import { round } from '../text/round.js';
import type { CoveredTime } from './report.js';

/** A shorter delay between the start of the process and of counting is not mentioned. */
const START_MS = 60_000;

/**
 * The smallest window of statistics that contains the requested time.
 * @param asked the requested start in milliseconds since 1970; undefined: all data
 * @param startedAt the start of the process
 * @param countingSince the start of counting: the creation of the monitor or the last reset
 */
export function coveredTime(
  asked: number | undefined,
  now: number,
  startedAt: number,
  countingSince: number,
): CoveredTime {
  const start = Math.min(now, Math.max(startedAt, countingSince));
  const later =
    start > startedAt + START_MS ? 'statistics started or were reset then' : 'the process started later';
  if (asked === undefined)
    return start > startedAt + START_MS
      ? { since: start, window: 'lifetime', reason: later }
      : { since: start, window: 'lifetime' };
  const names = Object.keys(WINDOWS) as WindowName[];
  const window = names.find((one) => WINDOWS[one] >= now - asked) ?? 'lifetime';
  const since = window === 'lifetime' ? start : Math.max(start, now - WINDOWS[window]);
  if (since === asked) return { asked, since, window };
  const reason = since > asked ? later : `the smallest window that contains it is the last ${window}`;
  return { asked, since, window, reason };
}

/** A shorter covered time is extrapolated as if it were this long. */
const MIN_COVERED_MS = WINDOWS.minute;

/** Extrapolates a `total` since the given time to one hour. */
export function perHour(total: number, since: number, now: number): number {
  return round((total * WINDOWS.hour) / Math.max(MIN_COVERED_MS, now - since));
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['s', 1000],
  ['m', WINDOWS.minute],
  ['h', WINDOWS.hour],
  ['d', WINDOWS.day],
]);

/** The texts that {@link parseSince} accepts, for an error message. */
export const SINCE_ALLOWED =
  'a time before now such as 15m, 1h or 24h, an ISO 8601 date, or milliseconds since 1970';

/** The texts that {@link parseMoment} accepts, for an error message. */
export const MOMENT_ALLOWED =
  'a time such as 15m, 1h or 24h before now, an ISO 8601 date, or milliseconds since 1970';

/**
 * Parses a start time to milliseconds since 1970.
 * @returns undefined for an invalid text or a future time
 */
export function parseSince(text: string, now: number): number | undefined {
  const moment = parseMoment(text, now);
  return moment === undefined || moment > now ? undefined : moment;
}

/** Parses a time to milliseconds since 1970. @returns undefined for an invalid text */
export function parseMoment(text: string, now: number): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return now - Number(amount) * (UNITS.get(unit) ?? 0);
  let moment = Number.NaN;
  if (/^\d{12,13}$/.test(text)) moment = Number(text);
  else if (/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(text)) moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : moment;
}
