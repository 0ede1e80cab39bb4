import type { Chain } from '../spans/call-chain.js';
import { parallelSavingMs } from '../spans/call-chain.js';
import type { RemoteTiming } from '../spans/server-timing.js';
import {
  type Breakdown,
  CONNECTION_POOL,
  DATABASE,
  SELF_BUSY,
  SELF_IDLE,
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
 * | `database`, `cache`, `external`, `messaging`, `rpc` | the event loop was idle, and such a child was waited for |
 * | `connection_pool` | the event loop was idle until a pool handed out a connection |
 * | `cpu` | the event loop was busy with the operation itself |
 * | `event_loop_blocked` | the event loop was busy with other work |
 * | `cpu_starved` | the thread was ready to run and had no CPU: other processes, or a container's CPU limit |
 * | `gc` | pauses of the garbage collector within its time |
 * | `waiting` | the event loop was idle, and nothing instrumented was waited for: a timer, a lock, other I/O |
 * | `unknown` | none of the above took a quarter of the time with a CPU |
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
  'cpu_starved',
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
  /** Of outgoing calls: what the called service says of the longest one, see `http.serverTiming`. */
  remote?: RemoteTiming & {
    /** How long that call took here, in milliseconds. */
    callMs: number;
  };
}

/** What causes are ranked by. All times are milliseconds within the operation's interval. */
export interface CauseEvidence {
  readonly durationMs: number;
  readonly thresholdMs: number;
  readonly breakdown: Breakdown;
  readonly repetitions: readonly Repetition[];
  readonly chain: Chain | undefined;
  /** The part of its busy time in which no child ran. */
  readonly selfBusyMs: number;
  /** The time in which the loop was blocked by other work, by its own, by unknown work. */
  readonly blockedByOthersMs: number;
  readonly blockedByOwnMs: number;
  readonly blockedByUnknownMs: number;
  /** The share of the observed moments in which other work ran, 0 to 1. */
  readonly othersShare: number;
  /** It was sampled throughout, so whose code ran is known. */
  readonly sampled?: boolean;
  /** CPU time of the main thread, or of the process where that is unknown. */
  readonly cpuMs: number;
  /** The time in which the main thread was ready to run and had no CPU; undefined where that is unknown. */
  readonly runDelayMs: number | undefined;
  /** How long a CPU limit stopped the container. */
  readonly throttledMs: number;
  /** Idle time in which the thread waited for a synchronous call, see `isIdleCalculated`. */
  readonly synchronousMs: number;
  readonly gcMs: number;
  /** The share of its own samples in which the garbage collector ran, 0 to 1. */
  readonly gcShare?: number;
  /** The share of its own CPU time that packages, such as an ORM, spent on these calls, 0 to 1; see `sampledCalling`. */
  readonly callingShare?: (repetition: Repetition) => number;
  /** No other request ran within its time. */
  readonly alone: boolean;
  /** It waited for several connections at a time, so its own work held them. */
  readonly poolIsOwn: boolean;
  /** The greatest operation of each kind of work and its count, by index of the work. */
  readonly dominant: (work: number) => DominantWork | undefined;
}

/** The greatest operation of a kind of work. */
export interface DominantWork {
  readonly name: string;
  readonly count: number;
  readonly remote?: RankedCause['remote'];
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

/**
 * The causes of a slow operation, the greatest share first; the first one is `unknown` where nothing explains it. An operation
 * that would have been slow with a CPU of its own, too, has `cpu_starved` second at most: its code is what to change.
 */
export function rankCauses(evidence: CauseEvidence): RankedCause[] {
  const { durationMs } = evidence;
  const result: RankedCause[] = [];
  const add = (cause: CauseName, ms: number, more: Partial<RankedCause> = {}): void => {
    if (ms > 0.005 * durationMs && ms > 0.01)
      result.push({ cause, share: share(ms, durationMs), ms: round(ms), certainty: 'measured', ...more });
  };

  const { parts, starvedMs } = withoutStarvation(evidence);
  const { othersMs, gcMs, ownMs, certain } = splitBusy(evidence, parts[SELF_BUSY] as number);
  add('cpu_starved', starvedMs);
  add('event_loop_blocked', othersMs, { certainty: evidence.blockedByOthersMs > 0 ? 'measured' : 'likely' });
  add('gc', gcMs);
  add('waiting', parts[SELF_IDLE] as number);

  let cpuMs = ownMs;
  for (const repetition of evidence.repetitions) {
    const { group, name, count } = repetition;
    let ms = Math.min(group.waitedMs, parts[group.work] as number);
    (parts[group.work] as number) -= ms;
    // What an ORM does for each call would not be done either without them.
    const callingMs = (evidence.callingShare?.(repetition) ?? 0) * ownMs;
    const madeMs = Math.min(Math.max(group.driverMs, callingMs), cpuMs);
    const isLikely = !evidence.sampled && madeMs > group.driverMs && madeMs > ms;
    cpuMs -= madeMs;
    ms += madeMs;
    if (evidence.poolIsOwn && group.work === DATABASE) {
      // The queries wait for each other's connections.
      ms += parts[CONNECTION_POOL] as number;
      parts[CONNECTION_POOL] = 0;
    }
    add('n_plus_one', ms, { operation: name, count, ...(isLikely ? { certainty: 'likely' } : {}) });
  }
  add('cpu', cpuMs, { certainty: certain ? 'measured' : 'likely' });
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
      ...(most?.remote === undefined ? {} : { remote: most.remote }),
    });
  }

  result.sort((a, b) => b.share - a.share);
  const isSlowAnyway = durationMs - starvedMs > evidence.thresholdMs;
  const [starved, next] = result;
  if (starved?.cause === 'cpu_starved' && next !== undefined && isSlowAnyway)
    result.splice(0, 2, next, starved);
  const explainable = Math.max(0, 1 - starvedMs / durationMs);
  const isExplained =
    result[0]?.cause === 'cpu_starved' || (result[0]?.share ?? 0) >= MIN_SHARE * explainable;
  if (!isExplained || result.length === 0) {
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

/** The parts of an operation's time, without the time in which the main thread had no CPU. */
function withoutStarvation(evidence: CauseEvidence): { parts: Breakdown; starvedMs: number } {
  const { durationMs, cpuMs, runDelayMs, throttledMs } = evidence;
  const parts = [...evidence.breakdown];
  moveSynchronousWaits(parts, evidence.synchronousMs);
  if (runDelayMs === undefined) return { parts, starvedMs: 0 };
  const busyMs = parts[SELF_BUSY] as number;
  const withoutCpuMs = Math.max(0, busyMs - cpuMs);
  const inBusyMs = Math.min(withoutCpuMs, Math.max(runDelayMs, throttledMs));
  parts[SELF_BUSY] = busyMs - inBusyMs;
  // The loop's waits end only when the thread gets a CPU.
  const idleMs = durationMs - busyMs;
  const inIdleMs = Math.min(idleMs, Math.max(0, runDelayMs - inBusyMs));
  if (inIdleMs > 0)
    for (let part = 0; part < parts.length; part++)
      if (part !== SELF_BUSY) (parts[part] as number) *= 1 - inIdleMs / idleMs;
  return { parts, starvedMs: inBusyMs + inIdleMs };
}

/** Changes idle time in which a synchronous call blocked the event loop into busy time. */
function moveSynchronousWaits(parts: Breakdown, synchronousMs: number): void {
  let left = synchronousMs;
  for (let part = SELF_IDLE; part >= 0 && left > 0; part--) {
    if (part === SELF_BUSY) continue;
    const moved = Math.min(left, parts[part] as number);
    (parts[part] as number) -= moved;
    (parts[SELF_BUSY] as number) += moved;
    left -= moved;
  }
}

/**
 * Splits the time in which the event loop was busy: other work, the garbage collector, and the operation itself.
 * @param busyMs without the time in which the thread had no CPU
 */
function splitBusy(
  evidence: CauseEvidence,
  busyMs: number,
): { othersMs: number; gcMs: number; ownMs: number; certain: boolean } {
  const { alone, sampled, blockedByOwnMs, blockedByUnknownMs, othersShare, cpuMs, runDelayMs } = evidence;
  // While a child is waited for, unknown work is rather another's than its own, unless no other request ran.
  const unknownOthersMs = alone
    ? 0
    : Math.max(0, blockedByUnknownMs - Math.max(0, evidence.selfBusyMs - blockedByOwnMs));
  const heldMs = evidence.blockedByOthersMs + unknownOthersMs;
  // Busy time outside stalls is shared as observed at moments.
  const sharedMs = othersShare * Math.max(0, busyMs - heldMs - blockedByOwnMs);
  const othersMs = sampled === true ? busyMs * othersShare : Math.min(busyMs, heldMs + sharedMs);
  const leftMs = busyMs - othersMs;
  const wholeMs = evidence.breakdown[SELF_BUSY] as number;
  const hadCpuShare = wholeMs > 0 ? Math.min(1, busyMs / wholeMs) : 0;
  // Without a CPU a pause lasts longer, too. The intervals of pauses may start before it; samples are its own.
  const pausesMs = evidence.gcMs * hadCpuShare;
  const gcMs = Math.min(leftMs, Math.max(pausesMs, (evidence.gcShare ?? 0) * leftMs));
  const ownMs = leftMs - gcMs;
  const hadCpu = runDelayMs !== undefined || cpuMs >= 0.5 * busyMs;
  return {
    othersMs,
    gcMs,
    ownMs,
    certain: hadCpu && (alone || sampled === true || blockedByOwnMs >= 0.5 * ownMs),
  };
}

function share(ms: number, durationMs: number): number {
  return durationMs > 0 ? Math.min(1, Math.round((ms / durationMs) * 1000) / 1000) : 0;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
