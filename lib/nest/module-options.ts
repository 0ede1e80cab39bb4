import type { MonitorOptions, ResolvedOptions } from '../monitor/options.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { resolveOptions } from '../monitor/resolve-options.js';
import { isObject, type Shape } from '../validation/checks.js';
import type { Environment } from '../validation/option-table.js';

/** The options of `PerformanceModule.forRoot`. All are optional; durations are milliseconds. */
export interface PerformanceOptions extends MonitorOptions {
  /**
   * An existing monitor to use, for applications that created one for `new SlowSpanProcessor(monitor)`. It keeps its own
   * thresholds. Default: the module creates one.
   */
  monitor?: PerformanceMonitor | undefined;
}

/** The options of the module with all defaults. */
export interface ResolvedModuleOptions extends ResolvedOptions {
  readonly monitor: PerformanceMonitor | undefined;
}

const MODULE_OPTIONS: Shape = { monitor: { allowed: 'a PerformanceMonitor', accepts: isObject } };

/** As {@link resolveOptions}, with the options of the module. */
export function resolveModuleOptions(
  options: PerformanceOptions = {},
  env: Environment = {},
): ResolvedModuleOptions {
  return { ...resolveOptions(options, env, MODULE_OPTIONS), monitor: options.monitor };
}
