import { tracingRuntime } from '../spans/tracing-runtime.js';
import type { PerformanceMonitor } from './performance-monitor.js';

/** The monitors of the modules that run in this process, the oldest first. The runtime knows only their sinks. */
export function runningMonitors(): readonly PerformanceMonitor[] {
  return tracingRuntime.monitors as PerformanceMonitor[];
}
