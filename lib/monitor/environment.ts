import { milliseconds } from '../validation/checks.js';
import { type OptionFault, show } from '../validation/options-error.js';
import { own } from '../validation/own.js';
import type { PerformanceOptions } from './options.js';
import { endpoint, exportSeconds } from './validation.js';

/** The variables of the process; a value that is empty is as good as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says, in the shape of the options, and what is wrong with it. */
export function readEnvironment(env: Environment): { options: PerformanceOptions; faults: OptionFault[] } {
  const faults: OptionFault[] = [];
  const given = (name: string): string | undefined => own(env, name)?.trim() || undefined;
  const first = (...names: string[]): string | undefined =>
    names.map(given).find((value) => value !== undefined);

  const flag = (name: string): boolean | undefined => {
    const value = given(name);
    if (value === undefined) return undefined;
    if (/^(true|1|on|yes)$/i.test(value)) return true;
    if (/^(false|0|off|no)$/i.test(value)) return false;
    faults.push({ path: name, received: show(value), allowed: 'true or false' });
    return undefined;
  };
  const threshold = (name: string): number | undefined => {
    const value = given(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (milliseconds.accepts(number)) return number;
    faults.push({ path: name, received: show(value), allowed: milliseconds.allowed });
    return undefined;
  };
  const address = (...names: string[]): string | undefined => {
    const name = names.find((candidate) => given(candidate) !== undefined);
    const value = name === undefined ? undefined : given(name);
    if (name === undefined || value === undefined) return undefined;
    // OTLP over gRPC is commonly given as host:port.
    const url = /^[\w.-]+:\d+$/.test(value) ? `http://${value}` : value;
    if (endpoint.accepts(url)) return url;
    // More than one option may be taken from it.
    if (!faults.some(({ path }) => path === name))
      faults.push({ path: name, received: show(value), allowed: endpoint.allowed });
    return undefined;
  };
  const interval = (name: string): number | undefined => {
    const value = given(name);
    if (value === undefined) return undefined;
    const seconds = Number(value) / 1000;
    if (exportSeconds.accepts(seconds)) return seconds;
    faults.push({ path: name, received: show(value), allowed: 'a number of milliseconds, 100 to 3600000' });
    return undefined;
  };
  const histograms = (name: string): 'exponential' | 'explicit' | undefined => {
    const value = given(name)?.toLowerCase();
    if (value === undefined) return undefined;
    if (value === 'base2_exponential_bucket_histogram') return 'exponential';
    if (value === 'explicit_bucket_histogram') return 'explicit';
    const allowed = 'base2_exponential_bucket_histogram or explicit_bucket_histogram';
    faults.push({ path: name, received: show(value), allowed });
    return undefined;
  };

  return {
    options: {
      enabled: flag('OTEL_PERF_MONITORING'),
      serviceName: first('SERVICE_NAME', 'OTEL_SERVICE_NAME'),
      hostName: first('CONTAINER_NAME', 'HOSTNAME'),
      httpThresholdMs: threshold('OTEL_HTTP_THRESHOLD_MS'),
      databaseThresholdMs: threshold('OTEL_DB_THRESHOLD_MS'),
      cacheThresholdMs: threshold('OTEL_CACHE_THRESHOLD_MS'),
      externalThresholdMs: threshold('OTEL_EXTERNAL_THRESHOLD_MS'),
      enableProfiling: flag('OTEL_ENABLE_PROFILING'),
      profileSlowOperations: flag('OTEL_PROFILE_SLOW'),
      tracing: {
        endpoint: address('ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'),
      },
      metrics: {
        // Of the specification's exporters only this one says something to us: that there is to be none.
        enabled: given('OTEL_METRICS_EXPORTER') === 'none' ? false : undefined,
        endpoint: address('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'),
        histograms: histograms('OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'),
        intervalSeconds: interval('OTEL_METRIC_EXPORT_INTERVAL'),
      },
    },
    faults,
  };
}
