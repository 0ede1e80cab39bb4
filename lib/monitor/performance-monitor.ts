import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { diag, type Span } from '@opentelemetry/api';
import type { PerformanceAlert } from '../alerting/alert.js';
import type { SilenceOptions } from '../alerting/alert-options.js';
import { Alerting } from '../alerting/alerting.js';
import type { BurnRate } from '../alerting/burn-rate.js';
import { HEAP_USED } from '../alerting/rule-name.js';
import { DeferredEmitter } from '../async/deferred-emitter.js';
import type { SnapshotToSave } from '../baseline/baseline-snapshot.js';
import type { Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import type { Finding, FindingType } from '../explain/finding.js';
import { RequestAnalyzer } from '../explain/request-analyzer.js';
import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { Leak } from '../leaks/leak.js';
import { Metrics } from '../metrics/metrics.js';
import type { DriverStatus } from '../operation/driver-status.js';
import { boundedName, MAX_NAME, type OperationType } from '../operation/operation.js';
import { Thresholds } from '../operation/thresholds.js';
import { loopIdleMs } from '../process/loop-idle.js';
import { ResourceSampler } from '../process/resource-sampler.js';
import { Profiling } from '../profiling/profiling.js';
import { AlertHistory } from '../report/alert-history.js';
import { buildReport } from '../report/build-report.js';
import type { PerformanceStats, PerformanceStatsInParts } from '../report/performance-stats.js';
import type { PerformanceReport } from '../report/report.js';
import { ResourcePeaks } from '../report/resource-peaks.js';
import type { EndedOperation, GuardedOperation } from '../spans/ended-operation.js';
import { GuardedSpan, type SpanLike } from '../spans/guarded-span.js';
import { type LiveSpan, stateOf } from '../spans/live-span.js';
import type { OperationRecorder } from '../spans/operation-recorder.js';
import { emptyBreakdown } from '../spans/work.js';
import type { Failures } from '../statistics/failures.js';
import type { OperationCost } from '../statistics/operation-cost.js';
import type { BaselineLatency } from '../statistics/operation-history.js';
import type { LatencySummary, WindowName } from '../statistics/operation-statistics.js';
import { Statistics } from '../statistics/statistics.js';
import { round } from '../text/round.js';
import { annotate } from './annotate.js';
import { describeSlow } from './describe-slow.js';
import { LongTermAnalysis } from './long-term-analysis.js';
import type { MonitorOptions, ResolvedOptions } from './options.js';
import { resolveOptions } from './resolve-options.js';
import { type RecordedSpans, SlowOperations } from './slow-operations.js';

/** The number of operations listed where nothing else is said; more would make a heavy page of little use. */
const LISTED = 100;

/**
 * The core: counts operations, compares them with their thresholds, and keeps the slow ones with their evidence.
 * Knows nothing of Nest. Nothing it does on the way of an operation throws, waits, or does I/O.
 */
export class PerformanceMonitor {
  readonly options: ResolvedOptions;
  readonly thresholds: Thresholds;
  readonly resources: ResourceSampler;
  readonly diagnostics: RequestAnalyzer;
  readonly profiling: Profiling;
  /** Baselines, regressions, trends, leaks. */
  readonly longTerm: LongTermAnalysis;
  /** When counting began, or began anew by a reset, in milliseconds since 1970. */
  countingSince = Date.now();
  readonly resourcePeaks: ResourcePeaks;
  /** Set by whoever sees the drivers. */
  drivers: readonly DriverStatus[] = [];
  /** Set while a test records. */
  recorder: OperationRecorder | undefined;

  private readonly statistics: Statistics;
  private readonly slow: SlowOperations;
  private readonly slowEvents = new DeferredEmitter<SlowOperation>(reportError);
  private readonly alertEvents = new DeferredEmitter<PerformanceAlert>(reportError);
  /** Rules, their state, and who is told. */
  readonly alerting: Alerting;
  /** What is told to Prometheus and OpenTelemetry. */
  readonly metrics: Metrics;
  private readonly alertHistory = new AlertHistory();
  private started = false;

  /**
   * @param options as for `PerformanceModule.forRoot`; the environment is not read
   * @throws {@link PerformanceOptionsError} for options that are not right
   */
  constructor(options: MonitorOptions | ResolvedOptions = {}) {
    this.options = 'thresholds' in options ? options : resolveOptions(options);
    const { thresholds, detection, resources, alerts } = this.options;
    this.thresholds = new Thresholds(thresholds);
    this.statistics = new Statistics(detection.maxOperations, (type, name) =>
      this.longTerm.baseline.historyOf(type, name),
    );
    this.slow = new SlowOperations(detection.maxSlowOperations);
    this.resources = new ResourceSampler(resources.intervalMs);
    this.resourcePeaks = new ResourcePeaks(this.resources.history);
    this.diagnostics = new RequestAnalyzer(
      detection,
      (from) => this.resources.evidence(from, performance.now() - from).gcPauseMs,
      reportError,
    );
    this.profiling = new Profiling(
      this.options,
      this.diagnostics.sources,
      (span) => stateOf(span)?.executionNumber ?? 0,
    );
    this.alerting = new Alerting(
      alerts,
      {
        types: () => this.statistics.types(),
        type: (type, window) => this.statistics.typeSummary(type, window, performance.now()),
        operation: (name, window, type) =>
          this.statistics.operationSummary(name, window, performance.now(), type),
        failing: (window) => this.failing(window),
        heap: () => {
          const heap = getHeapStatistics();
          return { used: heap.used_heap_size, limit: heap.heap_size_limit };
        },
        eventLoop: () => this.resources.current().eventLoop,
        leaks: () => this.longTerm.leaks(),
        regressions: () => this.longTerm.regressions(),
        findings: (type, since) => this.getFindings({ type }).filter(({ lastSeen }) => lastSeen >= since),
      },
      this.options,
      (alert) => this.alerted(alert),
      reportError,
    );
    this.longTerm = new LongTermAnalysis(this.options, {
      statistics: () => this.statistics,
      resources: this.resources,
      peaks: this.resourcePeaks,
      observed: (observation) => void this.diagnostics.findings.observe(observation, undefined, Date.now()),
      onLeak: () => this.profiling.captureAllocationsOnMemoryPressure(),
      onError: reportError,
      slo: this.alerting.savedSlos,
    });
    this.metrics = new Metrics(this.options, {
      statistics: this.statistics,
      resources: this.resources,
      countingSince: () => this.countingSince,
      slowOperations: () => this.slow.list(),
      findingCounts: () => this.diagnostics.findings.counts(),
      dropped: () => this.dropped(),
      regressions: () => this.longTerm.regressions(),
      trends: () => this.longTerm.trends(),
      leaks: () => this.longTerm.leaks(),
      burnRates: () => this.getBurnRates(),
      alertRules: () => this.alerting.rules(),
    });
    if (this.options.enabled) this.start();
  }

  private start(): void {
    this.started = true;
    this.resources.start();
    this.alerting.start();
    this.longTerm.start();
  }

  /**
   * Counts an operation that ended and, when it was slow, annotates its span and keeps it.
   * @param now milliseconds on the clock of `performance.now()`
   * @param idle how long the event loop has been idle until then
   * @returns whether it was slow
   */
  record(given: EndedOperation, now = performance.now(), idle = loopIdleMs()): boolean {
    if (!this.started || !Number.isFinite(given.durationMs) || given.durationMs < 0) return false;
    const state = stateOf(given.span);
    const operation = guarded(given, state);
    const { type, name, durationMs, thresholdMs, error, expectedError } = operation;
    const usualMs = this.statistics.history(type, name)?.adaptiveMs ?? Number.POSITIVE_INFINITY;
    // A stream is open for as long as somebody listens.
    const isStream = thresholdMs === Number.POSITIVE_INFINITY;
    const limitMs = isStream ? thresholdMs : Math.min(usualMs, thresholdMs ?? usualMs);
    const slow = durationMs > limitMs;
    const history = this.statistics.record(type, name, durationMs, slow, error, now, limitMs, expectedError);
    if (history !== undefined) {
      if (isStream) history.isStream = true;
      if (state !== undefined && state.root === state && this.diagnostics.explains) {
        history.addWork(state.breakdown(now, idle, 0, clearParts()), state.statements);
      }
    }
    this.alerting.slos.record(name, durationMs, error, type);
    const kept = slow ? this.keep(operation, state, limitMs, limitMs !== thresholdMs, now) : undefined;
    this.metrics.record(operation, state, kept);
    return slow;
  }

  /**
   * Compares a span that is about to end with the threshold of its type, annotates it when it is slow, and counts
   * it. For spans that no {@link SlowSpanProcessor} sees: one that it does see is counted by it, and only compared
   * here. Never throws.
   * @param span any object with some members of a span, or none; `performance.*` attributes are written with its
   * `setAttribute`
   * @param durationMs milliseconds; an operation is not counted when this is not a finite number of at least 0
   * @returns whether it was slow
   */
  checkAndAnnotateSlowOperation(
    span: SpanLike | null | undefined,
    durationMs: number,
    type: OperationType,
  ): boolean {
    const known = typeof type === 'string' && type !== '' ? boundedName(type) : 'internal';
    const thresholdMs = this.thresholds.ofType(known);
    const state = stateOf(span);
    if (state !== undefined) {
      state.type = known;
      return thresholdMs !== undefined && durationMs > thresholdMs;
    }
    const safe = span === null || span === undefined ? undefined : new GuardedSpan(span);
    return this.record({
      type: known,
      name: safe?.name ?? known,
      durationMs,
      thresholdMs,
      error: safe?.hasFailed ?? false,
      span: safe,
    });
  }

  /** The statistics, the present resources and the drivers. `operations` bounds the list, 100 by default. */
  getStats(bounds: { operations?: number | undefined } = {}): PerformanceStats {
    const { operations, ...figures } = this.statsInParts(bounds);
    return { ...figures, operations: [...operations] };
  }

  /** The same, but for the operations, each of which is made when it is asked for: all of them take their time. */
  statsInParts({ operations = LISTED }: { operations?: number } = {}): PerformanceStatsInParts {
    const now = performance.now();
    const totals = this.statistics.totals();
    return {
      totalOperations: totals.count,
      totalSlowOperations: totals.slowCount,
      slowPercentage: totals.count > 0 ? round((totals.slowCount / totals.count) * 100) : 0,
      byType: this.statistics.typeStatistics(now),
      operations: this.statistics.eachNamed(now, operations),
      currentResources: this.resources.current(),
      drivers: this.drivers,
      dropped: this.dropped(),
      eventLoopWatchdog: this.diagnostics.watchdog.status,
      profiling: this.profiling.status,
    };
  }

  /**
   * What operations cost, at most `limit` of them: those that lost the most time by being slow first, then those that took
   * the most. Only these are summarised.
   * @param now milliseconds on the clock of `performance.now()`
   * @param always operations that are among them whatever they cost
   */
  operationsByCost(
    limit: number,
    now = performance.now(),
    always: readonly { type: string; name: string }[] = [],
  ): OperationCost[] {
    return this.statistics.costs(now, limit, always);
  }

  /**
   * Every operation that failed at least once within a window, in no particular order.
   * @param now milliseconds on the clock of `performance.now()`
   */
  failing(window: WindowName = 'minute', now = performance.now()): Failures[] {
    return this.statistics.failing(window, now);
  }

  /** The number of operations that have statistics of their own. */
  get operationCount(): number {
    return this.statistics.nameCount;
  }

  /** Forgets the statistics, the slow operations, the findings and the queries. */
  resetStats(): void {
    this.countingSince = Date.now();
    this.statistics.reset();
    this.slow.clear();
    this.diagnostics.clear();
    this.metrics.clear();
    this.slowEvents.dropped = 0;
    this.alertEvents.dropped = 0;
  }

  /** The last slow operations, the newest first. */
  getSlowOperations(filter: { limit?: number | undefined; type?: string | undefined } = {}): SlowOperation[] {
    return this.slow.list(filter.limit, filter.type);
  }

  /** A slow operation by its id, while it is kept, with its waterfall. */
  getSlowOperation(id: string): DetailedSlowOperation | undefined {
    return this.slow.get(id);
  }

  /** What the detectors saw, the most time lost first. */
  getFindings(filter: { limit?: number | undefined; type?: FindingType | undefined } = {}): Finding[] {
    return this.diagnostics.findings.list(filter);
  }

  /** The statements that were slow at least once, or all of them; the most time first. 100 by default. */
  getSlowQueries(filter: { limit?: number | undefined; all?: boolean | undefined } = {}): SlowQuery[] {
    return this.diagnostics.getSlowQueries(filter);
  }

  /** What got worse: what goes on, the latest first, then what is over. */
  getRegressions(): Regression[] {
    return this.longTerm.regressions();
  }

  /** Slow drifts that go on, that whose limit is reached first before others. */
  getTrends(): Trend[] {
    return this.longTerm.trends();
  }

  /** Memory that leaks. */
  getLeaks(): Leak[] {
    return this.longTerm.leaks();
  }

  /** What an operation usually takes, once that is known. */
  getBaseline(type: OperationType, name: string): BaselineLatency | undefined {
    return this.statistics.history(type, name)?.usual;
  }

  /** What this run has learned, as it is saved; its operations are made one after another. */
  baselineSnapshot(): SnapshotToSave {
    return this.longTerm.baseline.snapshot();
  }

  /**
   * What is slow, what got slower, what was found, and how the process is.
   * @param options `since` in milliseconds since 1970, default: the start; `limit` entries of each list, 20 by default
   */
  getReport(options: { since?: number | undefined; limit?: number | undefined } = {}): PerformanceReport {
    return buildReport(this, options);
  }

  /** Calls `listener` each time a detector saw something. Returns what stops it. */
  onFinding(listener: (finding: Finding) => void): () => void {
    return this.diagnostics.findings.on(listener);
  }

  /**
   * Begins to watch for blocks of the event loop, a second from now. The module does so when the application is up:
   * what is loaded and compiled until then blocks it, too, and is no fault of anybody's.
   */
  watchEventLoop(): void {
    if (this.started) this.diagnostics.watch();
  }

  /**
   * Has nobody told of the alerts that fit, while it holds. Returns what ends it.
   * @throws PerformanceOptionsError for a silence that is not allowed
   */
  silence(options: SilenceOptions): () => void {
    return this.alerting.silence(options);
  }

  /** How each objective of `alerts.slos` stands. */
  getBurnRates(): BurnRate[] {
    return this.alerting.burnRates(Date.now());
  }

  /** The alerts that began to fire or were resolved, the newest first. */
  getRecentAlerts(): PerformanceAlert[] {
    return this.alertHistory.list();
  }

  /** The alerts that fire at present. */
  getActiveAlerts(): { rule: string; subject?: string; firedAt: number }[] {
    return this.alerting.active();
  }

  /** Holds the rules against the last minute, as the timer does. */
  evaluateAlerts(): void {
    try {
      this.alerting.evaluate(Date.now());
    } catch (error) {
      reportError(error);
    }
  }

  /** The figures of every type within the last minute. */
  lastMinute(): ({ type: string } & LatencySummary)[] {
    const now = performance.now();
    return this.statistics.types().flatMap((type) => {
      const summary = this.statistics.typeSummary(type, 'minute', now);
      return summary === undefined ? [] : [{ type, ...summary }];
    });
  }

  /** Calls `listener` with each slow operation, a turn of the event loop after it ended. Returns what stops it. */
  onSlowOperation(listener: (operation: SlowOperation) => void): () => void {
    return this.slowEvents.on(listener);
  }

  /** Calls `listener` with each alert. Returns what stops it. */
  onAlert(listener: (alert: PerformanceAlert) => void): () => void {
    return this.alertEvents.on(listener);
  }

  /**
   * Stops its timers, tells listeners what they have not heard yet, and counts nothing more.
   * @returns what resolves when profiles that are being written are, or 3 seconds later. Never rejects.
   */
  shutdown(): Promise<void> {
    this.started = false;
    this.resources.stop();
    this.diagnostics.stop();
    this.slowEvents.close();
    this.alertEvents.close();
    return Promise.all([this.alerting.shutdown(), this.profiling.shutdown(), this.longTerm.shutdown()]).then(
      () => {},
    );
  }

  private busyMs(state: LiveSpan | undefined, now: number): number | undefined {
    return this.diagnostics.explains ? state?.busyMs(now, loopIdleMs()) : undefined;
  }

  private dropped(): PerformanceStats['dropped'] {
    return {
      operationsToOther: this.statistics.overflowed,
      events: this.slowEvents.dropped + this.alertEvents.dropped + this.diagnostics.dropped.findingEvents,
      queries: this.diagnostics.dropped.queries,
    };
  }

  private alerted(alert: PerformanceAlert): void {
    if (alert.rule === HEAP_USED && alert.state === 'firing')
      this.profiling.captureAllocationsOnMemoryPressure();
    this.alertHistory.add(alert);
    this.alertEvents.emit(alert);
  }

  private keep(
    operation: GuardedOperation,
    state: LiveSpan | undefined,
    thresholdMs: number,
    adaptive: boolean,
    now: number,
  ): SlowOperation {
    const { span } = operation;
    const busyMs = this.busyMs(state, now);
    const baseline = this.statistics.history(operation.type, operation.name)?.usual;
    const { slow, files, lines, profiled } = describeSlow(operation, thresholdMs, state, now, {
      resources: this.resources.evidence(now - operation.durationMs, busyMs),
      usuallyMs: baseline?.p50Ms ?? this.statistics.median(operation.type, operation.name, now),
      baseline,
      adaptive,
      diagnostics: this.diagnostics,
      profiling: this.profiling,
      busyMs,
      drivers: this.drivers,
    });
    for (const later of [lines, profiled]) {
      later?.then((better) => Object.assign(slow, better)).catch(reportError);
    }
    if (span !== undefined) annotate(span, slow, files);
    this.slow.add(slow, recordedSpans(state, operation.durationMs, now));
    this.slowEvents.emit(slow);
    if (state !== undefined) state.root.notable = true;
    return slow;
  }
}

/** The operation with its name within bounds, and a span that throws nothing. Most are given like that. */
function guarded(given: EndedOperation, state: LiveSpan | undefined): GuardedOperation {
  const { name, span } = given;
  const isGuarded = span === undefined || state !== undefined || span instanceof GuardedSpan;
  if (isGuarded && name.length <= MAX_NAME) return given as GuardedOperation;
  const safe = isGuarded || span === null ? undefined : new GuardedSpan(span);
  return { ...given, name: boundedName(name), span: isGuarded ? (span as Span) : safe };
}

/** A copy of what ended below an operation: the span around it takes that over. */
function recordedSpans(
  state: LiveSpan | undefined,
  durationMs: number,
  now: number,
): RecordedSpans | undefined {
  if (state?.endedBelow === undefined) return undefined;
  return { ended: state.endedBelow.copy(), startedAt: state.beganAt(now, durationMs) };
}

const parts: number[] = emptyBreakdown();

/** One array for all operations: they are counted one after the other. */
function clearParts(): number[] {
  return parts.fill(-0);
}

/** A fault of a listener's or of ours is told to OpenTelemetry's own log, and to nobody else. */
function reportError(error: unknown): void {
  diag.error('nestjs-performance: a listener failed', error);
}
