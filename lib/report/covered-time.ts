import { WINDOWS, type WindowName } from '../statistics/operation-statistics.js';
import type { CoveredTime } from './report.js';

/** Counting begins with the monitor, some time after the process started: nobody need be told of less. */
const START_MS = 60_000;

/**
 * The time that figures exist for around what was asked for.
 * @param asked milliseconds since 1970; nothing: all there is
 * @param startedAt when the process started
 * @param countingSince when counting began, or began anew
 */
export function coveredTime(
  asked: number | undefined,
  now: number,
  startedAt: number,
  countingSince: number,
): CoveredTime {
  const start = Math.min(now, Math.max(startedAt, countingSince));
  const later =
    start > startedAt + START_MS ? 'what is counted began then, or was reset' : 'the process started later';
  if (asked === undefined)
    return start > startedAt + START_MS
      ? { since: start, window: 'lifetime', reason: later }
      : { since: start, window: 'lifetime' };
  const names = Object.keys(WINDOWS) as WindowName[];
  const window = names.find((one) => WINDOWS[one] >= now - asked) ?? 'lifetime';
  const since = window === 'lifetime' ? start : Math.max(start, now - WINDOWS[window]);
  if (since === asked) return { asked, since, window };
  const reason = since > asked ? later : `the smallest window that holds it is the last ${window}`;
  return { asked, since, window, reason };
}
