import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { runningMonitors } from '../monitor/running-monitors.js';
import type { PerformanceStats } from '../report/performance-stats.js';

/**
 * The monitor of the running module, for code outside Nest's container. It is available from the creation of the module
 * until its application shuts down. Where several applications run in one process, it is that of the newest.
 * @throws Error when no module runs, or `enabled` is false: `Performance monitoring is not enabled`
 */
export function getPerformanceMonitor(): PerformanceMonitor {
  const monitor = runningMonitors().at(-1);
  if (monitor === undefined) throw new Error('Performance monitoring is not enabled');
  return monitor;
}

/**
 * The statistics of the running module, see {@link getPerformanceMonitor}. `operations` bounds the list, 100 by default.
 * @throws Error when no module runs, or `enabled` is false: `Performance monitoring is not enabled`
 */
export function getPerformanceStats(options?: { operations?: number }): PerformanceStats {
  return getPerformanceMonitor().getStats(options);
}
