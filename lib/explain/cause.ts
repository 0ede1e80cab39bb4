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
 * Where the time of a slow operation can have gone. The list is closed:
 *
 * | cause | evidence |
 * | --- | --- |
 * | `n_plus_one` | the same statement or call, repeated within one request |
 * | `sequential_calls` | sequential reads, none of which depends on another's result |
 * | `database`, `cache`, `external`, `messaging`, `rpc` | the time in which such a child ran |
 * | `connection_pool` | the time until a pool handed out a connection |
 * | `cpu` | own time in which the event loop was busy |
 * | `event_loop_blocked` | other work blocked the event loop within its time |
 * | `gc` | pauses of the garbage collector within its time |
 * | `waiting` | own time in which the event loop was idle: a timer, a lock, I/O that is not instrumented |
 * | `unknown` | none of the above took a quarter of it |
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

/** One of the causes of a slow operation. The shares of all of them add up to at most 1. */
export interface RankedCause {
  cause: CauseName;
  /** Of the duration, 0 to 1. */
  share: number;
  ms: number;
  /** `measured`: counted as it happened. `likely`: inferred from measurements. */
  certainty: 'measured' | 'likely';
  /** The operation behind it: `SELECT track`, `POST /checkout`. */
  operation?: string;
  /** How many of them. */
  count?: number;
}

/** What causes are ranked by. All times are milliseconds within the operation's interval. */
export interface CauseEvidence {
  readonly durationMs: number;
  readonly breakdown: Breakdown;
  readonly repetitions: readonly Repetition[];
  readonly chain: Chain | undefined;
  /** The time in which the loop was blocked by other work, by its own, by unknown work. */
  readonly blockedByOthersMs: number;
  readonly blockedByOwnMs: number;
  readonly blockedByUnknownMs: number;
  /** The share of the observed moments in which other work ran, 0 to 1. */
  readonly othersShare: number;
  /** It was sampled throughout, so whose code ran is known. */
  readonly sampled?: boolean;
  /** CPU time of the process. Where the loop was busy for longer, the rest was spent waiting for a CPU. */
  readonly cpuMs: number;
  readonly gcMs: number;
  /** The share of its own samples in which the garbage collector ran, 0 to 1. */
  readonly gcShare?: number;
  /** No other request ran within its time. */
  readonly alone: boolean;
  /** It waited for several connections at a time, so its own work held them. */
  readonly poolIsOwn: boolean;
  /** The greatest operation of each kind of work and its count, by index of the work. */
  readonly dominant: (work: number) => { name: string; count: number } | undefined;
}

/** A chain is reported from so many calls, if running them in parallel would save so much. */
const MIN_CHAIN = 3;
const MIN_SAVING_MS = 25;
/** A single call with a greater share of the chain is itself the cause. */
const MAX_SHARE_OF_ONE = 0.6;
/** A cause of a smaller share explains nothing. */
const MIN_SHARE = 0.25;

/** Whether sequential calls are reported. */
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
      // The queries wait for each other's connections.
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
 * Splits the busy time of the event loop: other work that blocked it, the garbage collector, and the operation itself.
 * While the loop is blocked nothing of an operation proceeds, so that time is taken from its own busy time and from its
 * children in proportion to how busy each was.
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
  // No other request ran: the operation itself blocked the loop, or the garbage collector did for it.
  const unknownOthers = alone ? 0 : Math.max(0, blockedByUnknownMs - Math.max(0, ownBusy - blockedByOwnMs));
  const held = evidence.blockedByOthersMs + unknownOthers;
  // Busy time outside stalls is shared as observed at moments.
  const busy = ownBusy + workBusy;
  const worked = Math.min(busy, evidence.cpuMs);
  const shared = evidence.othersShare * Math.max(0, worked - held - blockedByOwnMs);
  const othersMs = evidence.sampled
    ? Math.min(busy, evidence.othersShare * worked)
    : Math.min(held + shared, busy);
  const fromOwn = busy > 0 ? othersMs * (ownBusy / busy) : 0;
  const fromWork = othersMs - fromOwn;
  // Own work that blocked the loop while a child ran made the child look longer than it was.
  const ownHeld = blockedByOwnMs + (alone ? blockedByUnknownMs : 0);
  const heldInWork = Math.min(workBusy - fromWork, Math.max(0, ownHeld - (ownBusy - fromOwn)));
  const fromChildren = fromWork + heldInWork;
  if (workMs > 0 && fromChildren > 0)
    for (let work = 0; work < WORKS; work++) (parts[work] as number) *= 1 - fromChildren / workMs;
  const left = ownBusy - fromOwn + heldInWork;
  // The intervals of pauses may start before it; samples are its own.
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
