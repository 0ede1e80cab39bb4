import type { PerformanceAlert } from '../alerting/alert.js';
import type { BurnRate } from '../alerting/burn-rate.js';
import type { BaselineStatus } from '../baseline/baseline.js';
import type { Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { Leak } from '../leaks/leak.js';
import type { DriverStatus } from '../operation/driver-status.js';
import type { CurrentResources } from '../process/resource-sampler.js';
import type { WindowName } from '../statistics/operation-statistics.js';
import type { PeakResources } from './resource-peaks.js';

/** Rises when a reader of the former version could not read a report any more. */
export const REPORT_VERSION = 1;

/**
 * What is slow, what got slower, and what it costs. Plain data, fit for JSON. Moments are milliseconds since 1970,
 * durations milliseconds, shares 0 to 1; a figure without data is absent.
 */
export interface PerformanceReport {
  readonly schemaVersion: typeof REPORT_VERSION;
  readonly generatedAt: number;
  readonly covered: CoveredTime;
  readonly service: ReportedService;
  /** `critical` or `warning` where something needs attention. */
  readonly verdict: 'fine' | 'warning' | 'critical';
  /** Some sentences, the verdict first. */
  readonly summary: readonly string[];
  readonly slowest: readonly ReportedOperation[];
  /** The worst slow operation of each name. */
  readonly slow: readonly SlowOperation[];
  readonly regressions: readonly Regression[];
  readonly trends: readonly Trend[];
  /** What was found in requests; those that cost most, first. What was found over time is in the lists beside. */
  readonly findings: readonly ReportedFinding[];
  readonly queries: readonly SlowQuery[];
  readonly leaks: readonly Leak[];
  readonly resources: ReportedResources;
  /** Those that fire. */
  readonly alerts: readonly ActiveAlert[];
  /** Alerts that began to fire or were resolved within the covered time, the newest first. */
  readonly recentAlerts: readonly PerformanceAlert[];
  /** How each objective stands: that with the least left of its budget first. */
  readonly slos: readonly BurnRate[];
  /** What is known of how operations usually are. */
  readonly baseline?: BaselineStatus;
  readonly coverage: ReportCoverage;
}

/** Statistics exist for some windows alone: the smallest that holds what was asked for is taken. */
export interface CoveredTime {
  readonly asked?: number;
  readonly since: number;
  readonly window: WindowName | 'lifetime';
  /** Why `since` is not what was asked for. */
  readonly reason?: string;
}

export interface ReportedService {
  readonly name: string;
  readonly version?: string;
  readonly host: string;
  readonly node: string;
  readonly uptimeMs: number;
}

/** An operation within the covered time. */
export interface ReportedOperation {
  readonly type: string;
  readonly name: string;
  readonly count: number;
  readonly slowCount: number;
  readonly errorRate: number;
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly p99Ms?: number;
  /** All of the time spent in it, as much as an hour would see. */
  readonly totalMsPerHour?: number;
  /** What it was like before, and `p50Ms` over the median of then. */
  readonly baseline?: { readonly p50Ms: number; readonly p95Ms: number; readonly ratio?: number };
}

/** `lostMsPerHour`: its time since counting began, as much as an hour would see. */
export type ReportedFinding = Finding & { readonly lostMsPerHour: number };

export type ActiveAlert = Pick<PerformanceAlert, 'rule' | 'subject' | 'firedAt'>;

/** The present figures, what the process took over its life, and the peaks of the covered time. */
export interface ReportedResources extends CurrentResources {
  readonly lifetime: LifetimeResources;
  readonly peak?: PeakResources;
}

/** Since the process started. */
export interface LifetimeResources {
  /** CPU time as a share of one core: above 1 with several threads. */
  readonly cpu: number;
  /** The shares of time in which the event loop was busy and the collector paused it, 0 to 1. */
  readonly eventLoopUtilization: number;
  readonly gcShare: number;
  /** The most memory that was resident, in bytes. */
  readonly maxRss: number;
}

/** What the report can't tell of, and why. */
export interface ReportCoverage {
  readonly unseenDrivers: readonly DriverStatus[];
  readonly dropped: { operationsToOther: number; events: number; queries: number };
  readonly profiling: string;
  readonly eventLoopWatchdog: string;
}
