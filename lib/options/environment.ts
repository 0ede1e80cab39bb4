import { milliseconds } from './checks.js';
import type { PerformanceOptions } from './options.js';
import { type OptionFault, show } from './options-error.js';
import { endpoint } from './validation.js';

/** The variables of the process; a value that is empty is as good as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says, in the shape of the options, and what is wrong with it. */
export function readEnvironment(env: Environment): { options: PerformanceOptions; faults: OptionFault[] } {
  const faults: OptionFault[] = [];
  const given = (name: string): string | undefined => env[name]?.trim() || undefined;
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
    faults.push({ path: name, received: show(value), allowed: endpoint.allowed });
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
    },
    faults,
  };
}
