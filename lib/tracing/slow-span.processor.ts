import { performance } from 'node:perf_hooks';
import { type Context, diag, SpanStatusCode, trace } from '@opentelemetry/api';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { OperationType } from '../operation/operation.js';
import { loopIdleMs } from '../process/loop-idle.js';
import { processProfiler } from '../profiling/process-profiler.js';
import { classify, operationName } from '../spans/classify.js';
import { isExpectedError } from '../spans/expected-error.js';
import { attachState, LiveSpan, sinkIn, stateOf } from '../spans/live-span.js';
import { redact } from '../spans/redact.js';
import { type EndedSdkSpan, type SdkSpan, type SdkSpanProcessor, toMilliseconds } from '../spans/sdk-span.js';
import { knownStatements } from '../spans/statement.js';
import { tracingRuntime } from '../spans/tracing-runtime.js';
import { DATABASE, SELF_BUSY, WORKS, workOf } from '../spans/work.js';
import { statementOf } from '../spans/work-key.js';
import { beginWork, beginWorkLate, countQuery, endWork } from './work-tracking.js';

/**
 * Counts every span as an operation, and annotates the slow ones while they can still be written to.
 *
 * The module adds it to its own tracer provider. An application that has a provider of its own adds it there:
 * `new NodeSDK({ spanProcessors: [new BatchSpanProcessor(exporter), new SlowSpanProcessor()] })`. Its place among
 * the processors does not matter, since all `onEnding` run before any `onEnd`. On an SDK without `onEnding`
 * (before 2.3) operations are counted and their spans not annotated.
 */
export class SlowSpanProcessor implements SdkSpanProcessor {
  private readonly statements = knownStatements;
  private redacting = false;

  /** @param monitor the monitor to count in; by default that of the module, from the time there is one. */
  constructor(private readonly monitor?: PerformanceMonitor) {
    tracingRuntime.processors++;
  }

  /** Also removes literals and query strings from the spans before they are exported. */
  withRedaction(): this {
    this.redacting = true;
    return this;
  }

  onStart(span: SdkSpan, parentContext: Context): void {
    try {
      // Another processor of ours on the same provider has seen it.
      if (stateOf(span) !== undefined) return;
      const around = stateOf(trace.getSpan(parentContext));
      // Of what goes on after its end only the root is kept: a method that calls itself again and again is no chain.
      const parent = around?.ended === true ? around.root : around;
      const monitor = parent?.monitor ?? this.monitor ?? sinkIn(parentContext) ?? tracingRuntime.monitor;
      if (monitor === undefined) return;
      const now = performance.now();
      if (monitor.diagnostics.explains) this.begin(monitor, span, parent, now);
      else attachState(new LiveSpan(monitor, span, SELF_BUSY, now, 0, parent));
      const state = stateOf(span) as LiveSpan;
      processProfiler.started(state, now);
      monitor.recorder?.started(state);
    } catch (error) {
      report(error);
    }
  }

  onEnding(span: SdkSpan): void {
    try {
      this.end(span);
      if (this.redacting) redact(span, this.statements);
    } catch (error) {
      report(error);
    }
  }

  onEnd(span: EndedSdkSpan): void {
    const state = stateOf(span);
    if (state !== undefined && !state.ended) this.onEnding(state.span as SdkSpan);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {
    tracingRuntime.processors--;
  }

  private begin(monitor: PerformanceMonitor, span: SdkSpan, parent: LiveSpan | undefined, now: number): void {
    const idle = loopIdleMs();
    const type = classify(span);
    const state = new LiveSpan(monitor, span, workOf(type, span.name, span.kind), now, idle, parent);
    attachState(state);
    if (parent === undefined) monitor.diagnostics.rootStarted(state);
    if (state.work >= WORKS || parent === undefined) return;
    state.type = type;
    beginWork(state, span, type, this.statements, now, idle);
  }

  private end(span: SdkSpan): void {
    const state = stateOf(span);
    if (state === undefined || state.ended) return;
    const { diagnostics, recorder } = state.monitor;
    const now = performance.now();
    const idle = diagnostics.explains ? loopIdleMs() : 0;
    if (state.type === undefined) this.learnType(state, span, idle);
    const durationMs = toMilliseconds(span.duration);
    state.end(now, idle, durationMs);
    try {
      if (!state.duplicate) this.count(state, span, now, idle);
    } finally {
      processProfiler.ended(state, now);
      if (state.root === state && diagnostics.explains) diagnostics.rootEnded(state, now);
      recorder?.ended(state);
      if (diagnostics.explains)
        state.reportToParent(now, durationMs, span.status.code === SpanStatusCode.ERROR);
    }
  }

  /** Some instrumentations say only after the start what a span is. */
  private learnType(state: LiveSpan, span: SdkSpan, idle: number): void {
    state.type = classify(span);
    if (state.work < WORKS || state.parent === undefined || !state.monitor.diagnostics.explains) return;
    state.work = workOf(state.type, span.name, span.kind);
    if (state.work >= WORKS) return;
    beginWorkLate(state, span, state.type, this.statements, idle);
  }

  private count(state: LiveSpan, span: SdkSpan, now: number, idle: number): void {
    const { monitor } = state;
    const type = state.type ?? 'internal';
    const name = state.name ?? operationName(type, span, this.statements);
    const error = span.status.code === SpanStatusCode.ERROR;
    if (error) state.root.notable = true;
    const durationMs = toMilliseconds(span.duration);
    const thresholdMs = state.thresholdMs ?? thresholdOf(monitor, type, name);
    const slow = thresholdMs !== undefined && durationMs > thresholdMs;
    state.name = name;
    let statement: string | undefined;
    if (state.work < WORKS) {
      if (state.work === DATABASE) state.root.statements++;
      if (state.root !== state) endWork(state, span, type, durationMs, error, this.statements, now, idle);
      if (type === 'database') statement = countQuery(state, span, durationMs, slow, error, this.statements);
    } else if (slow && type === 'database') {
      statement = statementOf(span.attributes, this.statements)?.text;
    }
    monitor.recorder?.ended(state, { type, name, durationMs, thresholdMs, error });
    const expectedError = error && isExpectedError(span, state);
    monitor.record({ type, name, durationMs, thresholdMs, error, expectedError, span, statement }, now, idle);
  }
}

function thresholdOf(monitor: PerformanceMonitor, type: OperationType, name: string): number | undefined {
  return type === 'http' ? monitor.thresholds.ofRoute(name) : monitor.thresholds.ofType(type);
}

/** A fault of ours must not leave `span.end()`: the span would never end, and the user's code would get it. */
function report(error: unknown): void {
  diag.error('nestjs-performance: a span could not be counted', error);
}
