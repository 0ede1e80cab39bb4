import type { RawFrame } from '../code/call-site.js';
import { isRepeatable } from '../spans/request-work.js';
import { DATABASE } from '../spans/work.js';
import type { WorkGroup } from '../spans/work-group.js';
import { brief } from './words.js';

/** What makes repeated work a finding. */
export interface RepetitionLimits {
  /** How many of one fingerprint within one request. */
  readonly minRepetitions: number;
  /** Milliseconds that they took together. */
  readonly minTotalMs: number;
}

/** Work that was repeated within one request. */
export interface Repetition {
  /** `duplicate_queries` when it was also done with the same values. */
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

/** From this share of equal values, it is one query that is repeated, and not one for each row. */
const SAME = 0.8;
/**
 * Milliseconds between two repetitions that make them a poll: with equal values, and with other or unknown ones, which
 * may just as well be a loop whose own work is done in between.
 */
const POLL_PAUSE_MS = 4;
const LONG_PAUSE_MS = 50;

/** From so many values or rows each, a list or an insert is already a batch. */
const BATCH_VALUES = 10;
const BATCH_ROWS = 2;

/** The repetitions among groups of work, the one that took the most time first. */
export function findRepetitions(
  groups: Iterable<WorkGroup>,
  limits: RepetitionLimits,
  now: number,
): Repetition[] {
  const result: Repetition[] = [];
  for (const group of groups) {
    const repetition = judgeRepetition(group, limits, now);
    if (repetition !== undefined) result.push(repetition);
  }
  return result.sort((a, b) => b.totalMs - a.totalMs);
}

/**
 * Whether the work of a group is an N+1 or a duplicate query. Not reported: retries (work that failed), polls (the same
 * values with idle pauses between them), paging, batches, and work on no data.
 */
export function judgeRepetition(
  group: WorkGroup,
  limits: RepetitionLimits,
  now: number,
): Repetition | undefined {
  const { executions } = group;
  if (executions < limits.minRepetitions || group.errors * 2 > executions || !isRepeatable(group))
    return undefined;
  const totalMs = group.spentMs(now);
  if (totalMs < limits.minTotalMs || isPaging(group) || isBatched(group)) return undefined;
  const same = hasSameInputs(group);
  const pausedMs = group.pauseMs / (group.started - 1);
  if (pausedMs >= (same ? POLL_PAUSE_MS : LONG_PAUSE_MS) && group.pauseMs > totalMs) return undefined;
  return {
    type: same ? 'duplicate_queries' : 'n_plus_one',
    group,
    fingerprint: group.key.fingerprint,
    name: group.key.name,
    count: executions,
    totalMs,
    sequential: group.overlapped * 4 < group.started,
    frames: group.frames,
  };
}

function areInputsKnown({ withInputs, count }: WorkGroup): boolean {
  return withInputs * 2 > count;
}

export function hasSameInputs(group: WorkGroup): boolean {
  return areInputsKnown(group) && group.sameInputs >= SAME * group.withInputs;
}

/**
 * Pages of a list: the values that select a page differ, and all others are equal. Unknown values may differ. Pages of one
 * row are none.
 */
export function isPaging(group: WorkGroup): boolean {
  const { page, shape } = group.key;
  if (page === undefined || shape === 'row') return false;
  const isKnown = areInputsKnown(group) && group.inputCount === page.inputs;
  const moved = isKnown ? group.movedInputs : page.bound;
  return moved !== 0 && (moved & ~page.pages) === 0;
}

/** Long lists, or inserts of several rows. */
export function isBatched({ key, values, rows, count }: WorkGroup): boolean {
  const { fingerprint, effect, shape } = key;
  if (shape === 'rows') return true;
  if (/\b(?:in|any|all) ?\(\?/.test(fingerprint)) return values >= BATCH_VALUES * count;
  return effect === 'write' && /\bvalues \(/.test(fingerprint) && rows >= BATCH_ROWS * count;
}

/** `50 sequential copies of SELECT track` */
export function copies({ type, count, sequential, name, fingerprint }: Repetition): string {
  const how = type === 'duplicate_queries' ? 'identical' : sequential ? 'sequential' : 'parallel';
  return `${count} ${how} copies of ${brief(name, fingerprint)}`;
}

/** What to do about a repetition. */
export function adviceOn({ type, name, group }: Repetition): string {
  const { key, work } = group;
  if (key.effect === 'write')
    return work === DATABASE && /^(?:INSERT|UPDATE|DELETE|MERGE|REPLACE)\b/.test(name)
      ? 'Send them as one statement.'
      : 'Send them as a batch if the API allows it.';
  if (type === 'duplicate_queries') return 'Run it once and keep the result for the request.';
  return work === DATABASE
    ? 'Load all of them at once: with a join, IN or a DataLoader.'
    : 'Request all of them at once if the API allows it, or run the calls in parallel.';
}
