import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { runningMonitors } from '../monitor/running-monitors.js';
import type { PerformanceStats } from '../report/performance-stats.js';

/**
 * The monitor of the running module, for code outside Nest's container. Available from the creation of the module until
 * its application shuts down. With several applications in one process, that of the newest.
 * @throws Error if no module runs or `enabled` is false: `Performance monitoring is not enabled`
 */
export function getPerformanceMonitor(): PerformanceMonitor {
  const monitor = runningMonitors().at(-1);
  if (monitor === undefined) throw new Error('Performance monitoring is not enabled');
  return monitor;
}

/**
 * The statistics of the running module, see {@link getPerformanceMonitor}. `operations` limits the list (default 100).
 * @throws Error if no module runs or `enabled` is false: `Performance monitoring is not enabled`
 */
export function getPerformanceStats(options?: { operations?: number }): PerformanceStats {
  return getPerformanceMonitor().getStats(options);
}
