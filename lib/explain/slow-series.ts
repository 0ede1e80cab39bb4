import type { Chain } from '../spans/call-chain.js';
import { isRepeatable } from '../spans/request-work.js';
import { WORKS } from '../spans/work.js';
import type { WorkGroup } from '../spans/work-group.js';
import { hasSameInputs, isBatched, isPaging } from './repetition.js';

/** Fewer calls are no series. */
const MIN_CALLS = 3;
/** Milliseconds from which a call is slow: so few quick ones are no fault. */
const SLOW_MS = 100;
/** Milliseconds between two calls, and more than they take, that make them parts of different work. */
const LONG_PAUSE_MS = 50;
/** One call with a greater share of the time is itself the cause. */
const MAX_SHARE_OF_ONE = 0.6;

/** Whether a group has enough slow calls, whatever they are. */
export function mayBeSeries({ count, sumMs }: WorkGroup): boolean {
  return count >= MIN_CALLS && sumMs >= SLOW_MS * count;
}

/**
 * A few slow sequential calls of one shape and with different values, such as `GET users/1`, `GET users/2` and
 * `GET users/3`: too few for an N+1, and each long enough to be worth running in parallel. Undefined for any other group.
 * @param minRepetitions from so many calls it is an N+1
 */
export function findSlowSeries(group: WorkGroup, minRepetitions: number): Chain | undefined {
  const { key, count, executions, sumMs, maxMs, owner, work } = group;
  if (!mayBeSeries(group) || executions >= minRepetitions) return undefined;
  if (key.effect !== 'read' || group.errors > 0 || group.alone < count || !isRepeatable(group))
    return undefined;
  const meanMs = sumMs / count;
  if (maxMs > MAX_SHARE_OF_ONE * sumMs) return undefined;
  if (group.pauseMs / (group.started - 1) > Math.max(LONG_PAUSE_MS, meanMs)) return undefined;
  if (hasSameInputs(group) || isPaging(group) || isBatched(group)) return undefined;
  const spent = new Array<number>(WORKS).fill(0);
  spent[work] = sumMs;
  return {
    count,
    sumMs,
    maxMs,
    owner,
    names: [key.name],
    spanIds: group.spanIds,
    fingerprint: key.fingerprint,
    spent,
    fingerprints: 1,
  };
}
