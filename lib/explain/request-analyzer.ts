import { context, type Span, trace } from '@opentelemetry/api';
import { UNTRACED } from '../async/untraced.js';
import type { RawFrame } from '../code/call-site.js';
import { PromiseStacks } from '../code/promise-stacks.js';
import { SourceMaps } from '../code/source-maps.js';
import { SourceTexts } from '../code/source-texts.js';
import { ATTRIBUTION, type Shedding } from '../overhead/sheddable.js';
import { EventLoopWatchdog } from '../process/event-loop-watchdog.js';
import { heartbeat } from '../process/heartbeat.js';
import { blockedMs, type Stall } from '../process/stall.js';
import { processProfiler } from '../profiling/process-profiler.js';
import { concurrentRequests } from '../spans/concurrent-requests.js';
import type { EndedOperation } from '../spans/ended-operation.js';
import { type LiveSpan, liveSpanOf, type RequestSink } from '../spans/live-span.js';
import type { ScheduleFault } from '../spans/schedule-fault.js';
import { spanIdsOf } from '../spans/span-ids.js';
import type { SpanTiming } from '../spans/span-timing.js';
import { StackRequests } from '../spans/stack-requests.js';
import type { WorkKey } from '../spans/work-group.js';
import type { ResolvedDetectionOptions } from './detection-options.js';
import { ErrorGroups } from './error-groups.js';
import { Explainer, type SlowFacts, type TimedExplanation } from './explainer.js';
import { Findings } from './findings.js';
import { observeChain, observeRepetition } from './observe-calls.js';
import { observeSchedule } from './observe-schedule.js';
import { observeStall } from './observe-stall.js';
import { RequestFailures } from './request-failures.js';
import { findInRequest } from './request-findings.js';
import { SlowQueries, type SlowQuery } from './slow-queries.js';

/** Loading and compiling right after the start also block the event loop. */
const SETTLING_MS = 1000;

/** A request that does not end is not recorded for longer: a process has one recording, which costs each promise. */
const MAX_RECORDED_MS = 10_000;

/** Explains slow operations, and keeps findings and the statistics of statements. */
export class RequestAnalyzer implements RequestSink {
  /** Distinguishes the modules of one process, which share an event loop. */
  readonly id = Math.random();
  /** Whether it does anything at all. */
  readonly explains: boolean;
  readonly shedding: Shedding = { bits: 0 };
  readonly minRepetitions: number;
  readonly findings: Findings;
  readonly watchdog: EventLoopWatchdog;
  readonly stacks = new StackRequests();
  readonly promiseStacks = new PromiseStacks();
  /** The request that {@link promiseStacks} records. */
  private recorded: LiveSpan | undefined;
  private readonly queries: SlowQueries;
  readonly sources = new SourceMaps();
  private readonly explainer: Explainer;
  private readonly errors: ErrorGroups;
  private readonly failures: RequestFailures;
  private readonly texts = new SourceTexts();
  private readonly nPlusOne: ResolvedDetectionOptions['nPlusOne'];
  private readonly blockLimitMs: number;
  private readonly offBlock: () => void;
  private readonly heartbeat = heartbeat();
  private settling: NodeJS.Timeout | undefined;

  /** @param pausesWithin how long the garbage collector paused the process within a time, which is known later */
  constructor(
    detection: ResolvedDetectionOptions,
    private readonly pausesWithin: (from: number, to: number) => Promise<number | undefined>,
    private readonly onError: (error: unknown, listenersOf?: string) => void,
  ) {
    this.findings = new Findings(detection.maxFindings, onError);
    this.queries = new SlowQueries(detection.maxQueries);
    this.watchdog = new EventLoopWatchdog(detection.eventLoopBlock);
    this.explainer = new Explainer(this.watchdog, this.sources, this.stacks, detection.nPlusOne);
    this.errors = new ErrorGroups(
      {
        prepare: (frames) => this.explainer.prepareSources(frames),
        locate: (frames) => this.explainer.find(frames),
        lines: (url) => context.with(UNTRACED, () => this.texts.lines(url)),
      },
      (observation, callSite) => this.findings.observe(observation, callSite, Date.now()),
      onError,
    );
    this.failures = new RequestFailures(this.errors);
    this.explains = detection.explain;
    this.minRepetitions = detection.nPlusOne.minRepetitions;
    this.nPlusOne = detection.nPlusOne;
    this.blockLimitMs = detection.eventLoopBlock.limitMs;
    this.offBlock = this.watchdog.onBlock((stall) => this.blocked(stall));
    this.heartbeat.isNeeded = () => concurrentRequests.running > 0;
  }

  /** A request, or another outermost span, starts. */
  started({ request }: LiveSpan): void {
    request.startedBefore = concurrentRequests.running++ > 0 ? Number.NaN : concurrentRequests.started;
    concurrentRequests.started++;
    this.heartbeat.wake();
  }

  /** Its route is known: if lines of its work are missing, the stacks of its promises may have them. */
  named(root: LiveSpan): void {
    const { recorded } = this;
    if (recorded !== undefined) {
      if (performance.now() - recorded.startedAt < MAX_RECORDED_MS) return;
      this.stopRecording();
    }
    if ((root.request.sheds & ATTRIBUTION) !== 0) return;
    if (root.request.isStream || !this.stacks.hasEmpty(root.name ?? '')) return;
    this.recorded = root;
    this.promiseStacks.start(() => liveSpanOf(trace.getActiveSpan())?.root === root);
  }

  private stopRecording(): void {
    this.recorded = undefined;
    this.promiseStacks.stop();
  }

  /** It turns out to be a stream, which is no concurrent request to others while it is merely open. */
  markAsStream(root: LiveSpan): void {
    const { request } = root;
    if (request.isStream || root.root !== root || root.ended) return;
    request.isStream = true;
    concurrentRequests.running--;
    if (root === this.recorded) this.stopRecording();
    processProfiler.streams(root);
  }

  /** It has ended: what was repeated within it is now known. */
  ended(root: LiveSpan, now: number): void {
    const { isStream, work, failures } = root.request;
    if (!isStream) concurrentRequests.running--;
    if (root === this.recorded) this.stopRecording();
    if (failures !== undefined) this.failures.ended(root, now);
    if (work === undefined || !this.nPlusOne.enabled || root.duplicate || !root.isWaitedFor) return;
    const route = root.name ?? '(unnamed)';
    const { loaders, chains } = findInRequest(work, this.nPlusOne, now, (repetition) =>
      this.explainer.locate(this.explainer.framesOfRepetition([repetition], root.name ?? '')),
    );
    if (loaders.length === 0 && chains.length === 0) return;
    const { traceId } = root.span.spanContext();
    for (const loader of loaders) {
      const { callSite } = loader;
      const owner = spanIdOf(loader.main.group.owner);
      this.findings.observe(observeRepetition(loader, route, traceId, owner, callSite), callSite, Date.now());
    }
    for (const chain of chains) {
      const callSite = this.explainer.locate(this.stacks.find(chain.fingerprint, route));
      const owner = spanIdOf(chain.owner);
      this.findings.observe(observeChain(chain, route, traceId, owner, callSite), callSite, Date.now());
    }
  }

  /** An operation failed, and its error is no expected one. */
  failed(operation: EndedOperation, live: LiveSpan | undefined, now: number): void {
    if (this.explains) this.failures.failed(operation, live, now);
  }

  /** Whether no other request ran while this one did, until now. */
  hadNoConcurrentRequests({ request }: LiveSpan): boolean {
    return request.startedBefore === concurrentRequests.started - 1;
  }

  explain(facts: SlowFacts, live: LiveSpan, now: number, idle: number): TimedExplanation {
    return this.explainer.explain(facts, live, now, idle);
  }

  recordStatement(
    key: WorkKey,
    durationMs: number,
    slow: boolean,
    error: boolean,
    rows: number | undefined,
    route: string | undefined,
  ): void {
    this.queries.record(key, durationMs, slow, error, rows, route);
    if (slow) this.stacks.ask(key.fingerprint, route ?? '');
  }

  /** Reads the source maps of frames in the background, so that their lines are known when they are shown. */
  prepareSources(frames: readonly RawFrame[]): void {
    void this.explainer.prepareSources(frames);
  }

  scheduleFailed(fault: ScheduleFault, name: string, span: Span | undefined): void {
    if (!this.explains) return;
    this.findings.observe(observeSchedule(fault, name, spanIdsOf(span)), undefined, Date.now());
  }

  getSlowQueries({
    limit = 100,
    all = false,
    route,
  }: {
    limit?: number | undefined;
    all?: boolean | undefined;
    route?: string | undefined;
  } = {}): SlowQuery[] {
    return this.queries.list({
      limit,
      all,
      route,
      locate: (query) => this.explainer.locate(this.stacks.any(query)),
    });
  }

  /** The statements with statistics of their own. */
  get queryCount(): number {
    return this.queries.size;
  }

  get dropped(): { findingEvents: number; queries: number; errors: number } {
    const { findings, queries, errors } = this;
    return { findingEvents: findings.dropped, queries: queries.dropped, errors: errors.dropped };
  }

  clear(): void {
    this.findings.clear();
    this.errors.clear();
    // Captured lines of code are no statistics, and stay.
    this.queries.clear();
  }

  /** Starts to watch the event loop when the application has settled. */
  watch(): void {
    if (!this.explains) return;
    this.settling ??= setTimeout(() => this.watchdog.start(), SETTLING_MS).unref();
  }

  stop(): void {
    clearTimeout(this.settling);
    this.offBlock();
    this.watchdog.stop();
    this.stopRecording();
    this.findings.close();
  }

  private blocked(stall: Stall): void {
    if (stall.operation?.monitor !== undefined && stall.operation.monitor !== this.id) return;
    // Not reported: time taken by the machine or the garbage collector, and blocks of which nothing is known.
    const isShort = blockedMs(stall) < this.blockLimitMs;
    if (isShort || (stall.stack === undefined && stall.operation === undefined)) return;
    this.observeBlock(stall).catch((error: unknown) => this.onError(error));
  }

  private async observeBlock(stall: Stall): Promise<void> {
    const { startedAt, endedAt, stack } = stall;
    const gcMs = (await this.pausesWithin(startedAt, endedAt)) ?? 0;
    if (gcMs > 0.5 * (endedAt - startedAt)) return;
    // The block is over, so its line can be read first.
    await this.explainer.prepareSources(stack ?? []);
    const callSite = this.explainer.locate(stack);
    this.findings.observe(observeStall(stall, callSite), callSite, Date.now());
  }
}

function spanIdOf(owner: SpanTiming): string {
  return (owner as LiveSpan).span.spanContext().spanId;
}
