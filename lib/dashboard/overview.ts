import type { PerformanceAlert } from '../alerting/alert.js';
import type { BurnRate } from '../alerting/burn-rate.js';
import type { Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { Leak } from '../leaks/leak.js';
import type { DriverStatus } from '../operation/driver-status.js';
import type { LatencySummary } from '../statistics/operation-statistics.js';

/** What the page shows at first sight. Plain data, fit for JSON; durations are milliseconds, moments milliseconds since 1970. */
export interface Overview {
  at: number;
  service: { name: string; version?: string; startedAt: number; countingSince: number };
  /** One line in words, and how it is meant. `idle`: nothing was recorded yet, or too little to judge failures. */
  health: { state: 'idle' | 'healthy' | 'degraded' | 'unhealthy'; sentence: string };
  /** Every type within the last minute. */
  lastMinute: OverviewType[];
  /** Those that cost most first: by `excessMs`, then by total time. Operations that fail most of the time are among them. */
  operations: OverviewOperation[];
  /** Operations that there are, of which `operations` may list fewer. */
  operationCount: number;
  findings: Finding[];
  /** The newest first, without what only their own page needs. */
  slow: OverviewSlowOperation[];
  regressions: Regression[];
  trends: Trend[];
  leaks: Leak[];
  alerts: {
    active: { rule: string; subject?: string; firedAt: number }[];
    recent: PerformanceAlert[];
    burnRates: BurnRate[];
  };
  resources: OverviewResources;
  drivers: readonly DriverStatus[];
  overhead: OverviewOverhead;
}

export interface OverviewType extends LatencySummary {
  type: string;
}

export interface OverviewOperation {
  type: string;
  name: string;
  thresholdMs?: number;
  /** Since counting began, and within the last minute. */
  lifetime: LatencySummary;
  minute: LatencySummary;
  totalMs: number;
  /** By how much its slow ones were over their thresholds, added up since counting began. */
  excessMs: number;
  /** The mean duration in each of the last 60 minutes, the oldest first; null where nothing ended. */
  sparkline: (number | null)[];
  /** The median of the last minute (of the last hour where that has too little) over the usual median, once both are known. */
  change?: { ratio: number; usualP50Ms: number; usualP95Ms: number };
}

export type OverviewSlowOperation = Pick<
  SlowOperation,
  | 'id'
  | 'timestamp'
  | 'type'
  | 'name'
  | 'durationMs'
  | 'thresholdMs'
  | 'slownessRatio'
  | 'error'
  | 'cause'
  | 'explanation'
  | 'profile'
>;

/** Columns of equal length, the oldest first, at most 300 points over the last five minutes; null where it is not known. */
export interface OverviewResources {
  at: number[];
  heapUsedMb: (number | null)[];
  heapLimitMb: number;
  rssMb: (number | null)[];
  /** Of one core, so it may be over 100. */
  cpuPercent: (number | null)[];
  /** 0 to 1 */
  eventLoopUtilization: (number | null)[];
  eventLoopDelayMaxMs: (number | null)[];
  /** Within the point's interval. */
  gcPauseMs: (number | null)[];
}

/** What the module itself costs, as far as it knows: see `eventLoopWatchdog` and `profiling` of the statistics. */
export interface OverviewOverhead {
  /** Streams and requests of the page itself. */
  streams: number;
  dropped: { operationsToOther: number; events: number; queries: number };
  watchdog: unknown;
  profiling: unknown;
}
