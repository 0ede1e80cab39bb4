import type { EventLoopWatchdog } from '../process/event-loop-watchdog.js';
import { isIdleCalculated } from '../process/loop-idle.js';
import type { ResourceEvidence } from '../process/resource-sampler.js';
import type { BlockingOperation } from '../process/stall.js';
import { type Chain, snapshotOf } from '../spans/call-chain.js';
import type { LiveSpan } from '../spans/live-span.js';
import type { RemoteTiming } from '../spans/server-timing.js';
import { CONNECTION_POOL, SELF_BUSY, WORK_NAMES, WORKS } from '../spans/work.js';
import type { WorkGroup } from '../spans/work-group.js';
import { round } from '../text/round.js';
import { type CauseEvidence, type DominantWork, isSequential } from './cause.js';
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
  /** The innermost operation within it that took most of its time, and is no work that is waited for. */
  readonly spentIn: string | undefined;
}

/** An operation within another that takes this share of its time is where the other waited. */
const MOST = 0.8;
const WORK_TYPES: ReadonlySet<string> = new Set(WORK_NAMES);

/** What the process measured within the time of a slow operation. */
interface ProcessFacts {
  readonly name: string;
  readonly durationMs: number;
  readonly thresholdMs: number;
  readonly resources: ResourceEvidence;
  readonly alone: boolean;
}

/** Collects what was measured of an operation until `now`. */
export function collectEvidence(
  { name, durationMs, thresholdMs, resources, alone }: ProcessFacts,
  live: LiveSpan,
  now: number,
  idle: number,
  watchdog: EventLoopWatchdog,
  limits: RepetitionLimits & { readonly enabled: boolean },
): SlowEvidence {
  const breakdown = live.breakdown(now, idle);
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
  const busyMs = breakdown[SELF_BUSY] as number;
  const { threadCpuMs, cpuRunDelayMs, cpuThrottledMs = 0, cpuUserMs, cpuSystemMs, gcPauseMs } = resources;
  return {
    live,
    durationMs,
    thresholdMs,
    breakdown,
    repetitions,
    groups,
    chain: detects ? chainOf(live) : undefined,
    stalls,
    blockedByOthersMs: stalls.othersMs,
    blockedByOwnMs: stalls.ownMs,
    blockedByUnknownMs: stalls.unknownMs,
    othersShare: stalls.othersShare,
    selfBusyMs: selfBusy(live, now, idle, busyMs),
    cpuMs: threadCpuMs ?? cpuUserMs + cpuSystemMs,
    runDelayMs: cpuRunDelayMs,
    throttledMs: cpuThrottledMs,
    synchronousMs: isIdleCalculated() ? stalls.synchronousMs : 0,
    gcMs: gcPauseMs,
    alone,
    loopBusy: durationMs > 0 ? Math.min(1, busyMs / durationMs) : 0,
    poolIsOwn: all.some(
      ({ work: kind, sumMs, coveredMs }) => kind === CONNECTION_POOL && sumMs > 2 * coveredMs,
    ),
    spentIn: live.completedBelow?.innermost(durationMs * MOST, (type) => !WORK_TYPES.has(type)),
    dominant: (kind) => dominant(kind, groups, live, name, durationMs),
  };
}

/** The part of its busy time in which no child ran. */
function selfBusy(live: LiveSpan, now: number, idle: number, busyMs: number): number {
  if (live.isWork) return 0;
  const selfMs = now - live.startedAt - live.childrenMs(now);
  return Math.max(0, Math.min(busyMs, selfMs - live.selfIdleMs(idle)));
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
  durationMs: number,
): DominantWork | undefined {
  if (work === CONNECTION_POOL) return undefined;
  if (live.work === work) return { name, count: 1, remote: answered(live.remote, durationMs) };
  const most = dominantGroup(work, groups);
  if (most === undefined) return undefined;
  return { name: most.key.name, count: most.started, remote: answered(most.remote, most.maxMs) };
}

function answered(remote: RemoteTiming | undefined, callMs: number): DominantWork['remote'] {
  return remote && { ...remote, callMs: round(callMs) };
}

/** The group of a kind of work that was waited for longest. Several may have one name. */
export function dominantGroup(work: number, groups: readonly WorkGroup[]): WorkGroup | undefined {
  let most: WorkGroup | undefined;
  for (const group of groups)
    if (group.work === work && (most === undefined || group.waitedMs > most.waitedMs)) most = group;
  return most;
}
