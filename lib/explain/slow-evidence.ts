import type { EventLoopWatchdog } from '../process/event-loop-watchdog.js';
import { isIdleLost } from '../process/loop-idle.js';
import type { BlockingOperation } from '../process/stall.js';
import { type Chain, snapshotOf } from '../spans/call-chain.js';
import type { LiveSpan } from '../spans/live-span.js';
import { CONNECTION_POOL, capBusyToCpuTime, SELF_IDLE, WORK_IDLE, WORKS } from '../spans/work.js';
import type { WorkGroup } from '../spans/work-group.js';
import { type CauseEvidence, isSequential } from './cause.js';
import { findRepetitions, type RepetitionLimits } from './repetition.js';
import { type StallSummary, summarizeStalls } from './stalls.js';

/** What was measured of a slow operation. */
export interface SlowEvidence extends CauseEvidence {
  readonly live: LiveSpan;
  /** Groups of work that are no repetition. */
  readonly groups: readonly WorkGroup[];
  readonly stalls: StallSummary;
  /** The share of its time in which the event loop was busy, 0 to 1. */
  readonly loopBusy: number;
}

/** What the process measured within the time of a slow operation. */
interface ProcessFacts {
  readonly name: string;
  readonly durationMs: number;
  readonly gcMs: number;
  readonly cpuMs: number;
  readonly alone: boolean;
}

/** Collects what was measured of an operation until `now`. */
export function collectEvidence(
  { name, durationMs, gcMs, cpuMs, alone }: ProcessFacts,
  live: LiveSpan,
  now: number,
  idle: number,
  watchdog: EventLoopWatchdog,
  limits: RepetitionLimits & { readonly enabled: boolean },
): SlowEvidence {
  const breakdown = live.breakdown(now, idle);
  if (isIdleLost()) capBusyToCpuTime(breakdown, cpuMs);
  const { work } = live.request;
  const all = work === undefined ? [] : work.groups.filter(({ owner }) => live.contains(owner));
  const detects = limits.enabled && live.isWaitedFor;
  const repetitions = detects ? findRepetitions(all, limits, now) : [];
  const groups = all.filter((group) => repetitions.every((one) => one.group !== group));
  const from = live.startedAt;
  const stalls = summarizeStalls(
    watchdog.stallsWithin(from, now),
    watchdog.momentsWithin(from, now),
    from,
    now,
    (operation) => isOwn(operation, live),
  );
  const idleMs = (breakdown[SELF_IDLE] as number) + (breakdown[WORK_IDLE] as number);
  return {
    live,
    durationMs,
    breakdown,
    repetitions,
    groups,
    chain: detects ? chainOf(live) : undefined,
    stalls,
    blockedByOthersMs: stalls.othersMs,
    blockedByOwnMs: stalls.ownMs,
    blockedByUnknownMs: stalls.unknownMs,
    othersShare: stalls.othersShare,
    cpuMs,
    gcMs,
    alone,
    loopBusy: durationMs > 0 ? Math.max(0, 1 - idleMs / durationMs) : 0,
    poolIsOwn: all.some(
      ({ work: kind, sumMs, coveredMs }) => kind === CONNECTION_POOL && sumMs > 2 * coveredMs,
    ),
    dominant: (kind) => dominant(kind, groups, live, name),
  };
}

/** A copy: the request may continue, and its chain with it. */
function chainOf(live: LiveSpan): Chain | undefined {
  const best = live.request.work?.chain.best;
  return isSequential(best) && live.contains(best.owner) ? snapshotOf(best) : undefined;
}

/** Whether what blocked the event loop is the operation's own work. Work that is waited for blocks no loop itself. */
function isOwn({ spanId, rootSpanId }: BlockingOperation, live: LiveSpan): boolean {
  if (spanId === live.span.spanContext().spanId) return true;
  return live.work >= WORKS && rootSpanId === live.root.span.spanContext().spanId;
}

function dominant(
  work: number,
  groups: readonly WorkGroup[],
  live: LiveSpan,
  name: string,
): { name: string; count: number } | undefined {
  if (work === CONNECTION_POOL) return undefined;
  if (live.work === work) return { name, count: 1 };
  let most: WorkGroup | undefined;
  for (const group of groups) {
    if (group.work === work && (most === undefined || group.coveredMs > most.coveredMs)) most = group;
  }
  return most === undefined ? undefined : { name: most.key.name, count: most.started };
}
