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
import type { DroppedCounts } from './performance-stats.js';
import type { PeakResources } from './resource-peaks.js';

/** Incremented on incompatible changes. */
export const REPORT_VERSION = 1;

/**
 * Slow operations, regressions and their cost as plain JSON. Times are milliseconds since 1970, durations milliseconds,
 * shares 0 to 1. Values without data are absent.
 */
export interface PerformanceReport {
  readonly schemaVersion: typeof REPORT_VERSION;
  readonly generatedAt: number;
  readonly covered: CoveredTime;
  readonly service: ReportedService;
  /** `critical` or `warning` if something needs attention. */
  readonly verdict: 'fine' | 'warning' | 'critical';
  /** Sentences, the verdict first. */
  readonly summary: readonly string[];
  readonly slowest: readonly ReportedOperation[];
  /** The worst slow operation of each name. */
  readonly slow: readonly SlowOperation[];
  readonly regressions: readonly Regression[];
  readonly trends: readonly Trend[];
  /** Findings within requests: repeated errors first, then by time per hour. Regressions, trends and leaks have their own lists. */
  readonly findings: readonly ReportedFinding[];
  readonly queries: readonly SlowQuery[];
  readonly leaks: readonly Leak[];
  readonly resources: ReportedResources;
  /** Firing alerts. */
  readonly alerts: readonly ActiveAlert[];
  /** Firing and resolved events within the covered time, the newest first. */
  readonly recentAlerts: readonly PerformanceAlert[];
  /** The state of each objective, sorted by remaining budget, lowest first. */
  readonly slos: readonly BurnRate[];
  /** The state of the baseline. */
  readonly baseline?: BaselineStatus;
  readonly coverage: ReportCoverage;
}

/** Statistics exist for fixed windows: the smallest one that contains the requested time is used. */
export interface CoveredTime {
  readonly asked?: number;
  readonly since: number;
  readonly window: WindowName | 'lifetime';
  /** Why `since` differs from `asked`. */
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
  /** The total time, extrapolated to one hour. */
  readonly totalMsPerHour?: number;
  /** The baseline, and `p50Ms` divided by its p50. */
  readonly baseline?: { readonly p50Ms: number; readonly p95Ms: number; readonly ratio?: number };
}

/** `lostMsPerHour`: its total time since start or the last reset, extrapolated to one hour. */
export type ReportedFinding = Finding & { readonly lostMsPerHour: number };

export type ActiveAlert = Pick<PerformanceAlert, 'rule' | 'subject' | 'firedAt'>;

/** The current values, those since the start of the process, and the peaks of the covered time. */
export interface ReportedResources extends CurrentResources {
  readonly lifetime: LifetimeResources;
  readonly peak?: PeakResources;
}

/** Since the process started. */
export interface LifetimeResources {
  /** CPU time as a share of one core: above 1 with several threads. */
  readonly cpu: number;
  /** The share of time in which the event loop was busy. */
  readonly eventLoopUtilization: number;
  /** The share of time in garbage collection pauses. */
  readonly gcShare: number;
  /** The maximum resident memory, in bytes. */
  readonly maxRss: number;
}

/** What the report cannot contain, and why. */
export interface ReportCoverage {
  readonly unseenDrivers: readonly DriverStatus[];
  readonly dropped: DroppedCounts;
  readonly profiling: string;
  readonly eventLoopWatchdog: string;
  /** The parts of this package that pause because of `overhead.maxCpuPercent` or `overhead.maxMemoryMb`. Absent without any. */
  readonly paused?: readonly string[];
}
