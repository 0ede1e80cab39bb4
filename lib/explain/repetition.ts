import type { RawFrame } from '../code/call-site.js';
import { isRepeatable } from '../spans/request-work.js';
import { DATABASE } from '../spans/work.js';
import type { WorkGroup, WorkKey } from '../spans/work-group.js';

/** From when on repeated work is told of. */
export interface RepetitionLimits {
  /** How many of one fingerprint within one request. */
  readonly minRepetitions: number;
  /** Milliseconds that they took together: what is repeated and quick is left alone. */
  readonly minTotalMs: number;
}

/** The same work done again and again within one request. */
export interface Repetition {
  /** `duplicate_queries` when it was done with the same values, too. */
  readonly type: 'n_plus_one' | 'duplicate_queries';
  readonly group: WorkGroup;
  readonly fingerprint: string;
  readonly name: string;
  readonly count: number;
  /** The time in which at least one of them ran. */
  readonly totalMs: number;
  readonly sequential: boolean;
  readonly frames: readonly RawFrame[] | undefined;
}

/** The share of equal values from which on it is the same query asked again, and not one for each row. */
const SAME = 0.8;
/** A pause that makes a repetition a poll, in milliseconds each: of equal values, and of any. */
const POLL_PAUSE_MS = 4;
const LONG_PAUSE_MS = 50;

/** Values and rows of each from which on a list or an insert is a batch already. */
const BATCH_VALUES = 10;
const BATCH_ROWS = 2;

/**
 * Whether the work of a group is an N+1 or the same query asked again. Not one: what failed (a retry), what waits
 * idly between two times and asks the same (a poll), what goes through a table page by page or takes its rows in
 * batches, and what is no work on data at all.
 */
export function judgeRepetition(
  group: WorkGroup,
  limits: RepetitionLimits,
  now: number,
): Repetition | undefined {
  if (group.count < limits.minRepetitions || group.errors * 2 > group.count || !isRepeatable(group))
    return undefined;
  const totalMs = group.spentMs(now);
  if (totalMs < limits.minTotalMs || isPaging(group) || isBatched(group)) return undefined;
  const known = group.withInputs * 2 > group.count;
  const same = known && group.sameInputs >= SAME * group.withInputs;
  const pausedMs = group.pauseMs / (group.started - 1);
  const pauseMs = same || !known ? POLL_PAUSE_MS : LONG_PAUSE_MS;
  if (pausedMs >= pauseMs && group.pauseMs > totalMs) return undefined;
  return {
    type: same ? 'duplicate_queries' : 'n_plus_one',
    group,
    fingerprint: group.key.fingerprint,
    name: group.key.name,
    count: group.count,
    totalMs,
    sequential: group.overlapped * 4 < group.started,
    frames: group.frames,
  };
}

/** Page by page, by offset or from the last key on: each page needs the one before. */
function isPaging({ key }: WorkGroup): boolean {
  const { fingerprint, shape } = key;
  return (
    shape === 'page' ||
    isPageByOffset(fingerprint, shape) ||
    /[<>]=? \?.*\border by\b.*(?:\blimit \?|\bfetch (?:first|next)\b)/.test(fingerprint)
  );
}

/** A page needs an order. Mappers look up a single row with an offset, too: Prisma each one, others by FETCH NEXT. */
function isPageByOffset(fingerprint: string, shape: WorkKey['shape']): boolean {
  if (!/\boffset \?/.test(fingerprint)) return false;
  if (!/\bwhere\b/.test(fingerprint)) return true;
  return shape !== 'row' && /\border by (?!\(select (?:null|\?)\)).*\boffset \?/.test(fingerprint);
}

/** Many at a time already: long lists, or inserts of several rows. */
function isBatched({ key, values, rows, count }: WorkGroup): boolean {
  const { fingerprint, effect, shape } = key;
  if (shape === 'rows') return true;
  if (/\b(?:in|any|all) ?\(\?/.test(fingerprint)) return values >= BATCH_VALUES * count;
  return effect === 'write' && /\bvalues \(/.test(fingerprint) && rows >= BATCH_ROWS * count;
}

/** What to do about a repetition. */
export function adviceOn({ type, name, group }: Repetition): string {
  const { key, work } = group;
  if (key.effect === 'write')
    return work === DATABASE && /^(?:INSERT|UPDATE|DELETE|MERGE|REPLACE)\b/.test(name)
      ? 'Send them as one statement.'
      : 'Send them together if the other side takes a batch.';
  if (type === 'duplicate_queries') return 'Ask once and keep the answer for the request.';
  return work === DATABASE
    ? 'Ask once for all of them: a join, IN or a loader.'
    : 'Ask once for all of them, if the other side can, or side by side.';
}
