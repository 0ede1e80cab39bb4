import { type Context, createContextKey, type Span, SpanKind } from '@opentelemetry/api';
import type { RawFrame } from '../code/call-site.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { HttpEvidence, OperationType } from '../operation/operation.js';
import { CompletedSpans } from './completed-spans.js';
import type { RequestWork } from './request-work.js';
import { isBackdated, SpanTiming } from './span-timing.js';
import type { KnownStatement } from './statement.js';
import { WORKS } from './work.js';
import type { Inputs, WorkGroup } from './work-group.js';

const STATE: unique symbol = Symbol.for('nestjs-performance.span') as never;

/** Tells which monitor a trace that begins in this context belongs to, where several share one tracer provider. */
export const SINK_KEY = createContextKey('nestjs-performance.monitor');

/** Who can say where the time of a served request went; asked only when it was slow. */
export interface HttpEvidenceSource {
  readonly statusCode: number;
  evidence(): HttpEvidence;
}

/**
 * What is known of a live span. It hangs on the span itself and goes with it: there is no table of live spans.
 */
export class LiveSpan extends SpanTiming {
  declare readonly parent: LiveSpan | undefined;
  /** Set by who made the span; else it is found from the attributes. */
  type: OperationType | undefined;
  name: string | undefined;
  thresholdMs: number | undefined;
  http: HttpEvidenceSource | undefined;
  /** Seen by nobody: another instrumentation already made a span for the same work. */
  duplicate = false;
  /** Its error, if it has one, does not mean that the service is broken. */
  expectsError = false;
  /** It or a span below it was slow or failed. Kept on the root. */
  notable = false;
  /** Spans of an unsampled trace that wait for its end. Kept on the root. */
  buffer: unknown;
  /** Requests that had begun before, or NaN where one still ran. Kept on the root. */
  concurrentRequests = Number.NaN;
  /** It is open for as long as somebody listens, as a stream of events is: nobody waits for its end. Kept on the root. */
  isStream = false;
  /** Statements that ended below it. Kept on the root. */
  statements = 0;
  /** What all spans below wait for. Kept on the root. */
  requestWork: RequestWork | undefined;
  /** Of work that is waited for: its like within the request, its statement, its values and
   * their number, and the rows it brought. */
  group: WorkGroup | undefined;
  statement: KnownStatement | undefined;
  inputs: Inputs | undefined;
  size: number | undefined;
  /** Its text was known before the request began, so that no value in it comes from there. */
  constant = false;
  rows: number | undefined;
  /** Nothing else was waited for when it began. */
  alone = false;
  /** The stack at its start, where it was taken. */
  frames: readonly RawFrame[] | undefined;
  /** What ended below it, from the first one on and until it ends itself. */
  endedBelow: CompletedSpans | undefined;
  /** See {@link NoticedSpan}. */
  executionNumber = 0;
  executionPeriod = 0;
  executionChildren = 0;
  executionChildrenSum = 0;
  /** CPU time of the process when a root began, in milliseconds; 0 where nothing is sampled. */
  cpuStartMs = 0;

  constructor(
    readonly monitor: PerformanceMonitor,
    readonly span: Span,
    work: number,
    now: number,
    idle: number,
    parent: LiveSpan | undefined,
  ) {
    super(parent, work, now, idle);
  }

  /** Whether it is work that is waited for, and no code. */
  get isWork(): boolean {
    return this.work < WORKS;
  }

  /**
   * When it began by what it says of itself: some libraries make their spans when all is over.
   * @param now the moment in which it ends
   */
  beganAt(now: number, durationMs: number): number {
    return isBackdated(durationMs, now - this.startedAt) ? now - durationMs : this.startedAt;
  }

  /** Hands itself, and what ended below it, to the span around it. It has ended. */
  reportToParent(now: number, durationMs: number, failed: boolean): void {
    const { endedBelow, parent } = this;
    this.endedBelow = undefined;
    const around = parent === undefined ? undefined : running(parent);
    if (around === undefined) return;
    if (this.duplicate && endedBelow === undefined) return;
    around.endedBelow ??= new CompletedSpans();
    if (this.duplicate) around.endedBelow.addAll(endedBelow as CompletedSpans);
    else {
      const { name = '', type = 'internal' } = this;
      around.endedBelow.add(name, type, this.beganAt(now, durationMs), durationMs, failed, endedBelow);
    }
  }

  /** Whether somebody waits for the answer: its trace came in by a server or as a message, and is no stream. */
  get isWaitedFor(): boolean {
    const { kind } = this.root.span as Span & { kind?: SpanKind };
    return (kind === SpanKind.SERVER || kind === SpanKind.CONSUMER) && !this.root.isStream;
  }
}

/** How many spans that have ended are passed on the way to one that runs. */
const MAX_PASSED = 16;

/** The span, or the next one around it that still runs. */
function running(span: LiveSpan): LiveSpan | undefined {
  let at: LiveSpan | undefined = span;
  for (let passed = 0; at?.ended === true && passed < MAX_PASSED; passed++) at = at.parent;
  if (at?.ended === true) at = at.root;
  return at?.ended === true ? undefined : at;
}

type Carrier = { [STATE]?: LiveSpan };

/** The state of a live span, or nothing where no {@link SlowSpanProcessor} has seen it. */
export function stateOf(span: object | null | undefined): LiveSpan | undefined {
  if (span === undefined || span === null) return undefined;
  try {
    const state = (span as Carrier)[STATE];
    // A Proxy answers anything.
    return typeof state?.startedAt === 'number' ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Hangs the state on its span. */
export function attachState(state: LiveSpan): void {
  (state.span as Span & Carrier)[STATE] = state;
}

/** The monitor that a context was marked with. */
export function sinkIn(context: Context): PerformanceMonitor | undefined {
  return context.getValue(SINK_KEY) as PerformanceMonitor | undefined;
}
