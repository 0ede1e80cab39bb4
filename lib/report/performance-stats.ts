import type { DriverStatus } from '../operation/driver-status.js';
import type { WatchdogStatus } from '../process/event-loop-watchdog.js';
import type { CurrentResources } from '../process/resource-sampler.js';
import type { ProfilingStatus } from '../profiling/profiling.js';
import type { NamedStatistics, TypeStatistics } from '../statistics/statistics.js';

/** What `getStats()` and `/performance/stats` answer. Durations are milliseconds. */
export interface PerformanceStats {
  /** Operations that ended since the start or the last reset. */
  totalOperations: number;
  totalSlowOperations: number;
  /** `totalSlowOperations` in percent of `totalOperations`, 0 to 100; 0 while there are none. */
  slowPercentage: number;
  byType: Record<string, TypeStatistics>;
  /** Those that took the most time altogether, first. */
  operations: NamedStatistics[];
  currentResources: CurrentResources;
  /** The libraries that do work for the application, and whether that work is seen. */
  drivers: readonly DriverStatus[];
  /** What the bounds turned away since the start or the last reset. */
  dropped: { operationsToOther: number; events: number; queries: number };
  /** Whether blocks of the event loop are seen, and if not, why. */
  eventLoopWatchdog: WatchdogStatus;
  /** Whether profiles are kept, and if not, why. */
  profiling: ProfilingStatus;
}

/** The same with operations that can be taken one by one, once. */
export interface PerformanceStatsInParts extends Omit<PerformanceStats, 'operations'> {
  operations: Iterable<NamedStatistics>;
}
