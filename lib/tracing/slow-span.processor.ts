import { performance } from 'node:perf_hooks';
import { type Context, diag, SpanStatusCode, trace } from '@opentelemetry/api';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { OperationType } from '../operation/operation.js';
import { loopIdleMs } from '../process/loop-idle.js';
import { processProfiler } from '../profiling/process-profiler.js';
import { classify } from '../spans/classify.js';
import { isExpectedError } from '../spans/expected-error.js';
import { attachLiveSpan, LiveSpan, liveSpanOf, type SpanSink, sinkIn } from '../spans/live-span.js';
import { redact } from '../spans/redact.js';
import { type EndedSdkSpan, type SdkSpan, type SdkSpanProcessor, toMilliseconds } from '../spans/sdk-span.js';
import { describeSpan, type SpanDescription } from '../spans/span-description.js';
import { knownStatements } from '../spans/statement.js';
import { tracingRuntime } from '../spans/tracing-runtime.js';
import { DATABASE, SELF_BUSY, WORKS, workOf } from '../spans/work.js';
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

  /** Removes literals and query strings from the spans, too, before they are exported. */
  withRedaction(): this {
    this.redacting = true;
    return this;
  }

  onStart(span: SdkSpan, parentContext: Context): void {
    try {
      // Another SlowSpanProcessor of the same provider has handled it.
      if (liveSpanOf(span) !== undefined) return;
      const active = liveSpanOf(trace.getSpan(parentContext));
      // A span that has ended is replaced by its root: a method that reschedules itself must not create an endless chain.
      const parent = active?.ended === true ? active.root : active;
      const sink =
        parent?.sink ?? this.monitor?.sink ?? sinkIn(parentContext) ?? tracingRuntime.monitor?.sink;
      if (sink === undefined) return;
      const now = performance.now();
      const live = this.begin(sink, span, parent, now);
      processProfiler.started(live, now);
      sink.recorder?.started(live);
    } catch (error) {
      report(error);
    }
  }

  onEnding(span: SdkSpan): void {
    try {
      const live = liveSpanOf(span);
      if (live !== undefined && !live.ended) this.end(live, span);
      if (this.redacting) redact(span, knownStatements, live?.description?.statement);
    } catch (error) {
      report(error);
    }
  }

  onEnd(span: EndedSdkSpan): void {
    const live = liveSpanOf(span);
    if (live !== undefined && !live.ended) this.onEnding(live.span as SdkSpan);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {
    tracingRuntime.processors--;
  }

  private begin(sink: SpanSink, span: SdkSpan, parent: LiveSpan | undefined, now: number): LiveSpan {
    if (!sink.requests.explains) {
      const live = new LiveSpan(sink, span, SELF_BUSY, undefined, now, 0, parent);
      attachLiveSpan(live);
      return live;
    }
    const idle = loopIdleMs();
    const type = classify(span);
    const work = workOf(type, span.name, span.kind);
    const description = work < WORKS ? describeSpan(span, knownStatements, type, work) : undefined;
    const live = new LiveSpan(sink, span, work, description, now, idle, parent);
    attachLiveSpan(live);
    if (parent === undefined) sink.requests.started(live);
    else if (description !== undefined) beginWork(live, description, now, idle);
    return live;
  }

  private end(live: LiveSpan, span: SdkSpan): void {
    const { sink } = live;
    const now = performance.now();
    const idle = sink.requests.explains ? loopIdleMs() : 0;
    const durationMs = toMilliseconds(span.duration);
    const description = this.describe(live, span, idle);
    live.end(now, idle, durationMs);
    try {
      if (!live.duplicate) this.count(live, span, description, durationMs, now, idle);
    } finally {
      processProfiler.ended(live, now);
      if (live.root === live && sink.requests.explains) sink.requests.ended(live, now);
      sink.recorder?.ended(live);
      if (sink.requests.explains)
        live.reportToParent(now, durationMs, span.status.code === SpanStatusCode.ERROR);
    }
  }

  /**
   * The description of a span that ends. Work that is waited for is described again only if attributes may have been set
   * after its start. Undefined if the code that created the span has set type and name.
   */
  private describe(live: LiveSpan, span: SdkSpan, idle: number): SpanDescription | undefined {
    const { description: known, type, name } = live;
    if (known?.isFinal === true && (type === undefined || type === known.type)) return known;
    if (type !== undefined && name !== undefined && type !== 'database') return known;
    const description = describeSpan(span, knownStatements, live.type);
    live.description = description;
    const isLate = live.work >= WORKS && description.work < WORKS && live.type === undefined;
    if (isLate && live.parent !== undefined && live.sink.requests.explains) {
      live.work = description.work;
      beginWorkLate(live, description, idle);
    }
    return description;
  }

  private count(
    live: LiveSpan,
    span: SdkSpan,
    description: SpanDescription | undefined,
    durationMs: number,
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
    const thresholdMs = live.thresholdMs ?? thresholdOf(sink, type, name);
    const slow = thresholdMs !== undefined && durationMs > thresholdMs;
    if (live.work < WORKS) {
      if (live.work === DATABASE) request.statements++;
      if (live.root !== live && description !== undefined)
        endWork(live, description, durationMs, error, now, idle);
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

function thresholdOf({ thresholds }: SpanSink, type: OperationType, name: string): number | undefined {
  return type === 'http' ? thresholds.ofRoute(name) : thresholds.ofType(type);
}

/** An error must not leave `span.end()`: the span would not end, and the error would reach the application. */
function report(error: unknown): void {
  diag.error('nestjs-performance: counting a span failed', error);
}
