import { type Context, createContextKey, type Span } from '@opentelemetry/api';
import type { HttpEvidence, OperationType } from './operation.js';
import type { PerformanceMonitor } from './performance-monitor.js';

const STATE: unique symbol = Symbol.for('nestjs-performance.span') as never;

/** Tells which monitor a trace that begins in this context belongs to, where several share one tracer provider. */
export const MONITOR_KEY = createContextKey('nestjs-performance.monitor');

/** Who can say where the time of a served request went; asked only when it was slow. */
export interface HttpEvidenceSource {
  evidence(): HttpEvidence;
}

/**
 * What is known of a live span. It hangs on the span itself and goes with it: there is no table of live spans.
 *
 * Children tell their parent when they start and end, so the time in which at least one of them ran is counted as
 * it passes: exactly, in constant memory and constant time, however many there are and whatever their order.
 */
export class SpanState {
  /** The outermost span of this process's part of the trace. */
  readonly root: SpanState;
  /** Set by who made the span; else it is found from the attributes. */
  type: OperationType | undefined;
  name: string | undefined;
  thresholdMs: number | undefined;
  http: HttpEvidenceSource | undefined;
  /** Seen by nobody: another instrumentation already made a span for the same work. */
  duplicate = false;
  /** It ended and was counted. */
  ended = false;
  /** It or a span below it was slow or failed. Kept on the root. */
  notable = false;
  /** Spans of an unsampled trace that wait for its end. Kept on the root. */
  buffer: unknown;

  /** Whether the parent counts this span among its running children: it does unless it had ended before. */
  private readonly counted: boolean;
  private running = 0;
  private runningSince = 0;
  private coveredMs = 0;

  constructor(
    readonly monitor: PerformanceMonitor,
    readonly span: Span,
    readonly startedAt: number,
    readonly parent: SpanState | undefined,
  ) {
    this.root = parent === undefined ? this : parent.root;
    this.counted = parent !== undefined && !parent.ended;
    if (this.counted) parent?.childStarted(startedAt);
  }

  /** The time in which at least one child ran, until `now`. Children that never end count until then. */
  childrenMs(now: number): number {
    return this.coveredMs + (this.running > 0 ? now - this.runningSince : 0);
  }

  /** Tells the parent that this span ran until `now`. */
  leave(now: number): void {
    const { parent } = this;
    if (this.counted && parent !== undefined && --parent.running === 0)
      parent.coveredMs += now - parent.runningSince;
  }

  private childStarted(now: number): void {
    if (this.running++ === 0) this.runningSince = now;
  }
}

type Carrier = { [STATE]?: SpanState };

/** The state of a live span, or nothing where no {@link SlowSpanProcessor} has seen it. */
export function stateOf(span: object | undefined): SpanState | undefined {
  return span === undefined ? undefined : (span as Carrier)[STATE];
}

/** Hangs the state on its span. */
export function attachState(state: SpanState): void {
  (state.span as Span & Carrier)[STATE] = state;
}

/** The monitor that a context was marked with. */
export function monitorIn(context: Context): PerformanceMonitor | undefined {
  return context.getValue(MONITOR_KEY) as PerformanceMonitor | undefined;
}
