import { performance } from 'node:perf_hooks';
import {
  type Context,
  context,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { errorNameOf, reportFault } from '../../async/thrown.js';
import { boundedName, OPERATION_TYPE_PATTERN, type OperationType } from '../../operation/operation.js';
import { isSlow } from '../../operation/thresholds.js';
import { loopIdleMs } from '../../process/loop-idle.js';
import { TYPE_ATTRIBUTE } from '../../spans/classify.js';
import { isErrorOfCaller } from '../../spans/expected-error.js';
import { keepThrown } from '../../spans/failed-operation.js';
import { type LiveSpan, liveSpanOf, type SpanSink, sinkIn } from '../../spans/live-span.js';
import { currentTracer, tracingRuntime } from '../../spans/tracing-runtime.js';
import { withdraw } from '../../tracing/work-tracking.js';
import { milliseconds } from '../../validation/checks.js';
import { formatValue, invalid } from '../../validation/options-error.js';
import { contextOfOwner } from './code-owners.js';
import type { Measured, Measurement } from './track.js';

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
export class TrackedOperation implements Measured {
  readonly key: string;
  readonly durationKey: string;
  readonly slowKey: string;
  readonly errorKey: string;
  readonly eventName: string;

  private constructor(
    readonly type: OperationType,
    readonly name: string,
    readonly thresholdMs: number | undefined,
  ) {
    this.key = `${type} ${name}`;
    this.durationKey = `${type}.duration`;
    this.slowKey = `${type}.slow`;
    this.errorKey = `${type}.error`;
    this.eventName = `${type}.slow_operation`;
  }

  /** A handler of the application, whose type and name come from its decorators. */
  static ofHandler(type: OperationType, name: string, thresholdMs: number | undefined): TrackedOperation {
    return new TrackedOperation(type, boundedName(name), thresholdMs);
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

  start(parent?: Context, self?: unknown): RunningOperation | undefined {
    if (tracingRuntime.monitor === undefined) return undefined;
    try {
      return this.startIn(parent ?? contextOfOwner(context.active(), self));
    } catch (error) {
      reportFault('an operation could not be measured', error);
      return undefined;
    }
  }

  /** Starts a call in a context. May throw what a tracer of the application throws. */
  startIn(within: Context, { kind = SpanKind.INTERNAL, attributes }: SpanOptions = {}): RunningOperation {
    const span = currentTracer().startSpan(
      this.name,
      { kind, attributes: { ...attributes, [TYPE_ATTRIBUTE]: this.type } },
      within,
    );
    return new RunningOperation(this, span, within);
  }
}

/** A running, measured call. */
export class RunningOperation implements Measurement {
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
    if (this.state.parent === undefined) this.state.sink.requests.named(this.state);
  }

  /** Discards the call, because its result is measured instead. */
  abandon(): void {
    if (this.state === undefined) return;
    withdraw(this.state, performance.now(), loopIdleMs());
  }

  /**
   * Ends the span at the limit of calls that are observed. It is exported with `performance.outcome_unknown`, and counted as
   * dropped: its duration until now would be a wrong figure.
   */
  lose(): void {
    try {
      const { span, sink } = this;
      if (sink !== undefined) sink.lostCalls++;
      span.setAttribute('performance.outcome_unknown', true);
      this.abandon();
      span.end();
    } catch (fault) {
      reportFault('an operation could not be ended', fault);
    }
  }

  succeed(): void {
    this.end(false, undefined);
  }

  fail(error: unknown): void {
    this.end(true, error);
  }

  private get sink(): SpanSink | undefined {
    return this.state?.sink ?? sinkIn(this.parent) ?? tracingRuntime.monitor?.sink;
  }

  private end(failed: boolean, error: unknown): void {
    try {
      const { operation, span, state, sink } = this;
      const durationMs = performance.now() - this.startedAt;
      const thresholdMs = operation.thresholdMs ?? sink?.thresholds.ofType(operation.type);
      span.setAttribute(operation.durationKey, durationMs);
      span.setAttribute(operation.errorKey, failed);
      if (thresholdMs !== undefined) {
        const slow = isSlow(durationMs, thresholdMs, this.startedAt + durationMs);
        span.setAttribute(operation.slowKey, slow);
        if (slow) span.addEvent(operation.eventName, { duration: durationMs, threshold: thresholdMs });
      }
      if (failed) {
        span.setAttribute('error.type', errorNameOf(error));
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      const expectedError = failed && isErrorOfCaller(error);
      if (failed && state !== undefined) keepThrown(state, error);
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
          thrown: error,
        });
      }
      span.end();
    } catch (fault) {
      reportFault('an operation could not be counted', fault);
    }
  }
}
