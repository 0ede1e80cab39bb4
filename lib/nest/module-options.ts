import type { MonitorOptions, ResolvedOptions } from '../monitor/options.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { resolveOptions } from '../monitor/resolve-options.js';
import { isObject, type Shape } from '../validation/checks.js';
import type { Environment } from '../validation/option-table.js';

/** What `PerformanceModule.forRoot` takes. Everything is optional; durations are milliseconds. */
export interface PerformanceOptions extends MonitorOptions {
  /**
   * The monitor to use instead of one of the module's own, for an application that created one early for
   * `new SlowSpanProcessor(monitor)`. It keeps the thresholds that it was created with.
   */
  monitor?: PerformanceMonitor | undefined;
}

/** The options of the module with every default filled in. */
export interface ResolvedModuleOptions extends ResolvedOptions {
  readonly monitor: PerformanceMonitor | undefined;
}

const MODULE_OPTIONS: Shape = { monitor: { allowed: 'a PerformanceMonitor', accepts: isObject } };

/** As {@link resolveOptions}. */
export function resolveModuleOptions(
  options: PerformanceOptions = {},
  env: Environment = {},
): ResolvedModuleOptions {
  return { ...resolveOptions(options, env, MODULE_OPTIONS), monitor: options.monitor };
}
