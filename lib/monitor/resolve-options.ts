import { checkAlerts } from '../alerting/alert-checks.js';
import { resolveFleet } from '../fleet/fleet-options.js';
import { thisInstance } from '../operation/instance.js';
import {
  resourceAttributesFrom,
  type ServiceOptions,
  withApplicationPackage,
} from '../operation/service-options.js';
import {
  type BuiltInThresholds,
  checkThresholds,
  resolveThresholds,
} from '../operation/threshold-options.js';
import { checkShape, isObject, type Shape } from '../validation/checks.js';
import { withAbsoluteDirectory } from '../validation/directory-option.js';
import { type Environment, readEnvironment, resolveTable } from '../validation/option-table.js';
import {
  formatValue,
  invalid,
  type OptionFault,
  PerformanceOptionsError,
} from '../validation/options-error.js';
import { own } from '../validation/own.js';
import { MONITOR_OPTIONS, type MonitorOptions, type ResolvedOptions } from './options.js';
import { resolveTelemetry } from './telemetry-variables.js';

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
  const attributes = resourceAttributesFrom(env);
  const resolved = resolveTable<ResolvedOptions & BuiltInThresholds>(MONITOR_OPTIONS, options, {
    ...environment,
    ...serviceFrom(environment, attributes),
  });
  const telemetry = resolveTelemetry(options, env);
  const baseline = withAbsoluteDirectory(resolved.baseline);
  return {
    ...resolved,
    ...withApplicationPackage(resolved),
    resourceAttributes: attributes ?? {},
    instance: thisInstance(resolved.hostName, env, attributes),
    production: env['NODE_ENV'] === 'production',
    thresholds: resolveThresholds(options, resolved),
    profiling: withAbsoluteDirectory(resolved.profiling),
    baseline,
    fleet: resolveFleet(options.fleet, resolved.fleet, baseline, options.baseline?.directory !== undefined),
    tracing: { ...resolved.tracing, endpoint: telemetry.traces.otlp?.url },
    metrics: { ...resolved.metrics, endpoint: telemetry.metrics.otlp?.url },
    telemetry:
      attributes === undefined
        ? { ...telemetry, warnings: [...telemetry.warnings, RESOURCE_ATTRIBUTES_FAULT] }
        : telemetry,
  };
}

/** Its value may be secret. */
const RESOURCE_ATTRIBUTES_FAULT = `${invalid(
  'OTEL_RESOURCE_ATTRIBUTES',
  'a value with an error',
  'pairs key=value with commas between them, percent-encoded',
)}. It is ignored.`;

/** A variable for one attribute of the resource overrides `OTEL_RESOURCE_ATTRIBUTES`, but the name of a host is mostly preset. */
function serviceFrom(environment: MonitorOptions, attributes: Record<string, string> = {}): ServiceOptions {
  return {
    serviceName: environment.serviceName ?? own(attributes, 'service.name'),
    serviceVersion: environment.serviceVersion ?? own(attributes, 'service.version'),
    hostName: own(attributes, 'host.name') ?? environment.hostName,
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
