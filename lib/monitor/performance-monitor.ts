import { performance } from 'node:perf_hooks';
import type { PerformanceAlert } from '../alerting/alert.js';
import { Deadline, SHUTDOWN_MS } from '../async/deadline.js';
import type { SnapshotToSave } from '../baseline/baseline-snapshot.js';
import type { Finding } from '../explain/finding.js';
import type { RequestAnalyzer } from '../explain/request-analyzer.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { Metrics } from '../metrics/metrics.js';
import type { DriverStatus } from '../operation/driver-status.js';
import { joinRunning } from '../operation/running-instances.js';
import type { Thresholds } from '../operation/thresholds.js';
import type { EndedOperation } from '../spans/ended-operation.js';
import type { OperationRecorder, SpanSink } from '../spans/live-span.js';
import type { Failures } from '../statistics/failures.js';
import type { LatencySummary } from '../statistics/latency-summary.js';
import type { OperationCost, OperationTotals } from '../statistics/operation-cost.js';
import type { OperationStatistics, WindowName } from '../statistics/operation-statistics.js';
import { createParts, type FailureReports } from './monitor-parts.js';
import { MonitorViews } from './monitor-views.js';
import type { MonitorOptions, ResolvedOptions } from './options.js';
import { resolveOptions } from './resolve-options.js';

/**
 * The core without Nest: counts operations, compares them with their thresholds, and keeps the slow ones with their
 * evidence. Recording an operation never throws, waits, or does I/O.
 */
export class PerformanceMonitor extends MonitorViews {
  private leaveRunning: (() => void) | undefined;

  /**
   * @param options as for `PerformanceModule.forRoot`; the environment is not read
   * @throws {@link PerformanceOptionsError} for invalid options
   */
  constructor(options?: MonitorOptions | ResolvedOptions);
  /** @param start whether the timers start now, or with {@link start} @internal */
  constructor(options: MonitorOptions | ResolvedOptions, start: boolean);
  constructor(options: MonitorOptions | ResolvedOptions = {}, start = true) {
    super(createParts('thresholds' in options ? options : resolveOptions(options)));
    this.parts.sink.isOpen = this.options.enabled;
    if (start) this.start();
  }

  /** The sink that live spans report to. @internal */
  get sink(): SpanSink {
    return this.parts.sink;
  }
  /** @internal */
  get thresholds(): Thresholds {
    return this.parts.sink.thresholds;
  }
  /** @internal */
  get analyzer(): RequestAnalyzer {
    return this.parts.analyzer;
  }
  /** @internal */
  get metrics(): Metrics {
    return this.parts.metrics;
  }
  /** Where errors of listeners are reported. @internal */
  get failures(): FailureReports {
    return this.parts.failures;
  }

  /** The drivers of the application, seen or not. Set by the instrumentation. */
  get drivers(): readonly DriverStatus[] {
    return this.parts.sink.drivers;
  }
  set drivers(drivers: readonly DriverStatus[]) {
    this.parts.sink.drivers = drivers;
  }

  /** Set while a test records. @internal */
  get recorder(): OperationRecorder | undefined {
    return this.parts.sink.recorder;
  }
  /** @internal */
  set recorder(recorder: OperationRecorder | undefined) {
    this.parts.sink.recorder = recorder;
  }

  /** Starts the timers: sampling, alerting, analyses over time. Operations are counted from the creation on. @internal */
  start(): void {
    const { sink, resources, alerting, longTerm, fleet, metrics, options } = this.parts;
    if (!sink.isOpen) return;
    this.leaveRunning ??= joinRunning(options.instance, options.serviceName);
    metrics.identify(options);
    resources.start();
    alerting.start();
    longTerm.start();
    fleet.start();
  }

  /**
   * Counts an operation that ended. If it was slow, annotates its span and keeps it.
   * @param now milliseconds on the clock of `performance.now()`
   * @param idle how long the event loop has been idle until then, in milliseconds
   * @returns whether it was slow
   */
  record(operation: EndedOperation, now?: number, idle?: number): boolean {
    return this.parts.sink.record(operation, now, idle);
  }

  /**
   * The costs of up to `limit` operations: those with the most excess time first, then those with the most time. Only these
   * are summarized.
   * @param now milliseconds on the clock of `performance.now()`
   * @param always operations that are included whatever they cost
   * @internal
   */
  operationsByCost(
    limit: number,
    now = performance.now(),
    always: readonly { type: string; name: string }[] = [],
  ): OperationCost[] {
    return this.parts.statistics.costs(now, limit, always);
  }

  /**
   * Every operation that failed at least once within a window, in no particular order.
   * @param now milliseconds on the clock of `performance.now()`
   * @internal
   */
  failing(window: WindowName = 'minute', now = performance.now()): Failures[] {
    return this.parts.statistics.failing(window, now);
  }

  /** The totals of every operation with separate statistics, in no particular order. @internal */
  operationTotals(): OperationTotals[] {
    return this.parts.statistics.eachTotal();
  }

  /** The statistics of one operation; undefined if it has not ended yet. @internal */
  operationStatistics(type: string, name: string): OperationStatistics | undefined {
    return this.parts.statistics.of(type, name);
  }

  /** The number of operations with separate statistics. @internal */
  get operationCount(): number {
    return this.parts.statistics.nameCount;
  }

  /** The baseline of this run, in the form in which it is saved. Its operations are encoded one by one. @internal */
  baselineSnapshot(): SnapshotToSave {
    return this.parts.longTerm.baseline.snapshot();
  }

  /** The latency summary of each type within the last minute. @internal */
  lastMinute(): ({ type: string } & LatencySummary)[] {
    const { statistics } = this.parts;
    const now = performance.now();
    return statistics.types().flatMap((type) => {
      const summary = statistics.typeSummary(type, 'minute', now);
      return summary === undefined ? [] : [{ type, ...summary }];
    });
  }

  /** Calls `listener` with each slow operation, in a later turn of the event loop. Returns a function that removes it. */
  onSlowOperation(listener: (operation: SlowOperation) => void): () => void {
    return this.parts.slow.onAdded(listener);
  }

  /**
   * Calls `listener` with each slow operation whose description was completed: by its call sites, by its profile. It is a new
   * object with the same id. Returns a function that removes it.
   */
  onSlowOperationUpdate(listener: (operation: SlowOperation) => void): () => void {
    return this.parts.slow.onUpdated(listener);
  }

  /**
   * Calls `listener` with a finding when it is first seen, for the 10th, 100th, 1000th … time, and when its severity rises;
   * with a regression, a trend or a leak at each change of state. Returns a function that removes it.
   */
  onFinding(listener: (finding: Finding) => void): () => void {
    return this.parts.analyzer.findings.on(listener);
  }

  /** Calls `listener` with each alert. Returns a function that removes it. */
  onAlert(listener: (alert: PerformanceAlert) => void): () => void {
    return this.parts.alerts.on(listener);
  }

  /** Evaluates the alert rules now, as a timer does regularly. */
  evaluateAlerts(): void {
    try {
      this.parts.alerting.evaluate(Date.now());
    } catch (error) {
      this.parts.failures.report(error);
    }
  }

  /**
   * Starts to watch for blocks of the event loop, a second from now. The module calls it when the application has started:
   * loading and compiling also block the event loop.
   */
  watchEventLoop(): void {
    if (this.parts.sink.isOpen) this.parts.analyzer.watch();
  }

  /**
   * Stops the timers, delivers the waiting events, and counts no further operations.
   * @returns a promise that resolves when alerts, profiles and baselines are sent or stored, within 2.25 seconds. Never
   * rejects.
   */
  shutdown(): Promise<void> {
    return this.shutdownUntil(new Deadline(SHUTDOWN_MS));
  }

  /** As {@link shutdown}, with the deadline of a shutdown that covers more than this monitor. @internal */
  async shutdownUntil(deadline: Deadline): Promise<void> {
    const {
      sink,
      resources,
      analyzer,
      slow,
      alerts,
      alerting,
      profiling,
      longTerm,
      plans,
      fleet,
      slowFiles,
    } = this.parts;
    sink.isOpen = false;
    plans?.stop();
    resources.stop();
    analyzer.stop();
    slow.close();
    alerts.close();
    await Promise.all([
      alerting.shutdown(deadline),
      profiling.shutdown(deadline).then(() => slowFiles.flush(deadline)),
      longTerm.shutdown(deadline),
      fleet.shutdown(deadline),
    ]);
    this.leaveRunning?.();
    this.leaveRunning = undefined;
  }
}
