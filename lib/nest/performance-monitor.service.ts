import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Observable, Subject, takeUntil } from 'rxjs';
import type { PerformanceAlert } from '../alerting/alert.js';
import type { SilenceOptions } from '../alerting/alert-options.js';
import type { BurnRate } from '../alerting/burn-rate.js';
import type { Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import type { Finding, FindingType } from '../explain/finding.js';
import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { Leak } from '../leaks/leak.js';
import { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { OperationType } from '../operation/operation.js';
import type { CaptureOptions } from '../profiling/on-demand.js';
import { CaptureRefusedError, type ProfileInfo } from '../profiling/profile-info.js';
import type { PerformanceStats } from '../report/performance-stats.js';
import type { PerformanceReport } from '../report/report.js';
import type { SpanLike } from '../spans/guarded-span.js';

/** The monitor for injection: statistics, slow operations and alerts of this application. */
@Injectable()
export class PerformanceMonitorService implements OnApplicationShutdown {
  /** Each slow operation, shortly after it ended. Completes when the application shuts down. */
  readonly slowOperations$: Observable<SlowOperation>;
  /** Each alert, when it begins to fire and when it is resolved. Completes when the application shuts down. */
  readonly alerts$: Observable<PerformanceAlert>;
  /** What a detector saw, each time it did. Completes when the application shuts down. */
  readonly findings$: Observable<Finding>;
  private readonly closed = new Subject<void>();

  constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {
    this.slowOperations$ = new Observable<SlowOperation>((subscriber) =>
      monitor.onSlowOperation((operation) => subscriber.next(operation)),
    ).pipe(takeUntil(this.closed));
    this.alerts$ = new Observable<PerformanceAlert>((subscriber) =>
      monitor.onAlert((alert) => subscriber.next(alert)),
    ).pipe(takeUntil(this.closed));
    this.findings$ = new Observable<Finding>((subscriber) =>
      monitor.onFinding((finding) => subscriber.next(finding)),
    ).pipe(takeUntil(this.closed));
  }

  /** The statistics, the present resources and the drivers. `operations` bounds the list, 100 by default. */
  getStats(options?: { operations?: number | undefined }): PerformanceStats {
    return this.monitor.getStats(options);
  }

  /** Forgets the statistics, the slow operations, the findings and the queries. */
  resetStats(): void {
    this.monitor.resetStats();
  }

  /** The last slow operations, the newest first. */
  getSlowOperations(filter?: { limit?: number | undefined; type?: string | undefined }): SlowOperation[] {
    return this.monitor.getSlowOperations(filter);
  }

  /** A slow operation by its id, while it is kept, with its waterfall. */
  getSlowOperation(id: string): DetailedSlowOperation | undefined {
    return this.monitor.getSlowOperation(id);
  }

  /** What the detectors saw, the most time lost first. */
  getFindings(filter?: { limit?: number | undefined; type?: FindingType | undefined }): Finding[] {
    return this.monitor.getFindings(filter);
  }

  /** The statements that were slow at least once, or all of them; the most time first. 100 by default. */
  getSlowQueries(filter?: { limit?: number | undefined; all?: boolean | undefined }): SlowQuery[] {
    return this.monitor.getSlowQueries(filter);
  }

  /** What got worse: what goes on, the latest first, then what is over. */
  getRegressions(): Regression[] {
    return this.monitor.getRegressions();
  }

  /** Slow drifts that go on, that whose limit is reached first before others. */
  getTrends(): Trend[] {
    return this.monitor.getTrends();
  }

  /** Memory that leaks. */
  getLeaks(): Leak[] {
    return this.monitor.getLeaks();
  }

  /** What is slow, what got slower, what was found, and how the process is. See {@link PerformanceMonitor.getReport}. */
  getReport(options?: { since?: number | undefined; limit?: number | undefined }): PerformanceReport {
    return this.monitor.getReport(options);
  }

  /**
   * Has nobody told of the alerts that fit, while it holds. Returns what ends it.
   * @throws PerformanceOptionsError for a silence that is not allowed
   */
  silence(options: SilenceOptions): () => void {
    return this.monitor.silence(options);
  }

  /** How each objective of `alerts.slos` stands. */
  getBurnRates(): BurnRate[] {
    return this.monitor.getBurnRates();
  }

  /** The alerts that began to fire or were resolved, the newest first. */
  getRecentAlerts(): PerformanceAlert[] {
    return this.monitor.getRecentAlerts();
  }

  /** The alerts that fire at present. */
  getActiveAlerts(): { rule: string; subject?: string; firedAt: number }[] {
    return this.monitor.getActiveAlerts();
  }

  /** See {@link PerformanceMonitor.checkAndAnnotateSlowOperation}. */
  checkAndAnnotateSlowOperation(
    span: SpanLike | null | undefined,
    durationMs: number,
    type: OperationType,
  ): boolean {
    return this.monitor.checkAndAnnotateSlowOperation(span, durationMs, type);
  }

  /**
   * Samples what this process does for some seconds, and keeps that as a file: 10 where nothing is said.
   * @throws {@link CaptureRefusedError} that says why: one runs already, the process cannot be profiled, the file could
   * not be written, or the module is not enabled
   * @throws RangeError for `seconds` that are not allowed; and the signal's reason
   */
  async captureCpuProfile(options?: CaptureOptions): Promise<ProfileInfo> {
    this.mayCapture();
    return this.monitor.profiling.onDemand.captureCpu(options);
  }

  /** What is allocated within some seconds and stays. Throws as {@link captureCpuProfile}. */
  async captureAllocationProfile(options?: CaptureOptions): Promise<ProfileInfo> {
    this.mayCapture();
    const { seconds, signal } = options ?? {};
    return this.monitor.profiling.onDemand.captureAllocations({ seconds, signal });
  }

  /**
   * Every object of the heap. Stops the process for some 5 to 15 seconds for each 100 MB; the file holds all strings, secrets
   * among them. Refused where memory may not suffice. Throws as {@link captureCpuProfile}.
   */
  async captureHeapSnapshot(options?: Pick<CaptureOptions, 'signal'>): Promise<ProfileInfo> {
    this.mayCapture();
    return this.monitor.profiling.onDemand.captureHeapSnapshot(options);
  }

  /** The profiles that are kept, the newest first. Never rejects. */
  getProfiles(): Promise<ProfileInfo[]> {
    return this.monitor.profiling.store.list();
  }

  /** A profile by its id, while it is kept; its `path` is the file. Never rejects. */
  getProfile(id: string): Promise<ProfileInfo | undefined> {
    return this.monitor.profiling.store.get(id);
  }

  private mayCapture(): void {
    if (!this.monitor.options.enabled)
      throw new CaptureRefusedError('The option enabled is false: nothing is captured.');
  }

  onApplicationShutdown(): void {
    // What waits for listeners is told to them before they hear that it is over.
    setImmediate(() => this.closed.next()).unref();
  }
}
