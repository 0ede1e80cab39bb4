import type { RawFrame } from '../code/call-site.js';
import { SourceMaps } from '../code/source-maps.js';
import { EventLoopWatchdog } from '../process/event-loop-watchdog.js';
import type { Stall } from '../process/stall.js';
import { processProfiler } from '../profiling/process-profiler.js';
import { concurrentRequests } from '../spans/concurrent-requests.js';
import type { LiveSpan, RequestSink } from '../spans/live-span.js';
import { StackRequests } from '../spans/stack-requests.js';
import type { WorkKey } from '../spans/work-group.js';
import { isSequential } from './cause.js';
import type { ResolvedDetectionOptions } from './detection-options.js';
import { Explainer, type SlowFacts, type TimedExplanation } from './explainer.js';
import { observeChain, observeRepetition } from './explanation.js';
import { Findings } from './findings.js';
import { observeStall } from './observe-stall.js';
import { findRepetitions } from './repetition.js';
import { SlowQueries, type SlowQuery } from './slow-queries.js';
import { isStarved } from './stalls.js';

/** Loading and compiling right after the start also block the event loop. */
const SETTLING_MS = 1000;

/** Explains slow operations, and keeps findings and the statistics of statements. */
export class RequestAnalyzer implements RequestSink {
  /** Distinguishes the modules of one process, which share an event loop. */
  readonly id = Math.random();
  /** Whether it does anything at all. */
  readonly explains: boolean;
  readonly minRepetitions: number;
  readonly findings: Findings;
  readonly watchdog: EventLoopWatchdog;
  readonly stacks = new StackRequests();
  private readonly queries: SlowQueries;
  readonly sources = new SourceMaps();
  private readonly explainer: Explainer;
  private readonly nPlusOne: ResolvedDetectionOptions['nPlusOne'];
  private readonly offBlock: () => void;
  private settling: NodeJS.Timeout | undefined;

  /** @param gcMsSince how long the garbage collector has paused the process since a moment */
  constructor(
    detection: ResolvedDetectionOptions,
    private readonly gcMsSince: (from: number) => number,
    private readonly onError: (error: unknown) => void,
  ) {
    this.findings = new Findings(detection.maxFindings, onError);
    this.queries = new SlowQueries(detection.maxQueries);
    this.watchdog = new EventLoopWatchdog(detection.eventLoopBlock);
    this.explainer = new Explainer(this.watchdog, this.sources, this.stacks, detection.nPlusOne);
    this.explains = detection.explain;
    this.minRepetitions = detection.nPlusOne.minRepetitions;
    this.nPlusOne = detection.nPlusOne;
    this.offBlock = this.watchdog.onBlock((stall) => this.blocked(stall));
  }

  /** A request, or another outermost span, starts. */
  started({ request }: LiveSpan): void {
    request.startedBefore = concurrentRequests.running++ > 0 ? Number.NaN : concurrentRequests.started;
    concurrentRequests.started++;
  }

  /** It turns out to be a stream, which is no concurrent request to others while it is merely open. */
  markAsStream(root: LiveSpan): void {
    const { request } = root;
    if (request.isStream || root.root !== root || root.ended) return;
    request.isStream = true;
    if (this.explains) concurrentRequests.running--;
    processProfiler.streams(root);
  }

  /** It has ended: what was repeated within it is now known. */
  ended(root: LiveSpan, now: number): void {
    const { isStream, work } = root.request;
    if (!isStream) concurrentRequests.running--;
    if (work === undefined || !this.nPlusOne.enabled || root.duplicate || !root.isWaitedFor) return;
    const route = root.name ?? '(unnamed)';
    const { traceId } = root.span.spanContext();
    for (const repetition of work.mayRepeat ? findRepetitions(work.groups, this.nPlusOne, now) : []) {
      const owner = (repetition.group.owner as LiveSpan).span.spanContext().spanId;
      const callSite = this.explainer.locate(repetition.frames);
      this.findings.observe(
        observeRepetition(repetition, route, traceId, owner, callSite),
        callSite,
        Date.now(),
      );
    }
    const chain = work.chain.best;
    if (!isSequential(chain)) return;
    const owner = (chain.owner as LiveSpan).span.spanContext().spanId;
    const callSite = this.explainer.locate(this.stacks.find(chain.fingerprint, route));
    this.findings.observe(observeChain(chain, route, traceId, owner, callSite), callSite, Date.now());
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

  getSlowQueries({ limit = 100, all = false }: { limit?: number; all?: boolean } = {}): SlowQuery[] {
    return this.queries.list({
      limit,
      all,
      locate: (query) => this.explainer.locate(this.stacks.any(query)),
    });
  }

  get dropped(): { findingEvents: number; queries: number } {
    return { findingEvents: this.findings.dropped, queries: this.queries.dropped };
  }

  clear(): void {
    this.findings.clear();
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
    this.findings.close();
  }

  private blocked(stall: Stall): void {
    if (stall.operation?.monitor !== undefined && stall.operation.monitor !== this.id) return;
    // Not reported: time taken by the machine or the garbage collector, and blocks of which nothing is known.
    const isCollection = this.gcMsSince(stall.startedAt) > 0.5 * (stall.endedAt - stall.startedAt);
    if (isCollection || isStarved(stall) || (stall.stack === undefined && stall.operation === undefined))
      return;
    const observe = (): void => {
      const callSite = this.explainer.locate(stall.stack);
      this.findings.observe(observeStall(stall, callSite), callSite, Date.now());
    };
    // The block is over, so its line can be read first.
    this.explainer
      .prepareSources(stall.stack ?? [])
      .then(observe)
      .catch(this.onError);
  }
}
