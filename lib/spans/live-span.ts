import { type Context, createContextKey, type Span, SpanKind } from '@opentelemetry/api';
import type { RawFrame } from '../code/call-site.js';
import type { PromiseStacks } from '../code/promise-stacks.js';
import type { HttpEvidenceSource, OperationType } from '../operation/operation.js';
import type { Thresholds } from '../operation/thresholds.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { type Shedding, WATERFALL } from '../overhead/sheddable.js';
import { CompletedSpans } from './completed-spans.js';
import type { EndedOperation } from './ended-operation.js';
import type { OperationLog } from './operation-log.js';
import type { RequestLines } from './request-lines.js';
import { RequestState } from './request-state.js';
import type { ScheduleFault } from './schedule-fault.js';
import type { RemoteTiming } from './server-timing.js';
import type { SpanDescription } from './span-description.js';
import { SpanTiming } from './span-timing.js';
import type { StackRequests } from './stack-requests.js';
import { WORKS } from './work.js';
import type { Inputs, WorkGroup, WorkKey } from './work-group.js';

export const LIVE_SPAN: unique symbol = Symbol.for('nestjs-performance.span') as never;

/** The sink of a trace that starts in this context, where several modules share one tracer provider. */
export const SINK_KEY = createContextKey('nestjs-performance.monitor');

/** What live spans report to: the side of a `PerformanceMonitor` that the path of a request sees. */
export interface SpanSink {
  readonly requests: RequestSink;
  readonly thresholds: Thresholds;
  /** Set during a recording of `nestjs-performance/testing`. */
  readonly recorder: OperationRecorder | undefined;
  /** Set where `logging.keep` is on. */
  readonly lines: RequestLines | undefined;
  /** Calls of measured methods whose end could not be seen, because too many were pending at once. */
  lostCalls: number;
  /**
   * Counts an operation that ended. When it was slow, annotates its span and keeps it with its evidence.
   * @param now milliseconds on the clock of `performance.now()`
   * @param idle how long the event loop has been idle until then, in milliseconds
   * @returns whether it was slow
   */
  record(operation: EndedOperation, now?: number, idle?: number): boolean;
}

/** What is reported of requests, and of the work that they wait for, to explain them. */
export interface RequestSink {
  /** Distinguishes the modules of one process, which share an event loop. */
  readonly id: number;
  /** `detection.explain` */
  readonly explains: boolean;
  /** What pauses because this package itself took too much CPU time. */
  readonly shedding: Shedding;
  /** `detection.nPlusOne.minRepetitions` */
  readonly minRepetitions: number;
  /** The pieces of work whose stack is to be captured on the next execution. */
  readonly stacks: StackRequests;
  /** The stacks at which promises were created, in a request whose work had no line of the application before. */
  readonly promiseStacks: PromiseStacks;
  /** A request, or another outermost span, starts. */
  started(root: LiveSpan): void;
  /** The route of a request, or the name of another outermost span, is known. */
  named(root: LiveSpan): void;
  ended(root: LiveSpan, now: number): void;
  /** A request turns out to be a stream. */
  markAsStream(root: LiveSpan): void;
  /** @param route the name of the operation within which the statement ran */
  recordStatement(
    key: WorkKey,
    durationMs: number,
    slow: boolean,
    error: boolean,
    rows: number | undefined,
    route: string | undefined,
  ): void;
  /** Reads the source maps of frames in the background, before their lines are shown. */
  prepareSources(frames: readonly RawFrame[]): void;
  /** Runs of a schedule overlapped, or did not happen. */
  scheduleFailed(fault: ScheduleFault, name: string, span: Span | undefined): void;
}

/** Receives every operation while a test records, see `nestjs-performance/testing`. */
export interface OperationRecorder {
  /** Called within the call that starts it, so that the stack shows the caller. */
  started(live: LiveSpan): void;
  /**
   * A connection is requested from a pool that has one free, which creates no span. Returns a function to call when the pool
   * hands it over.
   */
  connectionRequested?(parent: LiveSpan | undefined): () => void;
  /** A request reached the application and is not measured: its path is ignored, or it was injected beside another tool. */
  unmeasured?(request: object): void;
  /** Called before the span is redacted. `counted` is absent for a span that is not counted. */
  ended(
    live: LiveSpan,
    counted?: { type: OperationType; name: string; durationMs: number; thresholdMs?: number; error: boolean },
  ): void;
}

/** The measurements of a span, attached to the span itself: there is no table of live spans. */
export class LiveSpan extends SpanTiming {
  declare readonly parent: LiveSpan | undefined;
  /** Shared by all spans of the request. */
  readonly request: RequestState;
  /** Set by the code that created the span, otherwise when it ends. */
  type: OperationType | undefined = undefined;
  name: string | undefined = undefined;
  thresholdMs: number | undefined = undefined;
  http: HttpEvidenceSource | undefined = undefined;
  /** It is not counted: another instrumentation created a span for the same work. */
  duplicate = false;
  /** Its error, if it has one, is no failure of the service. */
  expectsError = false;
  /** Of work that is waited for: its group within the request, the hashes and number of its values, and the rows of the result. */
  group: WorkGroup | undefined = undefined;
  inputs: Inputs | undefined = undefined;
  size: number | undefined = undefined;
  rows: number | undefined = undefined;
  /** Of an outgoing call: what the called service says of its time. */
  remote: RemoteTiming | undefined = undefined;
  /** Its text was executed before the request started, so that no value in it comes from the request. */
  constant = false;
  /** The request waited for nothing else when it started. */
  alone = false;
  /** The stack at its start, where it was captured. */
  frames: readonly RawFrame[] | undefined = undefined;
  /** The spans that completed below it, until it ends itself. */
  completedBelow: CompletedSpans | undefined = undefined;
  /** See {@link NoticedSpan}. */
  executionNumber = 0;
  executionPeriod = 0;
  executionChildren = 0;
  executionChildrenSum = 0;

  /**
   * @param work its kind of work, see {@link workOf}
   * @param lateMs how long ago it started, if it was created afterwards
   * @param description of work that is waited for; other spans are described when they end, because their names may change
   */
  constructor(
    readonly sink: SpanSink,
    readonly span: Span,
    work: number,
    public description: SpanDescription | undefined,
    now: number,
    idle: number,
    parent: LiveSpan | undefined,
    lateMs = 0,
  ) {
    super(parent, work, now, idle, lateMs);
    // A test that records is judged by all of it.
    const sheds = sink.recorder === undefined ? sink.requests.shedding.bits : 0;
    this.request = parent === undefined ? new RequestState(sheds) : parent.request;
  }

  /** Whether it is work that is waited for, without own code. */
  get isWork(): boolean {
    return this.work < WORKS;
  }

  /** What was logged while it ran, if anything. Of work that is waited for, nothing: others log at the same time. */
  get log(): OperationLog | undefined {
    return this.isWork ? undefined : this.sink.lines?.since(this.startedAt, this.request);
  }

  /** Passes itself, and what completed below it, to the span around it. Call it after its end. */
  reportToParent(durationMs: number, failed: boolean): void {
    // What a piece of work contains shows whether it is counted.
    if ((this.request.sheds & WATERFALL) !== 0 && this.parent?.isWork !== true) return;
    const measured = meter.enter(COST.waterfall);
    try {
      this.passToParent(durationMs, failed);
    } finally {
      meter.leave(COST.waterfall, measured);
    }
  }

  private passToParent(durationMs: number, failed: boolean): void {
    const { completedBelow, parent } = this;
    this.completedBelow = undefined;
    const around = parent === undefined ? undefined : nearestRunningAncestor(parent);
    if (around === undefined) return;
    if (this.duplicate && completedBelow === undefined) return;
    around.completedBelow ??= new CompletedSpans();
    if (this.duplicate) around.completedBelow.addAll(completedBelow as CompletedSpans);
    else {
      const { name = '', type = 'internal' } = this;
      around.completedBelow.add(name, type, this.startedAt, durationMs, failed, completedBelow);
    }
  }

  /** Whether somebody waits for the result: its root is an incoming request, or what a handler does, and no stream. */
  get isWaitedFor(): boolean {
    const { isHandled, isStream } = this.request;
    const { kind } = this.root.span as Span & { kind?: SpanKind };
    return (isHandled || kind === SpanKind.SERVER || kind === SpanKind.CONSUMER) && !isStream;
  }
}

/** How many ended ancestors are skipped before the root is used. */
const MAX_SKIPPED = 16;

/** The span itself, or the nearest one around it that still runs. */
export function nearestRunningAncestor(span: LiveSpan): LiveSpan | undefined {
  let at: LiveSpan | undefined = span;
  for (let skipped = 0; at?.ended === true && skipped < MAX_SKIPPED; skipped++) at = at.parent;
  if (at?.ended === true) at = at.root;
  return at?.ended === true ? undefined : at;
}

type Carrier = { [LIVE_SPAN]?: LiveSpan };

/** The live span of an OpenTelemetry span, or undefined if no {@link SlowSpanProcessor} has seen it. */
export function liveSpanOf(span: object | null | undefined): LiveSpan | undefined {
  if (span === undefined || span === null) return undefined;
  try {
    const live = (span as Carrier)[LIVE_SPAN];
    // A Proxy may return any value.
    return typeof live?.startedAt === 'number' ? live : undefined;
  } catch {
    return undefined;
  }
}

export function attachLiveSpan(live: LiveSpan): void {
  (live.span as Span & Carrier)[LIVE_SPAN] = live;
}

/** The sink that was set in a context. */
export function sinkIn(context: Context): SpanSink | undefined {
  return context.getValue(SINK_KEY) as SpanSink | undefined;
}
