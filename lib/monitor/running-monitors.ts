import { tracingRuntime } from '../spans/tracing-runtime.js';
import type { PerformanceMonitor } from './performance-monitor.js';

/** The monitors of the running modules of this process, the oldest first. */
export function runningMonitors(): readonly PerformanceMonitor[] {
  return tracingRuntime.monitors as PerformanceMonitor[];
}
