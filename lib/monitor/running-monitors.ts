import { tracingRuntime } from '../spans/tracing-runtime.js';
import type { PerformanceMonitor } from './performance-monitor.js';

/** The monitors of the running modules of this process, the oldest first; without any, of those that are created. */
export function runningMonitors(): readonly PerformanceMonitor[] {
  const { monitors, created } = tracingRuntime;
  return (monitors.length > 0 ? monitors : created) as PerformanceMonitor[];
}
