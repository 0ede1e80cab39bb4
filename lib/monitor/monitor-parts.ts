import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { PerformanceAlert } from '../alerting/alert.js';
import { Alerting } from '../alerting/alerting.js';
import { HEAP_USED } from '../alerting/rule-common.js';
import { DeferredEmitter } from '../async/deferred-emitter.js';
import { FaultLog } from '../async/fault-log.js';
import { describeThrown, reportFault } from '../async/thrown.js';
import { RequestAnalyzer } from '../explain/request-analyzer.js';
import type { DetailedSlowOperation } from '../explain/slow-operation.js';
import { Fleet } from '../fleet/fleet.js';
import { Metrics } from '../metrics/metrics.js';
import { Thresholds } from '../operation/thresholds.js';
import type { Overhead } from '../overhead/overhead.js';
import { Plans } from '../plans/plans.js';
import { ResourceSampler } from '../process/resource-sampler.js';
import { Profiling } from '../profiling/profiling.js';
import { AlertHistory } from '../report/alert-history.js';
import type { DroppedCounts } from '../report/performance-stats.js';
import { ResourcePeaks } from '../report/resource-peaks.js';
import { liveSpanOf } from '../spans/live-span.js';
import { RequestLines } from '../spans/request-lines.js';
import { Statistics } from '../statistics/statistics.js';
import { linesKept } from './logging-options.js';
import { LongTermAnalysis } from './long-term-analysis.js';
import { OperationSink } from './operation-sink.js';
import type { ResolvedOptions } from './options.js';
import { SlowFiles } from './slow-files.js';
import { SlowOperations } from './slow-operations.js';
import { watchOverhead } from './watch-overhead.js';
import { operationsWithPlans, plannedStatements } from './with-plans.js';

/** The parts of a {@link PerformanceMonitor}, wired to each other. */
export interface MonitorParts {
  readonly options: ResolvedOptions;
  readonly sink: OperationSink;
  readonly statistics: Statistics;
  readonly slow: SlowOperations;
  readonly analyzer: RequestAnalyzer;
  readonly resources: ResourceSampler;
  readonly resourcePeaks: ResourcePeaks;
  readonly profiling: Profiling;
  readonly longTerm: LongTermAnalysis;
  readonly alerting: Alerting;
  readonly alertHistory: AlertHistory;
  readonly alerts: DeferredEmitter<PerformanceAlert>;
  readonly metrics: Metrics;
  readonly fleet: Fleet;
  /** Slow operations in files beside their profiles. */
  readonly slowFiles: SlowFiles;
  readonly overhead: Overhead;
  /** Undefined unless `detection.plans.query` is given. */
  readonly plans: Plans | undefined;
  readonly failures: FailureReports;
  /** When counting started, at the start or the last reset, in milliseconds since 1970. */
  readonly counting: { since: number };
}

/** Where errors of listeners, and of this package, are reported. */
export class FailureReports {
  /** The log of the application. Without it, they go to OpenTelemetry's diagnostics. */
  warn: ((message: string) => void) | undefined;
  /** A part that fails by its timer fails in the same way each time. */
  private readonly faults = new FaultLog((message) => this.warn?.(message));

  /** Logs a message of this package. Never throws. */
  message(message: string): void {
    try {
      if (this.warn === undefined) reportFault(message, undefined);
      else this.warn(message);
    } catch {
      // The log is the application's.
    }
  }

  /** Never throws. @param listenersOf the events whose listener failed */
  readonly report = (error: unknown, listenersOf?: string): void => {
    const what =
      listenersOf === undefined
        ? 'A part of nestjs-performance failed'
        : `A listener of ${listenersOf} failed. Other listeners are not affected`;
    if (this.warn === undefined) {
      reportFault(what, error);
      return;
    }
    try {
      const message = `${what}: ${describeThrown(error)}`;
      if (listenersOf === undefined) this.faults.fail(message, message);
      else this.warn(message);
    } catch {
      // The log is the application's.
    }
  };
}

/** Creates the parts. Nothing runs yet. */
export function createParts(options: ResolvedOptions): MonitorParts {
  const { thresholds, detection, resources: sampling } = options;
  const counting = { since: Date.now() };
  const failures = new FailureReports();
  const reportError = failures.report;
  const statistics: Statistics = new Statistics(detection.maxOperations, (type, name) =>
    longTerm.baseline.historyOf(type, name),
  );
  const slow = new SlowOperations(detection.maxSlowOperations, reportError);
  const resources = new ResourceSampler(sampling.intervalMs);
  const resourcePeaks = new ResourcePeaks(resources.history);
  const analyzer = new RequestAnalyzer(
    detection,
    (from, to) => resources.pausesWithin(from, to),
    reportError,
  );
  const profiling = new Profiling(
    options,
    analyzer.sources,
    (span) => liveSpanOf(span)?.executionNumber ?? 0,
  );
  const alertHistory = new AlertHistory();
  const alerts = new DeferredEmitter<PerformanceAlert>(reportError, 'alerts');
  const alerting: Alerting = new Alerting(
    options.alerts,
    {
      types: () => statistics.types(),
      type: (type, window) => statistics.typeSummary(type, window, performance.now()),
      operation: (name, window, type) => statistics.operationSummary(name, window, performance.now(), type),
      failing: (window) => statistics.failing(window, performance.now()),
      quietMs: (type, name) => statistics.quietMs(type, name, performance.now()),
      heap: () => {
        const heap = getHeapStatistics();
        return { used: heap.used_heap_size, limit: heap.heap_size_limit };
      },
      eventLoop: () => resources.current().eventLoop,
      leaks: () => longTerm.leaks(),
      regressions: () => longTerm.regressions(),
      findings: (type, since) => {
        const now = Date.now();
        const explainedUntil = analyzer.shedding.unexplainedSince ?? now;
        const from = since - (now - explainedUntil);
        return analyzer.findings.list({ type }).filter(({ lastSeen }) => lastSeen >= from);
      },
    },
    options,
    (alert) => {
      if (alert.rule === HEAP_USED && alert.state === 'firing')
        profiling.captureAllocationsOnMemoryPressure();
      alertHistory.add(alert);
      alerts.emit(alert);
    },
    reportError,
  );
  const longTerm: LongTermAnalysis = new LongTermAnalysis(options, {
    statistics: () => statistics,
    resources,
    peaks: resourcePeaks,
    observed: (observation) => void analyzer.findings.observe(observation, undefined, Date.now()),
    onLeak: () => profiling.captureAllocationsOnMemoryPressure(),
    onError: reportError,
    slo: alerting.savedSlos,
  });
  const metrics: Metrics = new Metrics(options, {
    statistics,
    resources,
    countingSince: () => counting.since,
    slowOperations: () => slow.list(),
    findingCounts: () => analyzer.findings.counts(),
    dropped: () => droppedBy({ statistics, slow, alerts, analyzer, sink }),
    regressions: () => longTerm.regressions(),
    trends: () => longTerm.trends(),
    leaks: () => longTerm.leaks(),
    burnRates: () => alerting.burnRates(Date.now()),
    alertRules: () => alerting.rules(),
    overhead: () => overhead,
  });
  const detailed = (id: string): DetailedSlowOperation | undefined => {
    const operation = slow.get(id);
    return operation && operationsWithPlans([operation], plans, slow)[0];
  };
  const fleet = new Fleet(
    options.fleet,
    {
      service: options.serviceName,
      version: options.serviceVersion,
      instance: options.instance,
      ...{ statistics, resources },
      countingSince: () => counting.since,
      findings: (limit) => analyzer.findings.list({ limit }),
      slowOperations: (limit) => slow.list(limit),
      slowOperation: detailed,
      profile: (id, maxBytes) => profiling.store.read(id, maxBytes),
    },
    reportError,
  );
  if (fleet.alerts !== undefined) alerting.share(fleet.alerts);
  const { serviceName: service, instance } = options;
  const plans = plansOf(options, { slow, analyzer, failures });
  const slowFiles = new SlowFiles(profiling.store, {
    service,
    instance,
    slowOperation: detailed,
    plannedStatements: (operation) => plannedStatements(operation, slow),
    planOf: (fingerprint) => plans?.of(fingerprint),
  });
  if (plans !== undefined) plans.onPlan = (fingerprint) => slowFiles.addPlan(fingerprint);
  const perRequest = linesKept(options.logging);
  const lines = perRequest === undefined ? undefined : new RequestLines(perRequest);
  const overhead = watchOverhead({
    options,
    statistics,
    slow,
    analyzer,
    resources,
    profiling,
    metrics,
    lines,
    reportError,
  });
  const sink: OperationSink = new OperationSink({
    thresholds: new Thresholds(thresholds),
    ...{
      statistics,
      slow,
      analyzer,
      resources,
      profiling,
      metrics,
      slos: alerting.slos,
      plans,
      lines,
      slowFiles,
    },
  });
  return {
    options,
    sink,
    statistics,
    slow,
    analyzer,
    resources,
    resourcePeaks,
    profiling,
    longTerm,
    alerting,
    alertHistory,
    alerts,
    metrics,
    fleet,
    slowFiles,
    overhead,
    plans,
    failures,
    counting,
  };
}

/** Slow statements are reported by the sink; those that are repeated, and cost time together, by what was found. */
function plansOf(
  { detection }: ResolvedOptions,
  { slow, analyzer, failures }: Pick<MonitorParts, 'slow' | 'analyzer' | 'failures'>,
): Plans | undefined {
  if (detection.plans === undefined || !detection.explain) return undefined;
  const plans = new Plans(detection.plans, (message) => failures.message(message));
  slow.onAdded(({ nPlusOne }) => {
    if (nPlusOne !== undefined) plans.want(nPlusOne.statement);
  });
  analyzer.findings.on(({ type, fingerprint }) => {
    if (type === 'n_plus_one' || type === 'duplicate_queries') plans.want(fingerprint);
  });
  return plans;
}

/** How much the limits dropped since the start or the last reset. */
export function droppedBy({
  statistics,
  slow,
  alerts,
  analyzer,
  sink,
}: Pick<MonitorParts, 'statistics' | 'slow' | 'alerts' | 'analyzer' | 'sink'>): DroppedCounts {
  const { findingEvents, queries, errors } = analyzer.dropped;
  return {
    operationsToOther: statistics.overflowed,
    events: slow.droppedEvents + alerts.dropped + findingEvents,
    queries,
    ...(sink.lostCalls > 0 && { calls: sink.lostCalls }),
    ...(errors > 0 && { errors }),
  };
}
