import { performance } from 'node:perf_hooks';
import { type Context, diag, SpanStatusCode, trace } from '@opentelemetry/api';
import type { OperationType } from '../monitor/operation.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { attachState, monitorIn, SpanState, stateOf } from '../monitor/span-state.js';
import { classify, operationName, rawStatement } from './classify.js';
import { redact } from './redact.js';
import { type EndedSdkSpan, type SdkSpan, type SdkSpanProcessor, toMilliseconds } from './sdk-span.js';
import { StatementCache } from './statement.js';
import { tracingRuntime } from './tracing-runtime.js';

/**
 * Counts every span as an operation, and annotates the slow ones while they can still be written to.
 *
 * The module adds it to its own tracer provider. An application that has a provider of its own adds it there:
 * `new NodeSDK({ spanProcessors: [new BatchSpanProcessor(exporter), new SlowSpanProcessor()] })`. Its place among
 * the processors does not matter, since all `onEnding` run before any `onEnd`. On an SDK without `onEnding`
 * (before 2.3) operations are counted and their spans not annotated.
 */
export class SlowSpanProcessor implements SdkSpanProcessor {
  private readonly statements = new StatementCache();
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
      const parent = stateOf(trace.getSpan(parentContext));
      const monitor = parent?.monitor ?? this.monitor ?? monitorIn(parentContext) ?? tracingRuntime.monitor;
      if (monitor === undefined) return;
      attachState(new SpanState(monitor, span, performance.now(), parent));
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

  private end(span: SdkSpan): void {
    const state = stateOf(span);
    if (state === undefined || state.ended) return;
    state.ended = true;
    const now = performance.now();
    state.leave(now);
    if (state.duplicate) return;
    const { monitor } = state;
    const type = state.type ?? classify(span);
    const name = state.name ?? operationName(type, span, this.statements);
    const error = span.status.code === SpanStatusCode.ERROR;
    if (error) state.root.notable = true;
    const durationMs = toMilliseconds(span.duration);
    const thresholdMs = state.thresholdMs ?? thresholdOf(monitor, type, name);
    const slow = thresholdMs !== undefined && durationMs > thresholdMs;
    const statement = slow ? this.statementOf(type, span) : undefined;
    monitor.record({ type, name, durationMs, thresholdMs, error, span, statement }, now);
    state.type = type;
    state.name = name;
  }

  private statementOf(type: OperationType, span: SdkSpan): string | undefined {
    if (type !== 'database') return undefined;
    const text = rawStatement(span.attributes);
    return text === undefined ? undefined : this.statements.get(text).text;
  }
}

function thresholdOf(monitor: PerformanceMonitor, type: OperationType, name: string): number | undefined {
  return type === 'http' ? monitor.thresholds.ofRoute(name) : monitor.thresholds.ofType(type);
}

/** A fault of ours must not leave `span.end()`: the span would never end, and the user's code would get it. */
function report(error: unknown): void {
  diag.error('nestjs-performance: a span could not be counted', error);
}
