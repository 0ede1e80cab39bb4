import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Span } from '@opentelemetry/api';
import { Observable, Subject, takeUntil } from 'rxjs';
import type { PerformanceAlert } from '../alerting/alert.js';
import type { Finding, FindingType } from '../explain/finding.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { OperationType, SlowOperation } from './operation.js';
import { PerformanceMonitor, type PerformanceStats } from './performance-monitor.js';

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
  getStats(options?: { operations?: number }): PerformanceStats {
    return this.monitor.getStats(options);
  }

  /** Forgets the statistics, the slow operations, the findings and the queries. */
  resetStats(): void {
    this.monitor.resetStats();
  }

  /** The last slow operations, the newest first. */
  getSlowOperations(filter?: { limit?: number; type?: string }): SlowOperation[] {
    return this.monitor.getSlowOperations(filter);
  }

  /** A slow operation by its id, while it is kept. */
  getSlowOperation(id: string): SlowOperation | undefined {
    return this.monitor.getSlowOperation(id);
  }

  /** What the detectors saw, the most time lost first. */
  getFindings(filter?: { limit?: number; type?: FindingType }): Finding[] {
    return this.monitor.getFindings(filter);
  }

  /** The statements that were slow at least once, or all of them; the most time first. 100 by default. */
  getSlowQueries(filter?: { limit?: number; all?: boolean }): SlowQuery[] {
    return this.monitor.getSlowQueries(filter);
  }

  /** The alerts that fire at present. */
  getActiveAlerts(): { rule: string; subject?: string; firedAt: number }[] {
    return this.monitor.getActiveAlerts();
  }

  /** See {@link PerformanceMonitor.checkAndAnnotateSlowOperation}. */
  checkAndAnnotateSlowOperation(span: Span, durationMs: number, type: OperationType): boolean {
    return this.monitor.checkAndAnnotateSlowOperation(span, durationMs, type);
  }

  onApplicationShutdown(): void {
    // What waits for listeners is told to them before they hear that it is over.
    setImmediate(() => this.closed.next()).unref();
  }
}
