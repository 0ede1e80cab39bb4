import type { PerformanceAlert } from '../alerting/alert.js';
import type { BurnRate } from '../alerting/burn-rate.js';
import type { Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { Leak } from '../leaks/leak.js';
import type { DriverStatus } from '../operation/driver-status.js';
import type { Instance } from '../operation/instance.js';
import type { OverheadStatus } from '../overhead/overhead.js';
import type { DroppedCounts } from '../report/performance-stats.js';
import type { LatencySummary } from '../statistics/latency-summary.js';

/** The data of the page's overview: plain JSON. Durations are milliseconds, times are milliseconds since 1970. */
export interface Overview {
  at: number;
  service: {
    name: string;
    version?: string;
    /** This process: its `service.instance.id`, and what that consists of. */
    instance: Pick<Instance, 'id' | 'host' | 'pid' | 'worker'>;
    startedAt: number;
    countingSince: number;
    /** The template of addresses of lines: see `endpoint.sourceUrl`. */
    sourceUrl?: string;
  };
  /** One sentence about the application. `idle`: no operations were recorded, or too few to judge failures. */
  health: { state: 'idle' | 'healthy' | 'degraded' | 'unhealthy'; sentence: string };
  /** Every operation type in the last minute. */
  lastMinute: OverviewType[];
  /** Sorted by `excessMs`, then by total time. Always includes operations that mostly fail. */
  operations: OverviewOperation[];
  /** The number of all operations; `operations` may list fewer. */
  operationCount: number;
  findings: Finding[];
  /** `logging.keep` is on: findings of errors may have a log. */
  keepsLogs?: true;
  /**
   * The newest first, without the fields that only the details page shows. What was slow within another one is named there,
   * and not listed itself.
   */
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
  /** Since start or the last reset. */
  lifetime: LatencySummary;
  /** In the last minute. */
  minute: LatencySummary;
  totalMs: number;
  /** The excess time: the total time above the thresholds, since start or the last reset. */
  excessMs: number;
  /** The mean duration in each of the last 60 minutes, the oldest first; null for a minute without calls. */
  sparkline: (number | null)[];
  /**
   * The p50 of the last minute divided by the baseline p50, once both are known. With fewer than 10 calls in the last
   * minute, the p50 of the last hour.
   */
  change?: { ratio: number; baselineP50Ms: number; baselineP95Ms: number };
}

/** Executions of one operation that were slow within another one. */
export interface SlowPart {
  type: string;
  name: string;
  count: number;
  worstMs: number;
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
> & {
  /** What was slow within it, up to five operations, the longest first. */
  within?: SlowPart[];
};

/** Columns of equal length, the oldest first, up to 300 points over the last five minutes; null for unknown values. */
export interface OverviewResources {
  at: number[];
  heapUsedMb: (number | null)[];
  heapLimitMb: number;
  rssMb: (number | null)[];
  /** Percent of one core; above 100 with several threads. */
  cpuPercent: (number | null)[];
  /** 0 to 1 */
  eventLoopUtilization: (number | null)[];
  eventLoopDelayMaxMs: (number | null)[];
  /** Total pauses within the interval of the point. */
  gcPauseMs: (number | null)[];
}

/** The module's own cost: see `eventLoopWatchdog` and `profiling` of the statistics. */
export interface OverviewOverhead {
  /** Concurrent live pages. */
  streams: number;
  dropped: DroppedCounts;
  watchdog: unknown;
  profiling: unknown;
  own: OverheadStatus;
}
