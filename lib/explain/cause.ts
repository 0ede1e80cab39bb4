import type { Chain } from '../spans/call-chain.js';
import { parallelSavingMs } from '../spans/call-chain.js';
import {
  type Breakdown,
  CONNECTION_POOL,
  DATABASE,
  SELF_BUSY,
  SELF_IDLE,
  WORK_IDLE,
  WORK_NAMES,
  WORKS,
} from '../spans/work.js';
import type { Repetition } from './repetition.js';

/**
 * What the time of a slow operation can have gone to. The list is closed:
 *
 * | cause | the evidence for it |
 * | --- | --- |
 * | `n_plus_one` | the same statement or call, again and again within one request |
 * | `sequential_calls` | reads one after the other, none made with what another answered |
 * | `database`, `cache`, `external`, `messaging`, `rpc` | the time in which such a child ran |
 * | `connection_pool` | the time until a pool handed out a connection |
 * | `cpu` | own time in which the event loop was busy |
 * | `event_loop_blocked` | the event loop stood still within its time, for other work |
 * | `gc` | pauses of the garbage collector within its time |
 * | `waiting` | own time in which the event loop was idle: a timer, a lock, I/O that is not seen |
 * | `unknown` | nothing of the above was seen to take a quarter of it |
 */
export const CAUSES = [
  'n_plus_one',
  'sequential_calls',
  'database',
  'cache',
  'external',
  'messaging',
  'rpc',
  'connection_pool',
  'cpu',
  'event_loop_blocked',
  'gc',
  'waiting',
  'unknown',
] as const;
export type CauseName = (typeof CAUSES)[number];

/** One of the causes of a slow operation. The shares of all of them add up to 1 at the most. */
export interface RankedCause {
  cause: CauseName;
  /** Of the duration, 0 to 1. */
  share: number;
  ms: number;
  /** `measured`: counted as it happened. `likely`: it follows from what was measured, unless something unseen was at work. */
  certainty: 'measured' | 'likely';
  /** What it was: `SELECT track`, `POST /checkout`. */
  operation?: string;
  /** How many of them. */
  count?: number;
}

/** What is known of a slow operation when its causes are ranked. All times are milliseconds within its interval. */
export interface CauseEvidence {
  readonly durationMs: number;
  readonly breakdown: Breakdown;
  readonly repetitions: readonly Repetition[];
  readonly chain: Chain | undefined;
  /** The loop stood still for other work; for work of its own; for work nobody knows of. */
  readonly blockedByOthersMs: number;
  readonly blockedByOwnMs: number;
  readonly blockedByUnknownMs: number;
  /** Of the moments at which the restless loop was looked at, the share at which other work ran. 0 to 1. */
  readonly othersShare: number;
  /** It was sampled all along, so whose code ran is known. */
  readonly sampled?: boolean;
  /** CPU time of the process: where it is less than the loop was busy, the rest was waited for the machine. */
  readonly cpuMs: number;
  readonly gcMs: number;
  /** Of the samples of its own, the share at which the collector ran. 0 to 1. */
  readonly gcShare?: number;
  /** No other request ran within its time. */
  readonly alone: boolean;
  /** It waited for more than one connection at a time: what held them was its own work. */
  readonly poolIsOwn: boolean;
  /** What most of each kind of work was: a name and how often, by index of the work. */
  readonly dominant: (work: number) => { name: string; count: number } | undefined;
}

/** Calls in a chain from which on it is worth a word, and what running them side by side must save. */
const MIN_CHAIN = 3;
const MIN_SAVING_MS = 25;
/** One call that takes more of the chain than this is the cause itself. */
const MAX_SHARE_OF_ONE = 0.6;
/** A cause of a smaller share explains nothing. */
const MIN_SHARE = 0.25;

/** Whether calls that came one after the other are worth a word. */
export function isSequential(chain: Chain | undefined): chain is Chain {
  return (
    chain !== undefined &&
    chain.count >= MIN_CHAIN &&
    chain.fingerprints >= MIN_CHAIN &&
    parallelSavingMs(chain) >= MIN_SAVING_MS &&
    chain.maxMs <= MAX_SHARE_OF_ONE * chain.sumMs
  );
}

/** The causes of a slow operation, the greatest share first; the first one is `unknown` where nothing explains it. */
export function rankCauses(evidence: CauseEvidence): RankedCause[] {
  const { durationMs } = evidence;
  const parts = [...evidence.breakdown];
  const result: RankedCause[] = [];
  const add = (cause: CauseName, ms: number, more: Partial<RankedCause> = {}): void => {
    if (ms > 0.005 * durationMs && ms > 0.01)
      result.push({ cause, share: share(ms, durationMs), ms: round(ms), certainty: 'measured', ...more });
  };

  const { othersMs, gcMs, cpuMs, certain } = splitBusy(evidence, parts);
  add('event_loop_blocked', othersMs, { certainty: evidence.blockedByOthersMs > 0 ? 'measured' : 'likely' });
  add('gc', gcMs);
  add('cpu', cpuMs, { certainty: certain ? 'measured' : 'likely' });
  add('waiting', parts[SELF_IDLE] as number);

  for (const { group, name, count, totalMs } of evidence.repetitions) {
    let ms = Math.min(totalMs, parts[group.work] as number);
    (parts[group.work] as number) -= ms;
    if (evidence.poolIsOwn && group.work === DATABASE) {
      // They wait for each other's connections.
      ms += parts[CONNECTION_POOL] as number;
      parts[CONNECTION_POOL] = 0;
    }
    add('n_plus_one', ms, { operation: name, count });
  }
  const { chain } = evidence;
  if (isSequential(chain)) {
    let ms = 0;
    for (let work = 0; work < WORKS; work++) {
      const spent = Math.min(chain.spent[work] as number, parts[work] as number);
      (parts[work] as number) -= spent;
      ms += spent;
    }
    add('sequential_calls', ms, {
      operation: chain.names.join(', '),
      count: chain.count,
      certainty: 'likely',
    });
  }
  for (let work = 0; work < WORKS; work++) {
    const most = evidence.dominant(work);
    add(WORK_NAMES[work] as CauseName, parts[work] as number, {
      ...(most === undefined ? {} : { operation: most.name, count: most.count }),
    });
  }

  result.sort((a, b) => b.share - a.share);
  if ((result[0]?.share ?? 0) < MIN_SHARE) {
    const explained = result.reduce((sum, { ms }) => sum + ms, 0);
    const rest = Math.max(0, durationMs - explained);
    result.unshift({
      cause: 'unknown',
      share: share(rest, durationMs),
      ms: round(rest),
      certainty: 'measured',
    });
  }
  return result;
}

/**
 * Takes what the event loop did apart: other work that held it, the collector, and what is left for the operation
 * itself. While the loop stands still nothing of an operation goes on, so that time is taken from its own busy time
 * and from its children alike, as each had been busy.
 */
function splitBusy(
  evidence: CauseEvidence,
  parts: Breakdown,
): { othersMs: number; gcMs: number; cpuMs: number; certain: boolean } {
  const { alone, blockedByOwnMs, blockedByUnknownMs } = evidence;
  let workMs = 0;
  for (let work = 0; work < WORKS; work++) workMs += parts[work] as number;
  const workBusy = Math.max(0, workMs - (parts[WORK_IDLE] as number));
  const ownBusy = parts[SELF_BUSY] as number;
  // Nobody else ran: what held the loop was the operation itself, or the collector for it.
  const unknownOthers = alone ? 0 : Math.max(0, blockedByUnknownMs - Math.max(0, ownBusy - blockedByOwnMs));
  const held = evidence.blockedByOthersMs + unknownOthers;
  // What no stall accounts for is shared as it was seen at moments.
  const busy = ownBusy + workBusy;
  const worked = Math.min(busy, evidence.cpuMs);
  const shared = evidence.othersShare * Math.max(0, worked - held - blockedByOwnMs);
  const othersMs = evidence.sampled
    ? Math.min(busy, evidence.othersShare * worked)
    : Math.min(held + shared, busy);
  const fromOwn = busy > 0 ? othersMs * (ownBusy / busy) : 0;
  const fromWork = othersMs - fromOwn;
  // Work of its own that held the loop while a child ran made the child look longer than it was.
  const ownHeld = blockedByOwnMs + (alone ? blockedByUnknownMs : 0);
  const heldInWork = Math.min(workBusy - fromWork, Math.max(0, ownHeld - (ownBusy - fromOwn)));
  const fromChildren = fromWork + heldInWork;
  if (workMs > 0 && fromChildren > 0)
    for (let work = 0; work < WORKS; work++) (parts[work] as number) *= 1 - fromChildren / workMs;
  const left = ownBusy - fromOwn + heldInWork;
  // Pauses are known by intervals that may begin before it; samples are its own.
  const gcMs = Math.min(left, Math.max(evidence.gcMs, (evidence.gcShare ?? 0) * left));
  const cpuMs = left - gcMs;
  return {
    othersMs,
    gcMs,
    cpuMs,
    certain: alone || evidence.sampled === true || blockedByOwnMs >= 0.5 * cpuMs,
  };
}

function share(ms: number, durationMs: number): number {
  return durationMs > 0 ? Math.min(1, Math.round((ms / durationMs) * 1000) / 1000) : 0;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
