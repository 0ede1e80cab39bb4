import { performance } from 'node:perf_hooks';
import type { Span } from '@opentelemetry/api';
import type { SloCounters } from '../alerting/slo-counters.js';
import { judgedMs } from '../async/own-pauses.js';
import type { RequestAnalyzer } from '../explain/request-analyzer.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { Metrics } from '../metrics/metrics.js';
import type { DriverStatus } from '../operation/driver-status.js';
import { boundedName, MAX_NAME } from '../operation/operation.js';
import { isSlow, type Thresholds } from '../operation/thresholds.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import type { Plans } from '../plans/plans.js';
import { loopIdleMs } from '../process/loop-idle.js';
import type { ResourceSampler } from '../process/resource-sampler.js';
import type { Profiling } from '../profiling/profiling.js';
import type { EndedOperation, GuardedOperation } from '../spans/ended-operation.js';
import { GuardedSpan } from '../spans/guarded-span.js';
import { type LiveSpan, liveSpanOf, type OperationRecorder, type SpanSink } from '../spans/live-span.js';
import type { RequestLines } from '../spans/request-lines.js';
import { emptyBreakdown } from '../spans/work.js';
import type { Statistics } from '../statistics/statistics.js';
import { annotate, annotateLater } from './annotate.js';
import { describeSlow } from './describe-slow.js';
import type { SlowFiles } from './slow-files.js';
import type { RecordedSpans, SlowOperations } from './slow-operations.js';

interface SinkParts {
  readonly thresholds: Thresholds;
  readonly statistics: Statistics;
  readonly slow: SlowOperations;
  readonly analyzer: RequestAnalyzer;
  readonly resources: ResourceSampler;
  readonly profiling: Profiling;
  readonly metrics: Metrics;
  readonly slos: SloCounters;
  readonly plans?: Plans | undefined;
  readonly lines?: RequestLines | undefined;
  readonly slowFiles?: SlowFiles | undefined;
}

/** Counts operations, compares them with their thresholds, and keeps the slow ones with their evidence. */
export class OperationSink implements SpanSink {
  /** Whether operations are counted. */
  isOpen = false;
  /** The drivers of the application, seen or not. */
  drivers: readonly DriverStatus[] = [];
  recorder: OperationRecorder | undefined = undefined;
  lostCalls = 0;
  readonly requests: RequestAnalyzer;
  readonly thresholds: Thresholds;
  readonly lines: RequestLines | undefined;

  constructor(private readonly parts: SinkParts) {
    this.requests = parts.analyzer;
    this.thresholds = parts.thresholds;
    this.lines = parts.lines;
  }

  record(given: EndedOperation, now = performance.now(), idle = loopIdleMs()): boolean {
    if (!this.isOpen || !Number.isFinite(given.durationMs) || given.durationMs < 0) return false;
    const measured = meter.enter(COST.counting);
    try {
      return this.count(given, now, idle);
    } finally {
      meter.leave(COST.counting, measured);
    }
  }

  private count(given: EndedOperation, now: number, idle: number): boolean {
    const { statistics, analyzer, slos, metrics, plans } = this.parts;
    const live = liveSpanOf(given.span);
    const operation = guarded(given, live);
    const { type, name, durationMs, thresholdMs, error, expectedError } = operation;
    const adaptiveMs = statistics.history(type, name)?.adaptiveMs ?? Number.POSITIVE_INFINITY;
    // A stream stays open for as long as the client listens.
    const isStream = thresholdMs === Number.POSITIVE_INFINITY;
    const limitMs = isStream ? thresholdMs : Math.min(adaptiveMs, thresholdMs ?? adaptiveMs);
    const http = given.http ?? live?.http;
    const clientMs = http?.clientMs ?? 0;
    const slow = isSlow(durationMs, limitMs, now, clientMs);
    const history = statistics.record(
      type,
      name,
      durationMs,
      slow,
      error,
      now,
      limitMs,
      expectedError,
      isStream,
      live === undefined ? undefined : durationMs - live.childrenMs(now),
    );
    if (history !== undefined) {
      if (isStream) history.isStream = true;
      if (http !== undefined) history.handler ??= http.handlerName;
      if (live !== undefined && live.root === live && analyzer.explains)
        history.addWork(live.breakdown(now, idle, clearedParts()), live.request.statements);
    }
    slos.record(name, judgedMs(durationMs, now) - clientMs, error, type);
    const { isPart } = given;
    const kept =
      slow && isPart !== true
        ? meter.measure(COST.explaining, () =>
            this.keep(operation, live, limitMs, limitMs !== thresholdMs, now),
          )
        : undefined;
    metrics.record(operation, live, kept);
    if (plans !== undefined && live !== undefined && !error) plans.ended(live, kept !== undefined);
    if (error && expectedError !== true && isPart !== true)
      meter.measure(COST.explaining, () => analyzer.failed(operation, live, now));
    return slow;
  }

  private keep(
    operation: GuardedOperation,
    live: LiveSpan | undefined,
    thresholdMs: number,
    adaptive: boolean,
    now: number,
  ): SlowOperation {
    const { type, name, durationMs, span } = operation;
    const { analyzer, profiling, resources, statistics } = this.parts;
    const busyMs = analyzer.explains ? live?.busyMs(now, loopIdleMs()) : undefined;
    const baseline = statistics.history(type, name)?.baseline;
    const { slow, files, collected, updates } = describeSlow(operation, thresholdMs, live, now, {
      resources: resources.evidence(
        now - durationMs,
        busyMs,
        analyzer.watchdog.longestStallMs(now - durationMs, now),
        now,
      ),
      expectedMs: baseline?.p50Ms ?? statistics.median(type, name, now),
      baseline,
      adaptive,
      analyzer,
      profiling,
      busyMs,
      pausesWithin: (from, to) => resources.pausesWithin(from, to),
      drivers: this.drivers,
    });
    if (span !== undefined) annotate(span, slow, files);
    if (span !== undefined && collected !== undefined) annotateLater(span, collected);
    this.parts.slow.add(slow, { recorded: recordedSpans(live), log: live?.log });
    this.parts.slow.updateLater(slow.id, updates);
    if (files.length > 0) this.parts.slowFiles?.keepLater(slow, updates);
    if (live !== undefined) live.request.isNotable = true;
    return slow;
  }
}

/** The operation with a name of limited length, and a span whose members never throw. */
function guarded(given: EndedOperation, live: LiveSpan | undefined): GuardedOperation {
  const { name, span } = given;
  const isGuarded = span === undefined || live !== undefined || span instanceof GuardedSpan;
  if (isGuarded && name.length <= MAX_NAME) return given as GuardedOperation;
  const safe = isGuarded || span === null ? undefined : new GuardedSpan(span);
  return { ...given, name: boundedName(name), span: isGuarded ? (span as Span) : safe };
}

/** A copy of the spans that completed below an operation: its parent takes over the originals. */
function recordedSpans(live: LiveSpan | undefined): RecordedSpans | undefined {
  if (live?.completedBelow === undefined) return undefined;
  return { completed: live.completedBelow.copy(), startedAt: live.startedAt };
}

const parts: number[] = emptyBreakdown();

/** One array for all operations: they are counted synchronously, one after the other. */
function clearedParts(): number[] {
  return parts.fill(-0);
}
