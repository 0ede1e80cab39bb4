import { ALERT_OPTION_TABLE } from '../alerting/alert-checks.js';
import type { AlertOptions, ResolvedAlertOptions } from '../alerting/alert-options.js';
import {
  BASELINE_OPTIONS,
  type BaselineOptions,
  type ResolvedBaselineOptions,
} from '../baseline/baseline-options.js';
import {
  DETECTION_OPTIONS,
  type DetectionOptions,
  type ResolvedDetectionOptions,
} from '../explain/detection-options.js';
import { FLEET_OPTIONS, type FleetOptions, type ResolvedFleetOptions } from '../fleet/fleet-options.js';
import {
  METRICS_OPTIONS,
  type MetricsOptions,
  type ResolvedMetricsOptions,
} from '../metrics/metrics-options.js';
import {
  type ResolvedServiceOptions,
  SERVICE_OPTIONS,
  type ServiceOptions,
} from '../operation/service-options.js';
import {
  type ResolvedThresholds,
  THRESHOLD_OPTIONS,
  type ThresholdOptions,
} from '../operation/threshold-options.js';
import {
  OVERHEAD_OPTIONS,
  type OverheadOptions,
  type ResolvedOverheadOptions,
} from '../overhead/overhead-options.js';
import {
  RESOURCE_OPTIONS,
  type ResolvedResourceOptions,
  type ResourceOptions,
} from '../process/resource-options.js';
import {
  PROFILING_OPTIONS,
  PROFILING_SWITCHES,
  type ProfilingOptions,
  type ProfilingSwitches,
  type ResolvedProfilingOptions,
} from '../profiling/profiling-options.js';
import { boolean } from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { booleanFrom, type OptionTable, option } from '../validation/option-table.js';
import { ENDPOINT_OPTIONS, type EndpointOptions, type ResolvedEndpointOptions } from './endpoint-options.js';
import { LOGGING_OPTIONS, type LoggingOptions } from './logging-options.js';
import type { ResolvedTelemetry } from './telemetry-variables.js';
import {
  HTTP_OPTIONS,
  type HttpOptions,
  type ResolvedHttpOptions,
  type ResolvedTracingOptions,
  TRACING_OPTIONS,
  type TracingOptions,
} from './tracing-options.js';

/** The options of a {@link PerformanceMonitor}. All are optional; durations are in milliseconds. */
export interface MonitorOptions extends ServiceOptions, ThresholdOptions, ProfilingSwitches {
  /** `false` disables the module. */
  enabled?: boolean | undefined;
  profiling?: ProfilingOptions | undefined;
  tracing?: TracingOptions | undefined;
  metrics?: MetricsOptions | undefined;
  http?: HttpOptions | undefined;
  logging?: LoggingOptions | undefined;
  detection?: DetectionOptions | undefined;
  baseline?: BaselineOptions | undefined;
  fleet?: FleetOptions | undefined;
  resources?: ResourceOptions | undefined;
  overhead?: OverheadOptions | undefined;
  alerts?: AlertOptions | undefined;
  endpoint?: EndpointOptions | undefined;
}

/** Every option with its check, its default and its environment variables. */
export const MONITOR_OPTIONS: OptionTable<MonitorOptions> = {
  enabled: option(boolean, { default: true, variables: booleanFrom('OTEL_PERF_MONITORING') }),
  ...SERVICE_OPTIONS,
  ...THRESHOLD_OPTIONS,
  ...PROFILING_SWITCHES,
  profiling: PROFILING_OPTIONS,
  tracing: TRACING_OPTIONS,
  metrics: METRICS_OPTIONS,
  http: HTTP_OPTIONS,
  logging: LOGGING_OPTIONS,
  detection: DETECTION_OPTIONS,
  baseline: BASELINE_OPTIONS,
  fleet: FLEET_OPTIONS,
  resources: RESOURCE_OPTIONS,
  overhead: OVERHEAD_OPTIONS,
  alerts: ALERT_OPTION_TABLE,
  endpoint: ENDPOINT_OPTIONS,
};

/** The options with all defaults. */
export interface ResolvedOptions extends ResolvedServiceOptions, Complete<ProfilingSwitches> {
  readonly enabled: boolean;
  /** `NODE_ENV` is `production`. */
  readonly production: boolean;
  readonly thresholds: ResolvedThresholds;
  readonly profiling: ResolvedProfilingOptions;
  readonly tracing: ResolvedTracingOptions;
  readonly metrics: ResolvedMetricsOptions;
  readonly http: ResolvedHttpOptions;
  readonly logging: Complete<LoggingOptions>;
  readonly detection: ResolvedDetectionOptions;
  readonly baseline: ResolvedBaselineOptions;
  readonly fleet: ResolvedFleetOptions;
  readonly resources: ResolvedResourceOptions;
  readonly overhead: ResolvedOverheadOptions;
  readonly alerts: ResolvedAlertOptions;
  readonly endpoint: ResolvedEndpointOptions;
  /** What OpenTelemetry's environment variables set. */
  readonly telemetry: ResolvedTelemetry;
}
