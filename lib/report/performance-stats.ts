import type { DriverStatus } from '../operation/driver-status.js';
import type { OverheadStatus } from '../overhead/overhead.js';
import type { WatchdogStatus } from '../process/event-loop-watchdog.js';
import type { CurrentResources } from '../process/resource-sampler.js';
import type { ProfilingStatus } from '../profiling/profiling.js';
import type { NamedStatistics, TypeStatistics } from '../statistics/named-statistics.js';

/** Data dropped by limits since start or the last reset. */
export interface DroppedCounts {
  /** Operations counted as `(other)` of their type, see `detection.maxOperations`. */
  readonly operationsToOther: number;
  /** Events that listeners were too slow for. */
  readonly events: number;
  /** Statements without statistics of their own, see `detection.maxQueries`. */
  readonly queries: number;
  /** Calls of measured methods that are not counted: too many promises that nobody waited for were pending. Absent if 0. */
  readonly calls?: number;
  /** Errors beyond the limits of findings, which show too few of them or too low a severity. Absent if 0. */
  readonly errors?: number;
}

/** The result of `getStats()` and `/performance/stats`. Durations are milliseconds. */
export interface PerformanceStats {
  /** Operations that ended since start or the last reset. */
  totalOperations: number;
  totalSlowOperations: number;
  /** `totalSlowOperations` in percent of `totalOperations`, 0 to 100; 0 without operations. */
  slowPercentage: number;
  byType: Record<string, TypeStatistics>;
  /** Sorted by total time, highest first. */
  operations: NamedStatistics[];
  currentResources: CurrentResources;
  /** The libraries that the application uses, and whether their work is recorded. */
  drivers: readonly DriverStatus[];
  /** Data dropped by limits since start or the last reset. */
  dropped: DroppedCounts;
  /** Whether event loop blocks are detected, and if not, why. */
  eventLoopWatchdog: WatchdogStatus;
  /** Whether profiles are captured, and if not, why. */
  profiling: ProfilingStatus;
  /** What this package itself costs, and what pauses because of that. */
  overhead: OverheadStatus;
}

/** The same with operations that can be iterated once. */
export interface PerformanceStatsInParts extends Omit<PerformanceStats, 'operations'> {
  operations: Iterable<NamedStatistics>;
}
