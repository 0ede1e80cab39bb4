import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { PerformanceOptionsError } from '../../lib/validation/options-error.js';

function faultsOf(options: unknown, env: Record<string, string> = {}): PerformanceOptionsError['faults'] {
  try {
    resolveOptions(options as PerformanceOptions, env);
  } catch (error) {
    expect(error).toBeInstanceOf(PerformanceOptionsError);
    expect(error).toMatchObject({ code: 'ERR_PERFORMANCE_OPTIONS' });
    return (error as PerformanceOptionsError).faults;
  }
  return [];
}

describe('resolveOptions', () => {
  it('sets the defaults', () => {
    expect(resolveOptions()).toMatchObject({
      enabled: true,
      thresholds: { http: 1000, database: 500, cache: 100, external: 2000, internal: 1000 },
      tracing: { endpoint: undefined, instrumentation: true, sampling: { ratio: 1, keepSlowTraces: true } },
      detection: { maxOperations: 1000, maxSlowOperations: 200 },
      metrics: {
        enabled: true,
        endpoint: undefined,
        intervalSeconds: 60,
        histograms: 'exponential',
        maxSeries: 2000,
      },
    });
  });

  it('treats an undefined option as absent, at any depth', () => {
    const webhook = { url: 'https://hooks.example.com' };
    const alertmanager = { url: 'http://alerts:9093' };
    const rules = [{ kind: 'error_rate', threshold: 2 }, { kind: 'leak' }] as const;
    const present = {
      alerts: {
        rules: [...rules],
        slos: [{ operation: 'GET /', objective: 0.9 }],
        silences: [{ rule: 'leak' }],
      },
    };
    const nothing = undefined;
    const given: PerformanceOptions = {
      enabled: nothing,
      serviceName: nothing,
      serviceVersion: nothing,
      hostName: nothing,
      httpThresholdMs: nothing,
      customThresholds: nothing,
      enableProfiling: nothing,
      profiling: { directory: nothing, sampler: nothing, pyroscope: { url: nothing, authToken: nothing } },
      tracing: { endpoint: nothing, sampling: { ratio: nothing } },
      metrics: { endpoint: nothing, histograms: nothing },
      http: { ignore: nothing },
      detection: { maxOperations: nothing, nPlusOne: { minRepetitions: nothing }, eventLoopBlock: nothing },
      baseline: { directory: nothing, store: nothing, adaptive: { factor: nothing }, regressions: nothing },
      resources: { intervalMs: nothing },
      alerts: {
        slowPercentage: { threshold: nothing },
        heapUsed: nothing,
        rules: rules.map((rule) => ({ ...rule, name: nothing, forSeconds: nothing, labels: nothing })),
        slos: [{ operation: 'GET /', objective: 0.9, name: nothing, thresholdMs: nothing }],
        silences: [{ rule: 'leak', from: nothing, until: nothing, daily: nothing }],
        notifiers: {
          log: nothing,
          webhook: { ...webhook, secret: nothing, headers: nothing, maxQueue: nothing },
          alertmanager: { ...alertmanager, token: nothing, generatorUrl: nothing },
        },
      },
      endpoint: {
        enabled: nothing,
        token: nothing,
        authorize: nothing,
        guards: nothing,
        maxStreams: nothing,
      },
    };
    expect(resolveOptions(given)).toEqual(
      resolveOptions({ ...present, alerts: { ...present.alerts, notifiers: { webhook, alertmanager } } }),
    );
  });

  it('reads the environment, which options override', () => {
    const env = {
      OTEL_PERF_MONITORING: 'off',
      OTEL_HTTP_THRESHOLD_MS: '300',
      OTEL_DB_THRESHOLD_MS: '50',
      OTEL_CACHE_THRESHOLD_MS: '5',
      OTEL_EXTERNAL_THRESHOLD_MS: '700',
      OTEL_SERVICE_NAME: 'from-otel',
      SERVICE_NAME: 'shop',
      CONTAINER_NAME: 'shop-1',
      HOSTNAME: 'node-7',
      ENDPOINT: 'collector:4317',
      OTEL_ENABLE_PROFILING: '1',
      OTEL_PROFILE_SLOW: 'true',
      NODE_ENV: 'production',
    };
    expect(resolveOptions({ httpThresholdMs: 200, enabled: true }, env)).toMatchObject({
      enabled: true,
      serviceName: 'shop',
      hostName: 'shop-1',
      production: true,
      enableProfiling: true,
      profileSlowOperations: true,
      thresholds: { http: 200, database: 50, cache: 5, external: 700 },
      tracing: { endpoint: 'http://collector:4317' },
    });
  });

  it('treats an empty variable and an undefined option as absent', () => {
    const resolved = resolveOptions({ httpThresholdMs: undefined }, { OTEL_HTTP_THRESHOLD_MS: ' ' });
    expect(resolved.thresholds['http']).toBe(1000);
  });

  it('accepts a custom threshold for a built-in type', () => {
    expect(resolveOptions({ customThresholds: { http: 70, rpc: 80, report: 90 } }).thresholds).toMatchObject({
      http: 70,
      rpc: 80,
      report: 90,
    });
  });

  it.each<[string, unknown, string, string]>([
    ['a negative threshold', { httpThresholdMs: -1 }, 'httpThresholdMs', '-1'],
    ['NaN', { databaseThresholdMs: Number.NaN }, 'databaseThresholdMs', 'NaN'],
    ['Infinity', { cacheThresholdMs: Number.POSITIVE_INFINITY }, 'cacheThresholdMs', 'Infinity'],
    ['a string for a number', { externalThresholdMs: '100' }, 'externalThresholdMs', '"100"'],
    ['a custom threshold', { customThresholds: { calculation: -5 } }, 'customThresholds.calculation', '-5'],
    ['an invalid type', { customThresholds: { 'a b': 5 } }, 'customThresholds.a b', 'a type of that name'],
    ['a share above one', { tracing: { sampling: { ratio: 1.5 } } }, 'tracing.sampling.ratio', '1.5'],
    [
      'an invalid address',
      { tracing: { endpoint: 'not an address' } },
      'tracing.endpoint',
      '"not an address"',
    ],
    ['a text for patterns', { tracing: { providers: '*Service' } }, 'tracing.providers', '"*Service"'],
    ['a pattern of a path', { tracing: { providers: ['src/*.ts'] } }, 'tracing.providers', 'an array'],
    ['a number for an object', { tracing: 5 }, 'tracing', '5'],
    ['a fraction of an operation', { detection: { maxOperations: 0.5 } }, 'detection.maxOperations', '0.5'],
    [
      'a single repetition',
      { detection: { nPlusOne: { minRepetitions: 1 } } },
      'detection.nPlusOne.minRepetitions',
      '1',
    ],
    [
      'a negative duration',
      { detection: { nPlusOne: { minTotalMs: -1 } } },
      'detection.nPlusOne.minTotalMs',
      '-1',
    ],
    [
      'a limit for blocks that every timer exceeds',
      { detection: { eventLoopBlock: { limitMs: 5 } } },
      'detection.eventLoopBlock.limitMs',
      '5',
    ],
    ['a boolean for an object', { detection: { nPlusOne: true } }, 'detection.nPlusOne', 'true'],
    ['a string for a boolean', { detection: { explain: 'yes' } }, 'detection.explain', '"yes"'],
    ['a limit of 0 findings', { detection: { maxFindings: 0 } }, 'detection.maxFindings', '0'],
    ['a budget of no CPU time', { overhead: { maxCpuPercent: 0 } }, 'overhead.maxCpuPercent', '0'],
    ['a budget of several cores', { overhead: { maxCpuPercent: 101 } }, 'overhead.maxCpuPercent', '101'],
    ['a text for a budget', { overhead: { maxMemoryMb: '64' } }, 'overhead.maxMemoryMb', '"64"'],
    ['a window below two seconds', { overhead: { windowSeconds: 1 } }, 'overhead.windowSeconds', '1'],
    ['a boolean for the own cost', { overhead: false }, 'overhead', 'false'],
    ['a path without a slash', { http: { ignore: ['health'] } }, 'http.ignore', 'an array'],
    ['an object without canActivate', { endpoint: { guards: [{}] } }, 'endpoint.guards', 'an array'],
    ['a function as a guard', { endpoint: { guards: [() => true] } }, 'endpoint.guards', 'an array'],
    ['an empty list of guards', { endpoint: { guards: [] } }, 'endpoint.guards', 'an array'],
    ['a limit of 0 streams', { endpoint: { maxStreams: 0 } }, 'endpoint.maxStreams', '0'],
    ['a short token', { endpoint: { token: 'secret' } }, 'endpoint.token', 'a hidden value'],
    [
      'a token with a space',
      { endpoint: { token: 'a secret of sixteen' } },
      'endpoint.token',
      'a hidden value',
    ],
    [
      'too short an interval of metrics',
      { metrics: { intervalSeconds: 0.01 } },
      'metrics.intervalSeconds',
      '0.01',
    ],
    ['a limit of 0 series', { metrics: { maxSeries: 0 } }, 'metrics.maxSeries', '0'],
    ['an unknown kind of histogram', { metrics: { histograms: 'native' } }, 'metrics.histograms', '"native"'],
    ['a number for the options', 5, 'options', '5'],
  ])('names the option, the value and the allowed values for %s', (_what, options, path, received) => {
    const [fault] = faultsOf(options);
    expect(fault).toMatchObject({ path, received });
    expect(fault?.allowed).not.toBe('');
  });

  it('accepts guards as classes and as objects', () => {
    class ByMethod {
      canActivate(): boolean {
        return true;
      }
    }
    class ByField {
      canActivate = (): boolean => true;
    }
    const guards = [ByMethod, ByField, new ByMethod(), new ByField()];
    expect(resolveOptions({ endpoint: { guards } }).endpoint).toEqual({
      guards,
      enabled: true,
      maxStreams: 20,
      mcp: true,
    });
  });

  it('does not show a secret', () => {
    expect(() => resolveOptions({ endpoint: { token: 'secret' } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });

  it('names an unknown option and the most similar known one', () => {
    const [fault] = faultsOf({ httpTresholdMs: 5 });
    expect(fault).toMatchObject({ path: 'httpTresholdMs', received: 'an unknown option' });
    expect(fault?.allowed).toContain('did you mean httpThresholdMs?');
    expect(faultsOf({ tracing: { sampling: { rato: 1 } } })[0]?.allowed).toContain('tracing.sampling.ratio');
    expect(faultsOf(JSON.parse('{"__proto__": 1, "constructor": 2}')).length).toBeGreaterThan(0);
  });

  it.each([
    ['OTEL_PERF_MONITORING', 'maybe'],
    ['OTEL_HTTP_THRESHOLD_MS', 'fast'],
    ['OTEL_DB_THRESHOLD_MS', '-3'],
    ['ENDPOINT', 'ftp://collector'],
    ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'nowhere'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '1'],
    ['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION', 'native'],
  ])('names the variable %s and its value', (name, value) => {
    expect(faultsOf({}, { [name]: value })).toEqual([
      { path: name, received: JSON.stringify(value), allowed: expect.any(String) },
    ]);
  });

  it.each<[string, PerformanceOptions, Record<string, string>, string | undefined]>([
    [
      'the option first',
      { metrics: { endpoint: 'http://a' }, tracing: { endpoint: 'http://b' } },
      {},
      'http://a',
    ],
    [
      'the endpoint of traces before the environment',
      { tracing: { endpoint: 'http://b' } },
      { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://c' },
      'http://b',
    ],
    [
      'its own variable before the common one',
      {},
      { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'c:4317', ENDPOINT: 'd:4317' },
      'http://c:4317',
    ],
    ['the common one', {}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://e' }, 'http://e'],
    [
      'no endpoint of a variable for traces only',
      {},
      { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://f' },
      undefined,
    ],
    [
      'no endpoint with OTEL_METRICS_EXPORTER=none',
      {},
      { ENDPOINT: 'http://d', OTEL_METRICS_EXPORTER: 'none' },
      undefined,
    ],
  ])('sends metrics to %s', (_what, options, env, expected) => {
    expect(resolveOptions(options, env).metrics.endpoint).toBe(expected);
  });

  it('reads from the environment how metrics are exported', () => {
    const env = {
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'EXPLICIT_BUCKET_HISTOGRAM',
    };
    expect(resolveOptions({}, env).metrics).toMatchObject({ intervalSeconds: 5, histograms: 'explicit' });
    expect(resolveOptions({ metrics: { intervalSeconds: 7 } }, env).metrics.intervalSeconds).toBe(7);
  });

  it('lists all faults', () => {
    expect(
      faultsOf({ httpThresholdMs: -1, cacheThresholdMs: 'x' }, { OTEL_DB_THRESHOLD_MS: 'y' }),
    ).toHaveLength(3);
  });
});
