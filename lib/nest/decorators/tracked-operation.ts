import { performance } from 'node:perf_hooks';
import { type Context, context, diag, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { boundedName, OPERATION_TYPE_PATTERN, type OperationType } from '../../operation/operation.js';
import { loopIdleMs } from '../../process/loop-idle.js';
import { TYPE_ATTRIBUTE } from '../../spans/classify.js';
import { isErrorOfCaller } from '../../spans/expected-error.js';
import { type LiveSpan, liveSpanOf } from '../../spans/live-span.js';
import { currentTracer, tracingRuntime } from '../../spans/tracing-runtime.js';
import { withdraw } from '../../tracing/work-tracking.js';
import { milliseconds } from '../../validation/checks.js';
import { formatValue, invalid } from '../../validation/options-error.js';

/** How a method or function is measured. */
export interface TrackOptions {
  /** Default `internal`. Custom types are allowed: `calculation`. */
  type?: OperationType | undefined;
  /** The threshold in milliseconds. Default: the threshold of the type. */
  threshold?: number | undefined;
  /** A low-cardinality name. Default `Class.method`, or the name of the function. */
  name?: string | undefined;
}

/** A measured method or function: everything that its calls share. */
export class TrackedOperation {
  readonly durationKey: string;
  readonly slowKey: string;
  readonly errorKey: string;
  readonly eventName: string;

  private constructor(
    readonly type: OperationType,
    readonly name: string,
    readonly thresholdMs: number | undefined,
  ) {
    this.durationKey = `${type}.duration`;
    this.slowKey = `${type}.slow`;
    this.errorKey = `${type}.error`;
    this.eventName = `${type}.slow_operation`;
  }

  /**
   * @param user the API that received the options, for error messages
   * @throws TypeError or RangeError for an invalid type, name or threshold
   */
  static from(
    user: string,
    { type = 'internal', threshold, name }: TrackOptions,
    defaultName: string,
  ): TrackedOperation {
    if (typeof type !== 'string' || !OPERATION_TYPE_PATTERN.test(type)) {
      throw new TypeError(
        invalid(`type of ${user}`, formatValue(type), 'a letter, then up to 63 letters, digits, _, - or .'),
      );
    }
    if (threshold !== undefined && !milliseconds.accepts(threshold)) {
      throw new RangeError(invalid(`threshold of ${user}`, formatValue(threshold), milliseconds.allowed));
    }
    if (name !== undefined && (typeof name !== 'string' || name === '')) {
      throw new TypeError(invalid(`name of ${user}`, formatValue(name), 'a non-empty string'));
    }
    return new TrackedOperation(type, boundedName(name ?? defaultName), threshold);
  }

  /** Starts a call; undefined if monitoring is off. Never throws. */
  start(parent: Context = context.active()): RunningOperation | undefined {
    if (tracingRuntime.monitor === undefined) return undefined;
    try {
      const span = currentTracer().startSpan(
        this.name,
        { kind: SpanKind.INTERNAL, attributes: { [TYPE_ATTRIBUTE]: this.type } },
        parent,
      );
      return new RunningOperation(this, span, parent);
    } catch (error) {
      diag.error('nestjs-performance: an operation could not be measured', error);
      return undefined;
    }
  }
}

/** A running, measured call. */
export class RunningOperation {
  readonly context: Context;
  private readonly startedAt = performance.now();
  private readonly state: LiveSpan | undefined;

  constructor(
    private readonly operation: TrackedOperation,
    private readonly span: Span,
    /** The context that the call was made in. */
    readonly parent: Context,
  ) {
    this.context = trace.setSpan(parent, span);
    this.state = liveSpanOf(span);
    if (this.state === undefined) return;
    this.state.type = operation.type;
    this.state.name = operation.name;
    this.state.thresholdMs = operation.thresholdMs;
  }

  /** Discards the call, because its result is measured instead. */
  abandon(): void {
    if (this.state === undefined) return;
    withdraw(this.state, performance.now(), loopIdleMs());
  }

  succeed(): void {
    this.end(false, undefined);
  }

  fail(error: unknown): void {
    this.end(true, error);
  }

  private end(failed: boolean, error: unknown): void {
    try {
      const { operation, span, state } = this;
      const sink = state?.sink ?? tracingRuntime.monitor?.sink;
      const durationMs = performance.now() - this.startedAt;
      const thresholdMs = operation.thresholdMs ?? sink?.thresholds.ofType(operation.type);
      span.setAttribute(operation.durationKey, durationMs);
      span.setAttribute(operation.errorKey, failed);
      if (thresholdMs !== undefined) {
        const slow = durationMs > thresholdMs;
        span.setAttribute(operation.slowKey, slow);
        if (slow) span.addEvent(operation.eventName, { duration: durationMs, threshold: thresholdMs });
      }
      if (failed) {
        span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      const expectedError = failed && isErrorOfCaller(error);
      if (state !== undefined) state.expectsError = expectedError;
      else {
        sink?.record({
          type: operation.type,
          name: operation.name,
          durationMs,
          thresholdMs,
          error: failed,
          expectedError,
          span,
        });
      }
      span.end();
    } catch (fault) {
      diag.error('nestjs-performance: an operation could not be counted', fault);
    }
  }
}
