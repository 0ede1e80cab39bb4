import type { CallSite, RawFrame } from '../code/call-site.js';
import { firstUserFrame, isUserCode } from '../code/call-site.js';
import type { SourceMaps } from '../code/source-maps.js';
import type { DriverStatus } from '../operation/driver-status.js';
import type { HttpEvidence, OperationType } from '../operation/operation.js';
import type { EventLoopWatchdog } from '../process/event-loop-watchdog.js';
import type { ResourceEvidence } from '../process/resource-sampler.js';
import type { CpuAttribution } from '../profiling/slow-profiles.js';
import type { LiveSpan } from '../spans/live-span.js';
import type { StackRequests } from '../spans/stack-requests.js';
import { WORK_NAMES, WORKS } from '../spans/work.js';
import { type FindFrame, sampledCalling, stalledCalling } from './calling.js';
import { type RankedCause, rankCauses } from './cause.js';
import { collectorShare, type Explainable, explain } from './explanation.js';
import type { Repetition, RepetitionLimits } from './repetition.js';
import { collectEvidence, dominantGroup, type SlowEvidence } from './slow-evidence.js';
import type { Explanation } from './slow-operation.js';
import { calledFunction, type StallSummary } from './stalls.js';

/** An explanation, and the better ones that follow. */
export interface TimedExplanation {
  readonly now: Explanation;
  /** The same once the source maps of its lines have been read, where there are such. */
  readonly lines?: Promise<Explanation>;
  /** The same with the pauses of collections that were reported later; the explanations that follow have them, too. */
  withCollections?(gcMs: number): Explanation;
  /** The same with the samples of the profiler. */
  withProfile?(profile: CpuAttribution): Promise<Explanation>;
}

/** What is known of a slow operation beside its spans. */
export interface SlowFacts {
  readonly type: OperationType;
  readonly name: string;
  readonly durationMs: number;
  readonly thresholdMs: number;
  /** The median of the operation in milliseconds, once enough is known. */
  readonly expectedMs: number | undefined;
  readonly http: HttpEvidence | undefined;
  /** Of the process within its time. */
  readonly resources: ResourceEvidence;
  readonly alone: boolean;
  readonly drivers: readonly DriverStatus[];
}

/** Explains slow operations: collects what was measured, ranks the causes, and composes the explanation. */
export class Explainer {
  constructor(
    private readonly watchdog: EventLoopWatchdog,
    private readonly sources: SourceMaps,
    private readonly stacks: StackRequests,
    private readonly limits: RepetitionLimits & { readonly enabled: boolean },
  ) {}

  explain(facts: SlowFacts, live: LiveSpan, now: number, idle: number): TimedExplanation {
    let evidence = collectEvidence(facts, live, now, idle, this.watchdog, this.limits);
    const find: FindFrame = (frames) => this.find(frames);
    const framesOf = (repetition: Repetition): readonly RawFrame[] | undefined =>
      this.framesOfRepetition([repetition], live.root.name ?? '');
    const located = (repetition: Repetition): Repetition => ({ ...repetition, frames: framesOf(repetition) });
    const ranked = (): RankedCause[] =>
      rankCauses({
        ...evidence,
        callingShare: (repetition) => stalledCalling(located(repetition), evidence, evidence.stalls, find),
      });
    let causes = ranked();
    const frames = [...(this.framesOf(causes, evidence) ?? []), ...(evidence.stalls.other?.stack ?? [])];
    const compose = (): Explanation => this.compose(facts, evidence, causes);
    return {
      now: compose(),
      ...(frames.length === 0 ? {} : { lines: this.prepareSources(frames).then(compose) }),
      withCollections: (gcMs) => {
        evidence = { ...evidence, gcMs };
        causes = ranked();
        return compose();
      },
      withProfile: async (profile) => {
        await this.prepareSources(evidence.repetitions.flatMap((repetition) => framesOf(repetition) ?? []));
        const better = rankCauses({
          ...withSamples(evidence, profile),
          callingShare: (repetition) =>
            sampledCalling(located(repetition), evidence, profile.packageCalls, find),
        });
        await this.prepareSources(this.framesOf(better, evidence) ?? []);
        return this.compose(facts, evidence, better, profile);
      },
    };
  }

  /** Reads the source maps of frames. */
  async prepareSources(frames: readonly RawFrame[]): Promise<void> {
    for (const { url } of frames) if (isUserCode(url)) await this.sources.prepare(url);
  }

  /** The first line of the user's code in a stack, where there is one. */
  locate(frames: readonly RawFrame[] | undefined): CallSite | undefined {
    return frames === undefined ? undefined : this.find(frames)?.callSite;
  }

  /** The same with its position in the code that runs. */
  find(frames: readonly RawFrame[]): { frame: RawFrame; callSite: CallSite } | undefined {
    const { sources } = this;
    const frame = firstUserFrame(frames, (each) => sources.isUser(each));
    return frame === undefined ? undefined : { frame, callSite: sources.locate(frame) };
  }

  private calledIn(stack: StallSummary['ownStack']): string | undefined {
    return calledFunction(stack, (position) => this.sources.isUser(position));
  }

  private compose(
    facts: SlowFacts,
    evidence: SlowEvidence,
    causes: RankedCause[],
    profile?: CpuAttribution,
  ): Explanation {
    const { repetitions, chain, stalls, live, loopBusy } = evidence;
    const { name, durationMs, thresholdMs, expectedMs, http, drivers } = facts;
    const { gcMs, throttledMs } = evidence;
    const [first] = causes as [RankedCause];
    const [most] = repetitions;
    const captured = this.locate(this.framesOf(causes, evidence));
    const sampled = first.cause === 'cpu' ? profile?.hottestLine : undefined;
    // One stack shows one moment. Where both show the same function, the stack has the line of its call.
    const callSite = sampled?.function === captured?.function ? captured : (sampled ?? captured);
    const explanation = explain({
      name,
      durationMs,
      thresholdMs,
      expectedMs,
      causes,
      repetitions,
      chain,
      callSite,
      loopBusy,
      gcMs,
      throttledMs,
      isWork: live.isWork,
      topFunctions: profile?.topFunctions ?? [],
      running: this.calledIn(stalls.ownStack),
      blocker: this.blockerOf(stalls),
      stage: stageOf(http, evidence.spentIn),
      client: clientOf(http, causes),
      uninstrumented: drivers.filter(({ seen }) => !seen).map(({ driver }) => driver),
      aborted: http?.aborted === true,
    });
    const nPlusOne = most && {
      statement: most.fingerprint,
      count: most.count,
      totalMs: Math.round(most.totalMs),
    };
    return {
      cause: first.cause,
      causeShare: first.share,
      explanation,
      causes,
      // A profile may show another line, or none.
      ...(callSite === undefined && profile === undefined ? {} : { callSite }),
      ...(profile === undefined ? {} : { topFunctions: profile.topFunctions }),
      ...(nPlusOne === undefined ? {} : { nPlusOne }),
    };
  }

  /** The stack behind the first cause, where one was captured. */
  private framesOf(
    [first]: readonly RankedCause[],
    { repetitions, groups, chain, stalls, live }: SlowEvidence,
  ): readonly RawFrame[] | undefined {
    const { cause, operation } = first as RankedCause;
    const route = live.root.name ?? '';
    switch (cause) {
      case 'cpu':
      case 'gc':
        return stalls.ownStack;
      case 'event_loop_blocked':
      case 'cpu_starved':
      case 'connection_pool':
      case 'waiting':
      case 'unknown':
        return undefined;
      case 'n_plus_one':
        return this.framesOfRepetition(
          repetitions.filter(({ name }) => name === operation),
          route,
        );
      case 'sequential_calls':
        return chain === undefined ? undefined : this.stacks.find(chain.fingerprint, route);
      default: {
        const group = live.work < WORKS ? live.group : dominantGroup(WORK_NAMES.indexOf(cause), groups);
        return group === undefined
          ? undefined
          : (group.frames ?? this.stacks.find(group.key.fingerprint, route));
      }
    }
  }

  /** The captured stack of the first repetition that has one, in its request or in an earlier one of the route. */
  framesOfRepetition(repetitions: readonly Repetition[], route: string): readonly RawFrame[] | undefined {
    for (const { frames } of repetitions) if (frames !== undefined) return frames;
    for (const { group } of repetitions) {
      const frames = this.stacks.find(group.key.fingerprint, route);
      if (frames !== undefined) return frames;
      if (group.hasEmptyStack) this.stacks.markEmpty(group.key.fingerprint, route);
    }
    return undefined;
  }

  private blockerOf({ other }: StallSummary): Explainable['blocker'] {
    if (other === undefined) return undefined;
    const { operation, ms, stack } = other;
    return {
      name: operation.rootName === '' ? operation.name : operation.rootName,
      ms,
      running: this.calledIn(stack),
      callSite: this.locate(stack),
    };
  }
}

/** Samples of the whole time are better evidence than some moments. */
function withSamples(evidence: SlowEvidence, { othersShare, topFunctions }: CpuAttribution): SlowEvidence {
  return {
    ...evidence,
    othersShare,
    sampled: true,
    gcShare: collectorShare(topFunctions),
  };
}

/** How it waited for the client for at least half of the time that was waited for something unknown. */
function clientOf(http: HttpEvidence | undefined, causes: readonly RankedCause[]): string | undefined {
  const { uploadMs = 0, downloadMs = 0 } = http ?? {};
  const { ms: waitedMs = 0 } = causes.find(({ cause }) => cause === 'waiting') ?? {};
  if (uploadMs + downloadMs === 0 || uploadMs + downloadMs < waitedMs / 2) return undefined;
  return uploadMs > downloadMs
    ? "waiting for the client's upload"
    : 'waiting: the client read the response slowly';
}

/** Where within an operation most of the time passed, as far as it is known. */
function stageOf(http: HttpEvidence | undefined, spentIn: string | undefined): string | undefined {
  const { beforeHandlerMs = 0, handlerMs = 0, afterHandlerMs = 0, handler } = http ?? {};
  if (spentIn !== undefined) return `in ${spentIn}`;
  if (handler === undefined) return undefined;
  if (beforeHandlerMs > handlerMs + afterHandlerMs)
    return 'before its handler (middleware, guards, pipes, interceptors or the upload of the body)';
  if (afterHandlerMs > handlerMs + beforeHandlerMs)
    return 'after its handler, in interceptors or while the response was written,';
  return `in ${handler}`;
}
