import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Observable, Subject, takeUntil } from 'rxjs';
import type { PerformanceAlert } from '../alerting/alert.js';
import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import { MonitorViews } from '../monitor/monitor-views.js';
import { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { CaptureOptions } from '../profiling/on-demand.js';
import { CaptureRefusedError, type ProfileInfo } from '../profiling/profile-info.js';
import { GuardedObservable } from './guarded-observable.js';

/** Injectable access to the statistics, slow operations, findings, alerts and profiles of this application. */
@Injectable()
export class PerformanceMonitorService extends MonitorViews implements OnApplicationShutdown {
  /** Emits each slow operation shortly after its end. Completes when the application shuts down. */
  readonly slowOperations$: Observable<SlowOperation>;
  /** Emits an updated copy, with the same id, of a slow operation that gained details. Completes on shutdown. */
  readonly slowOperationUpdates$: Observable<SlowOperation>;
  /** Emits each alert when it fires and when it is resolved. Completes on shutdown. */
  readonly alerts$: Observable<PerformanceAlert>;
  /**
   * Emits a finding when it is first seen, for the 10th, 100th, 1000th … time, and when its severity rises; a regression, a
   * trend or a leak at each change of state. Completes on shutdown.
   */
  readonly findings$: Observable<Finding>;
  private readonly closed = new Subject<void>();

  constructor(@Inject(PerformanceMonitor) monitor: PerformanceMonitor) {
    super(monitor);
    const observe = <T>(
      name: string,
      subscribe: (listener: (event: T) => void) => () => void,
    ): Observable<T> =>
      new GuardedObservable<T>(
        (error) => monitor.failures.report(error, name),
        (subscriber) => subscribe((event) => subscriber.next(event)),
      ).pipe(takeUntil(this.closed));
    this.slowOperations$ = observe('slowOperations$', (listener) => monitor.onSlowOperation(listener));
    this.slowOperationUpdates$ = observe('slowOperationUpdates$', (listener) =>
      monitor.onSlowOperationUpdate(listener),
    );
    this.alerts$ = observe('alerts$', (listener) => monitor.onAlert(listener));
    this.findings$ = observe('findings$', (listener) => monitor.onFinding(listener));
  }

  /**
   * Captures a CPU profile for `seconds` (default 10) and stores it as a file.
   * @throws {@link CaptureRefusedError} if another capture is running, the process cannot be profiled, the file cannot be
   * written, or the module is disabled
   * @throws RangeError for invalid `seconds`; the reason of an aborted signal
   */
  async captureCpuProfile(options?: CaptureOptions): Promise<ProfileInfo> {
    this.mayCapture();
    return this.profiling.onDemand.captureCpu(options);
  }

  /** Captures the allocations of `seconds` (default 10) that remain in memory. Throws as {@link captureCpuProfile}. */
  async captureAllocationProfile(options?: CaptureOptions): Promise<ProfileInfo> {
    this.mayCapture();
    const { seconds, signal } = options ?? {};
    return this.profiling.onDemand.captureAllocations({ seconds, signal });
  }

  /**
   * Captures a heap snapshot. Blocks the process for 5 to 15 seconds per 100 MB. The file contains all strings, including
   * secrets. Refused if memory may not suffice. Throws as {@link captureCpuProfile}.
   */
  async captureHeapSnapshot(options?: Pick<CaptureOptions, 'signal'>): Promise<ProfileInfo> {
    this.mayCapture();
    return this.profiling.onDemand.captureHeapSnapshot(options);
  }

  /** The stored profiles, the newest first. Never rejects. */
  getProfiles(): Promise<ProfileInfo[]> {
    return this.profiling.store.list();
  }

  /** A stored profile by its id; its `path` is the file. Undefined once deleted. Never rejects. */
  getProfile(id: string): Promise<ProfileInfo | undefined> {
    return this.profiling.store.get(id);
  }

  onApplicationShutdown(): void {
    // Pending events are delivered before the Observables complete.
    setImmediate(() => this.closed.next()).unref();
  }

  private mayCapture(): void {
    if (!this.options.enabled)
      throw new CaptureRefusedError(
        'No profile captured: the module is disabled. Set enabled (OTEL_PERF_MONITORING) to true.',
      );
  }
}
