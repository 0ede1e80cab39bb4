import type { DriverStatus } from '../operation/driver-status.js';
import type { WatchdogStatus } from '../process/event-loop-watchdog.js';
import type { CurrentResources } from '../process/resource-sampler.js';
import type { ProfilingStatus } from '../profiling/profiling.js';
import type { NamedStatistics, TypeStatistics } from '../statistics/statistics.js';

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
  dropped: { operationsToOther: number; events: number; queries: number };
  /** Whether event loop blocks are detected, and if not, why. */
  eventLoopWatchdog: WatchdogStatus;
  /** Whether profiles are captured, and if not, why. */
  profiling: ProfilingStatus;
}

/** The same with operations that can be iterated once. */
export interface PerformanceStatsInParts extends Omit<PerformanceStats, 'operations'> {
  operations: Iterable<NamedStatistics>;
}
