import type { CallSite, RawFrame } from '../code/call-site.js';
import { firstUserFrame, isUserCode } from '../code/call-site.js';
import type { SourceMaps } from '../code/source-maps.js';
import type { DriverStatus } from '../operation/driver-status.js';
import type { HttpEvidence, OperationType } from '../operation/operation.js';
import type { EventLoopWatchdog } from '../process/event-loop-watchdog.js';
import { isIdleLost } from '../process/loop-idle.js';
import type { BlockingOperation } from '../process/stall.js';
import type { HotFunction } from '../profiling/hot-functions.js';
import type { CpuAttribution } from '../profiling/slow-profiles.js';
import { type Chain, snapshotOf } from '../spans/call-chain.js';
import type { LiveSpan } from '../spans/live-span.js';
import type { StackRequests } from '../spans/stack-requests.js';
import { CONNECTION_POOL, capBusyToCpuTime, SELF_IDLE, WORK_IDLE, WORKS } from '../spans/work.js';
import type { WorkGroup } from '../spans/work-group.js';
import { type CauseEvidence, type CauseName, isSequential, type RankedCause, rankCauses } from './cause.js';
import { collectorShare, explain } from './explanation.js';
import { judgeRepetition, type Repetition, type RepetitionLimits } from './repetition.js';
import { calledFunction, type StallSummary, summarizeStalls } from './stalls.js';

/** Why an operation was slow. */
export interface Explanation {
  /** The first of `causes`. */
  cause: CauseName;
  /** Its share of the duration, 0 to 1. */
  causeShare: number;
  /** In words. */
  explanation: string;
  /** All of them, the greatest share first. */
  causes: RankedCause[];
  /** The line of the application's code behind the first cause, where it could be told. */
  callSite?: CallSite;
  /** The functions that its CPU time was spent in, by self time, where it was sampled. */
  topFunctions?: readonly HotFunction[];
  /** What was repeated the most, where something was. */
  nPlusOne?: { statement: string; count: number; totalMs: number };
}

/** An explanation, which is told better once more is known. */
export interface TimedExplanation {
  readonly now: Explanation;
  /** The same once the source maps of its lines have been read, where there are such. */
  readonly lines?: Promise<Explanation>;
  /** The same with the code that was seen to run. */
  withProfile?(seen: CpuAttribution): Promise<Explanation>;
}

/** What was found in a slow operation. */
interface Seen {
  readonly repetitions: readonly Repetition[];
  readonly groups: readonly WorkGroup[];
  readonly chain: Chain | undefined;
  readonly stalls: StallSummary;
  readonly state: LiveSpan;
}

/** What is known of a slow operation beside its tree. */
export interface SlowFacts {
  readonly type: OperationType;
  readonly name: string;
  readonly durationMs: number;
  readonly thresholdMs: number;
  readonly expectedMs: number | undefined;
  readonly http: HttpEvidence | undefined;
  /** Of the process within its time: pauses of the collector, and CPU time. */
  readonly gcMs: number;
  readonly cpuMs: number;
  readonly alone: boolean;
  readonly drivers: readonly DriverStatus[];
}

/** Puts together what is known of a slow operation: its tree, its groups of work, stalls and pauses. */
export class Explainer {
  constructor(
    private readonly watchdog: EventLoopWatchdog,
    private readonly sources: SourceMaps,
    private readonly stacks: StackRequests,
    private readonly limits: RepetitionLimits & { readonly enabled: boolean },
  ) {}

  explain(facts: SlowFacts, state: LiveSpan, now: number, idle: number): TimedExplanation {
    const { durationMs } = facts;
    const breakdown = state.breakdown(now, idle);
    if (isIdleLost()) capBusyToCpuTime(breakdown, facts.cpuMs);
    const work = state.request.work;
    const groups = work === undefined ? [] : work.groups.filter(({ owner }) => state.contains(owner));
    const detects = this.limits.enabled && state.isWaitedFor;
    const repetitions = detects ? this.repetitions(groups, now) : [];
    const others = groups.filter((group) => repetitions.every((one) => one.group !== group));
    const best = work?.chain.best;
    // A copy: the request may go on, and its chain with it.
    const chain = detects && isSequential(best) && state.contains(best.owner) ? snapshotOf(best) : undefined;
    const from = state.startedAt;
    const stalls = summarizeStalls(
      this.watchdog.stallsWithin(from, now),
      this.watchdog.momentsWithin(from, now),
      from,
      now,
      (operation) => isOwn(operation, state),
    );
    const evidence: CauseEvidence = {
      durationMs,
      breakdown,
      repetitions,
      chain,
      blockedByOthersMs: stalls.othersMs,
      blockedByOwnMs: stalls.ownMs,
      blockedByUnknownMs: stalls.unknownMs,
      othersShare: stalls.othersShare,
      cpuMs: facts.cpuMs,
      gcMs: facts.gcMs,
      alone: facts.alone,
      poolIsOwn: groups.some(
        ({ work: kind, sumMs, coveredMs }) => kind === CONNECTION_POOL && sumMs > 2 * coveredMs,
      ),
      dominant: (kind) => dominant(kind, others, state, facts.name),
    };
    const seen = { repetitions, groups: others, chain, stalls, state };
    const frames = this.framesOf(rankCauses(evidence)[0] as RankedCause, seen);
    const idleMs = (breakdown[SELF_IDLE] as number) + (breakdown[WORK_IDLE] as number);
    const most = repetitions[0];
    // What was sampled all along is better evidence than some moments.
    const rank = (running?: CpuAttribution): RankedCause[] =>
      running === undefined
        ? rankCauses(evidence)
        : rankCauses({
            ...evidence,
            othersShare: running.othersShare,
            sampled: true,
            gcShare: collectorShare(running.topFunctions),
          });
    const explained = (running?: CpuAttribution): Explanation => {
      const causes = rank(running);
      const first = causes[0] as RankedCause;
      const callSite = this.locate(this.framesOf(first, seen));
      return {
        cause: first.cause,
        causeShare: first.share,
        explanation: explain({
          name: facts.name,
          durationMs,
          thresholdMs: facts.thresholdMs,
          expectedMs: facts.expectedMs,
          waits: state.work < WORKS,
          causes,
          repetitions,
          chain,
          callSite,
          topFunctions: running?.topFunctions ?? [],
          running: calledFunction(stalls.ownStack),
          blocker: this.blockerOf(stalls),
          stage: stageOf(facts.http),
          unseen: facts.drivers.filter(({ seen }) => !seen).map(({ driver }) => driver),
          aborted: facts.http?.aborted === true,
          loopBusy: durationMs > 0 ? Math.max(0, 1 - idleMs / durationMs) : 0,
          gcMs: facts.gcMs,
        }),
        causes,
        ...(callSite === undefined && running === undefined ? {} : { callSite }),
        ...(running === undefined ? {} : { topFunctions: running.topFunctions }),
        ...(most === undefined
          ? {}
          : {
              nPlusOne: { statement: most.fingerprint, count: most.count, totalMs: Math.round(most.totalMs) },
            }),
      };
    };
    const sources = [...(frames ?? []), ...(stalls.other?.stack ?? [])];
    return {
      now: explained(),
      withProfile: async (running) => {
        await this.prepare(this.framesOf(rank(running)[0] as RankedCause, seen) ?? []);
        return explained(running);
      },
      ...(sources.length === 0 ? {} : { lines: this.prepare(sources).then(() => explained()) }),
    };
  }

  /** Begins to read the source maps of these frames. */
  async prepare(frames: readonly RawFrame[]): Promise<void> {
    for (const { url } of frames) if (isUserCode(url)) await this.sources.prepare(url);
  }

  /** Every repetition among these groups, the one that took the most time first. */
  repetitions(groups: Iterable<WorkGroup>, now: number): Repetition[] {
    const result: Repetition[] = [];
    for (const group of groups) {
      const repetition = judgeRepetition(group, this.limits, now);
      if (repetition !== undefined) result.push(repetition);
    }
    return result.sort((a, b) => b.totalMs - a.totalMs);
  }

  /** The first line of the user's code in a stack, where there is one. */
  locate(frames: readonly RawFrame[] | undefined): CallSite | undefined {
    const frame = frames === undefined ? undefined : firstUserFrame(frames);
    return frame === undefined ? undefined : this.sources.locate(frame);
  }

  /** The stack behind a cause, where one was taken; of work that mattered for the first time it is asked for. */
  private framesOf({ cause, operation }: RankedCause, seen: Seen): readonly RawFrame[] | undefined {
    const { repetitions, groups, chain, stalls, state } = seen;
    const route = state.root.name ?? '';
    switch (cause) {
      case 'cpu':
      case 'gc':
        return stalls.ownStack;
      case 'event_loop_blocked':
      case 'connection_pool':
      case 'waiting':
      case 'unknown':
        return undefined;
      case 'n_plus_one':
        return repetitions.find(({ name, frames }) => name === operation && frames !== undefined)?.frames;
      case 'sequential_calls':
        return chain === undefined ? undefined : this.stacks.find(chain.fingerprint, route);
      default: {
        const group = state.work < WORKS ? state.group : groups.find(({ key }) => key.name === operation);
        return group === undefined
          ? undefined
          : (group.frames ?? this.stacks.find(group.key.fingerprint, route));
      }
    }
  }

  private blockerOf({ other }: StallSummary): Parameters<typeof explain>[0]['blocker'] {
    if (other === undefined) return undefined;
    const { operation, ms, stack } = other;
    return {
      name: operation.rootName === '' ? operation.name : operation.rootName,
      ms,
      running: calledFunction(stack),
      callSite: this.locate(stack),
    };
  }
}

/** Whether what held the loop is the operation's own work. Work that is waited for holds no loop itself. */
function isOwn({ spanId, rootSpanId }: BlockingOperation, state: LiveSpan): boolean {
  if (spanId === state.span.spanContext().spanId) return true;
  return state.work >= WORKS && rootSpanId === state.root.span.spanContext().spanId;
}

function dominant(
  work: number,
  groups: readonly WorkGroup[],
  state: LiveSpan,
  name: string,
): { name: string; count: number } | undefined {
  if (work === CONNECTION_POOL) return undefined;
  if (state.work === work) return { name, count: 1 };
  let most: WorkGroup | undefined;
  for (const group of groups) {
    if (group.work === work && (most === undefined || group.coveredMs > most.coveredMs)) most = group;
  }
  return most === undefined ? undefined : { name: most.key.name, count: most.started };
}

/** Where within a served request most of the time passed. */
function stageOf(http: HttpEvidence | undefined): string | undefined {
  const { beforeHandlerMs = 0, handlerMs = 0, afterHandlerMs = 0, handler } = http ?? {};
  if (handler === undefined) return undefined;
  if (beforeHandlerMs > handlerMs + afterHandlerMs)
    return 'before its handler, in middleware, guards or the upload of the body,';
  if (afterHandlerMs > handlerMs + beforeHandlerMs)
    return 'after its handler, while the response was written,';
  return `in ${handler}`;
}
