import { performance } from 'node:perf_hooks';
import { type Context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { reportFault } from '../async/thrown.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { OperationType } from '../operation/operation.js';
import { isSlow } from '../operation/thresholds.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { loopIdleMs } from '../process/loop-idle.js';
import { processProfiler } from '../profiling/process-profiler.js';
import { classify } from '../spans/classify.js';
import { isExpectedError } from '../spans/expected-error.js';
import { attachLiveSpan, LiveSpan, liveSpanOf, type SpanSink, sinkIn } from '../spans/live-span.js';
import { redact, withhold } from '../spans/redact.js';
import {
  DURATION_MS,
  ENDED_MS,
  type EndedSdkSpan,
  lateBy,
  type SdkSpan,
  type SdkSpanProcessor,
  STARTED_MS,
  type TimedSpan,
  toMilliseconds,
} from '../spans/sdk-span.js';
import { DESCRIPTION, describeSpan, type SpanDescription } from '../spans/span-description.js';
import { knownStatements } from '../spans/statement.js';
import { tracingRuntime } from '../spans/tracing-runtime.js';
import { DATABASE, SELF_BUSY, WORKS, workOf } from '../spans/work.js';
import { SERVED_KEY } from './active-request.js';
import { isServerSpan } from './application-spans.js';
import type { ServedRequest } from './served-request.js';
import { beginWork, beginWorkLate, endWork } from './work-tracking.js';

/**
 * Counts every span as an operation, and annotates the slow ones before they end.
 *
 * The module adds it to its own tracer provider. An application with its own provider adds it there:
 * `new NodeSDK({ spanProcessors: [new BatchSpanProcessor(exporter), new SlowSpanProcessor()] })`. The order of the
 * processors does not matter, because every `onEnding` runs before any `onEnd`. With an SDK without `onEnding` (before 2.3),
 * operations are counted and spans are not annotated.
 */
export class SlowSpanProcessor implements SdkSpanProcessor {
  private redacting = false;

  /** @param monitor the monitor that counts the spans. Default: that of the running module. */
  constructor(private readonly monitor?: PerformanceMonitor) {
    tracingRuntime.processors++;
  }

  /**
   * Removes values from the spans, too, before they are exported: literals of statements, query strings, headers, bodies,
   * credentials, and the values in errors.
   */
  withRedaction(): this {
    this.redacting = true;
    return this;
  }

  onStart(span: SdkSpan, parentContext: Context): void {
    const measured = meter.enter(COST.spanStart);
    try {
      // Another SlowSpanProcessor of the same provider has handled it.
      if (liveSpanOf(span) !== undefined) return;
      const active = liveSpanOf(trace.getSpan(parentContext));
      // A span that has ended is replaced by its root: a method that reschedules itself must not create an endless chain.
      const parent = active?.ended === true ? active.root : active;
      const sink =
        parent?.sink ?? this.monitor?.sink ?? sinkIn(parentContext) ?? tracingRuntime.monitor?.sink;
      if (sink === undefined) return;
      const now = (span as TimedSpan)[STARTED_MS] ?? performance.now();
      const live = this.begin(sink, span, parent, now);
      if (span.kind === SpanKind.SERVER) offerToRequest(span, parent, parentContext);
      processProfiler.started(live, now);
      sink.recorder?.started(live);
    } catch (error) {
      report(error);
    } finally {
      meter.leave(COST.spanStart, measured);
    }
  }

  onEnding(span: SdkSpan): void {
    let live: LiveSpan | undefined;
    const measured = meter.enter(COST.spanEnd);
    try {
      live = liveSpanOf(span);
      if (live !== undefined && !live.ended) this.end(live, span);
    } catch (error) {
      report(error);
    }
    if (this.redacting) this.redact(span, live?.description);
    meter.leave(COST.spanEnd, measured);
  }

  onEnd(span: EndedSdkSpan): void {
    const live = liveSpanOf(span);
    if (live !== undefined && !live.ended) this.onEnding(live.span as SdkSpan);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {
    tracingRuntime.processors--;
  }

  /** A span that cannot be redacted is exported without its texts. */
  private redact(span: SdkSpan, description: SpanDescription | undefined): void {
    try {
      redact(span, knownStatements, description);
    } catch (error) {
      withhold(span);
      reportFault('redacting a span failed, its texts are hidden', error);
    }
  }

  private begin(sink: SpanSink, span: SdkSpan, parent: LiveSpan | undefined, now: number): LiveSpan {
    if (!sink.requests.explains) {
      const live = new LiveSpan(sink, span, SELF_BUSY, undefined, now, 0, parent);
      attachLiveSpan(live);
      if (parent === undefined) sink.requests.started(live);
      return live;
    }
    const idle = loopIdleMs();
    let { [DESCRIPTION]: description } = span as { [DESCRIPTION]?: SpanDescription };
    let work = description?.work;
    if (work === undefined && isHandled(span.kind)) work = SELF_BUSY;
    if (work === undefined) {
      const type = classify(span);
      work = workOf(type, span.kind);
      if (work < WORKS) description = describeSpan(span, knownStatements, type, work);
    }
    const live = new LiveSpan(sink, span, work, description, now, idle, parent, lateBy(span));
    attachLiveSpan(live);
    if (parent === undefined) sink.requests.started(live);
    else if (description !== undefined) beginWork(live, description);
    return live;
  }

  private end(live: LiveSpan, span: SdkSpan): void {
    const { sink } = live;
    const now = (span as TimedSpan)[ENDED_MS] ?? performance.now();
    const idle = sink.requests.explains ? loopIdleMs() : 0;
    const durationMs = (span as TimedSpan)[DURATION_MS] ?? toMilliseconds(span.duration);
    const description = this.describe(live, span);
    const waitedMs = live.end(now, idle);
    try {
      if (!live.duplicate) this.count(live, span, description, durationMs, waitedMs, now, idle);
    } finally {
      processProfiler.ended(live, now);
      if (live.root === live) {
        sink.requests.ended(live, now);
        sink.lines?.release(live.request);
      }
      sink.recorder?.ended(live);
      if (sink.requests.explains) live.reportToParent(durationMs, span.status.code === SpanStatusCode.ERROR);
    }
  }

  /**
   * The description of a span that ends. Work that is waited for is described again only if attributes may have been set
   * after its start. Undefined if the code that created the span has set type and name.
   */
  private describe(live: LiveSpan, span: SdkSpan): SpanDescription | undefined {
    const { description: known, type, name } = live;
    if (known?.isFinal === true && (type === undefined || type === known.type)) return known;
    if (type !== undefined && name !== undefined && type !== 'database') return known;
    const description = describeSpan(span, knownStatements, live.type);
    live.description = description;
    const isLate = live.work >= WORKS && description.work < WORKS && live.type === undefined;
    if (isLate && live.parent !== undefined && live.sink.requests.explains) {
      live.work = description.work;
      beginWorkLate(live, description);
    }
    return description;
  }

  private count(
    live: LiveSpan,
    span: SdkSpan,
    description: SpanDescription | undefined,
    durationMs: number,
    waitedMs: number,
    now: number,
    idle: number,
  ): void {
    const { sink, request } = live;
    const statement = description?.statement;
    live.type ??= description?.type ?? 'internal';
    live.name ??= description?.name ?? span.name;
    const { type, name } = live;
    const error = span.status.code === SpanStatusCode.ERROR;
    if (error) request.isNotable = true;
    const blocks = description?.isBlocking === true || (live.root === live && isCursorRead(description));
    const thresholdMs = blocks
      ? Number.POSITIVE_INFINITY
      : (live.thresholdMs ?? thresholdOf(sink, type, name));
    const slow = isSlow(durationMs, thresholdMs, now, live.http?.clientMs);
    if (live.work < WORKS) {
      if (live.work === DATABASE) request.statements++;
      if (live.root !== live && description !== undefined)
        endWork(live, description, durationMs, waitedMs, error, now, idle);
      if (statement !== undefined && statement.key.effect !== 'control') {
        const route = live.root === live ? undefined : live.root.name;
        sink.requests.recordStatement(statement.key, durationMs, slow, error, live.rows, route);
      }
    }
    sink.recorder?.ended(live, { type, name, durationMs, thresholdMs, error });
    sink.record(
      {
        type,
        name,
        durationMs,
        thresholdMs,
        error,
        expectedError: error && isExpectedError(span, live),
        span,
        statement: statement?.text,
      },
      now,
      idle,
    );
  }
}

/** Another tool may create the SERVER span of a request below that of this package, or where this package has none. */
function offerToRequest(span: SdkSpan, parent: LiveSpan | undefined, context: Context): void {
  const request = parent === undefined ? context.getValue(SERVED_KEY) : parent.root.http;
  // By another build of this package, it is of another class.
  const { adopt } = (request ?? {}) as Partial<ServedRequest>;
  if (typeof adopt === 'function' && isServerSpan(span)) adopt.call(request as ServedRequest, span);
}

/** Whether a span is what this process does for others, whatever its type is: it is not waited for as work. */
function isHandled(kind: SpanKind): boolean {
  return kind === SpanKind.SERVER || kind === SpanKind.CONSUMER;
}

/** A cursor of MongoDB that no request reads is one of a change stream: it waits for the next event. */
function isCursorRead(description: SpanDescription | undefined): boolean {
  return description?.type === 'database' && /^getMore\b/.test(description.name);
}

function thresholdOf({ thresholds }: SpanSink, type: OperationType, name: string): number | undefined {
  return type === 'http' ? thresholds.ofRoute(name) : thresholds.ofType(type);
}

/** An error must not leave `span.end()`: the span would not end, and the error would reach the application. */
function report(error: unknown): void {
  reportFault('counting a span failed', error);
}
