import { checkAlerts } from '../alerting/alert-checks.js';
import { metricsEndpoint } from '../metrics/metrics-options.js';
import { withApplicationPackage } from '../operation/service-options.js';
import {
  type BuiltInThresholds,
  checkThresholds,
  resolveThresholds,
} from '../operation/threshold-options.js';
import { checkShape, isObject, type Shape } from '../validation/checks.js';
import { withAbsoluteDirectory } from '../validation/directory-option.js';
import { type Environment, readEnvironment, resolveTable } from '../validation/option-table.js';
import { formatValue, type OptionFault, PerformanceOptionsError } from '../validation/options-error.js';
import { MONITOR_OPTIONS, type MonitorOptions, type ResolvedOptions } from './options.js';

/**
 * The resolved options: as given, otherwise from the environment, otherwise the defaults.
 * @param more further options that are allowed
 * @throws {@link PerformanceOptionsError} that lists all invalid options and variables
 */
export function resolveOptions(
  options: MonitorOptions = {},
  env: Environment = {},
  more: Shape = {},
): ResolvedOptions {
  const faults = findFaults(options, more);
  const environment: MonitorOptions = readEnvironment(MONITOR_OPTIONS, env, faults);
  if (faults.length > 0) throw new PerformanceOptionsError(faults);
  const resolved = resolveTable<ResolvedOptions & BuiltInThresholds>(MONITOR_OPTIONS, options, environment);
  return {
    ...resolved,
    ...withApplicationPackage(resolved),
    production: env['NODE_ENV'] === 'production',
    thresholds: resolveThresholds(options, resolved),
    profiling: withAbsoluteDirectory(resolved.profiling),
    baseline: withAbsoluteDirectory(resolved.baseline),
    metrics: {
      ...resolved.metrics,
      endpoint: metricsEndpoint(options.metrics, environment.metrics, options.tracing, env),
    },
  };
}

/** All faults of the options: unknown names and invalid values. `undefined` counts as absent. */
export function findFaults(options: unknown, more: Shape = {}): OptionFault[] {
  if (options !== undefined && !isObject(options))
    return [{ path: 'options', received: formatValue(options), allowed: 'an object' }];
  const faults: OptionFault[] = [];
  checkShape(options ?? {}, { ...MONITOR_OPTIONS, ...more }, '', faults);
  checkAlerts(options?.['alerts'], faults);
  checkThresholds(options?.['customThresholds'], faults);
  return faults;
}
