import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Observable, Subject, takeUntil } from 'rxjs';
import type { PerformanceAlert } from '../alerting/alert.js';
import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import { MonitorViews } from '../monitor/monitor-views.js';
import { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { CaptureOptions } from '../profiling/on-demand.js';
import { CaptureRefusedError, type ProfileInfo } from '../profiling/profile-info.js';

/** The monitor for injection: statistics, slow operations, alerts and profiles of this application. */
@Injectable()
export class PerformanceMonitorService extends MonitorViews implements OnApplicationShutdown {
  /** Each slow operation, shortly after it ended. Completes when the application shuts down. */
  readonly slowOperations$: Observable<SlowOperation>;
  /** Each slow operation of which more has become known, as a new object with the same id. Completes likewise. */
  readonly slowOperationUpdates$: Observable<SlowOperation>;
  /** Each alert, when it fires and when it is resolved. Completes likewise. */
  readonly alerts$: Observable<PerformanceAlert>;
  /** Each finding, each time it is seen. Completes likewise. */
  readonly findings$: Observable<Finding>;
  private readonly closed = new Subject<void>();

  constructor(@Inject(PerformanceMonitor) monitor: PerformanceMonitor) {
    super(monitor);
    this.slowOperations$ = this.observe((listener) => monitor.onSlowOperation(listener));
    this.slowOperationUpdates$ = this.observe((listener) => monitor.onSlowOperationUpdate(listener));
    this.alerts$ = this.observe((listener) => monitor.onAlert(listener));
    this.findings$ = this.observe((listener) => monitor.onFinding(listener));
  }

  /**
   * Samples the CPU for some seconds, by default 10, and keeps the profile as a file.
   * @throws {@link CaptureRefusedError} that says why: a capture is running, the process cannot be profiled, the file could
   * not be written, or the module is disabled
   * @throws RangeError for invalid `seconds`; and the signal's reason
   */
  async captureCpuProfile(options?: CaptureOptions): Promise<ProfileInfo> {
    this.mayCapture();
    return this.profiling.onDemand.captureCpu(options);
  }

  /** What is allocated within some seconds and remains. Throws as {@link captureCpuProfile}. */
  async captureAllocationProfile(options?: CaptureOptions): Promise<ProfileInfo> {
    this.mayCapture();
    const { seconds, signal } = options ?? {};
    return this.profiling.onDemand.captureAllocations({ seconds, signal });
  }

  /**
   * Every object of the heap. Stops the process for 5 to 15 seconds for each 100 MB; the file holds all strings, secrets
   * among them. Refused where memory may not suffice. Throws as {@link captureCpuProfile}.
   */
  async captureHeapSnapshot(options?: Pick<CaptureOptions, 'signal'>): Promise<ProfileInfo> {
    this.mayCapture();
    return this.profiling.onDemand.captureHeapSnapshot(options);
  }

  /** The profiles that are kept, the newest first. Never rejects. */
  getProfiles(): Promise<ProfileInfo[]> {
    return this.profiling.store.list();
  }

  /** A profile by its id, while it is kept; its `path` is the file. Never rejects. */
  getProfile(id: string): Promise<ProfileInfo | undefined> {
    return this.profiling.store.get(id);
  }

  onApplicationShutdown(): void {
    // Events that wait are delivered before the Observables complete.
    setImmediate(() => this.closed.next()).unref();
  }

  private observe<T>(subscribe: (listener: (event: T) => void) => () => void): Observable<T> {
    return new Observable<T>((subscriber) => subscribe((event) => subscriber.next(event))).pipe(
      takeUntil(this.closed),
    );
  }

  private mayCapture(): void {
    if (!this.options.enabled)
      throw new CaptureRefusedError('Nothing is captured: the option enabled is false.');
  }
}
