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
  it('fills in the defaults', () => {
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

  it('takes an option that is undefined for one that is absent, at any depth', () => {
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

  it('takes what the environment says, and an option over it', () => {
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

  it('takes an empty variable and an undefined option as absent', () => {
    const resolved = resolveOptions({ httpThresholdMs: undefined }, { OTEL_HTTP_THRESHOLD_MS: ' ' });
    expect(resolved.thresholds['http']).toBe(1000);
  });

  it('lets a custom threshold name a type of ours', () => {
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
    [
      'a type that is no name',
      { customThresholds: { 'a b': 5 } },
      'customThresholds.a b',
      'a type of that name',
    ],
    ['a share above one', { tracing: { sampling: { ratio: 1.5 } } }, 'tracing.sampling.ratio', '1.5'],
    ['an address', { tracing: { endpoint: 'not an address' } }, 'tracing.endpoint', '"not an address"'],
    ['an object that is none', { tracing: 5 }, 'tracing', '5'],
    ['a fraction of an operation', { detection: { maxOperations: 0.5 } }, 'detection.maxOperations', '0.5'],
    [
      'one repetition',
      { detection: { nPlusOne: { minRepetitions: 1 } } },
      'detection.nPlusOne.minRepetitions',
      '1',
    ],
    [
      'a negative time',
      { detection: { nPlusOne: { minTotalMs: -1 } } },
      'detection.nPlusOne.minTotalMs',
      '-1',
    ],
    [
      'a block that every timer is',
      { detection: { eventLoopBlock: { limitMs: 5 } } },
      'detection.eventLoopBlock.limitMs',
      '5',
    ],
    ['a switch that is none', { detection: { nPlusOne: true } }, 'detection.nPlusOne', 'true'],
    ['an explanation that is none', { detection: { explain: 'yes' } }, 'detection.explain', '"yes"'],
    ['no findings at all', { detection: { maxFindings: 0 } }, 'detection.maxFindings', '0'],
    ['a path that is none', { http: { ignore: ['health'] } }, 'http.ignore', 'an array'],
    ['a guard that is none', { endpoint: { guards: [{}] } }, 'endpoint.guards', 'an array'],
    ['a function for a guard', { endpoint: { guards: [() => true] } }, 'endpoint.guards', 'an array'],
    ['no guard at all', { endpoint: { guards: [] } }, 'endpoint.guards', 'an array'],
    ['no stream at all', { endpoint: { maxStreams: 0 } }, 'endpoint.maxStreams', '0'],
    ['a short token', { endpoint: { token: 'secret' } }, 'endpoint.token', 'a hidden value'],
    [
      'a token with a space',
      { endpoint: { token: 'a secret of sixteen' } },
      'endpoint.token',
      'a hidden value',
    ],
    ['metrics too often', { metrics: { intervalSeconds: 0.01 } }, 'metrics.intervalSeconds', '0.01'],
    ['no series at all', { metrics: { maxSeries: 0 } }, 'metrics.maxSeries', '0'],
    ['histograms of another kind', { metrics: { histograms: 'native' } }, 'metrics.histograms', '"native"'],
    ['options that are none', 5, 'options', '5'],
  ])('names the option, the value and what is allowed for %s', (_what, options, path, received) => {
    const [fault] = faultsOf(options);
    expect(fault).toMatchObject({ path, received });
    expect(fault?.allowed).not.toBe('');
  });

  it('takes guards as classes and as objects', () => {
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
    });
  });

  it('does not show a secret', () => {
    expect(() => resolveOptions({ endpoint: { token: 'secret' } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });

  it('names an unknown option and the one that was likely meant', () => {
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
      'the option before all',
      { metrics: { endpoint: 'http://a' }, tracing: { endpoint: 'http://b' } },
      {},
      'http://a',
    ],
    [
      'that of the traces before the environment',
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
    ['none of the traces alone', {}, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://f' }, undefined],
    [
      'none where there is to be none',
      {},
      { ENDPOINT: 'http://d', OTEL_METRICS_EXPORTER: 'none' },
      undefined,
    ],
  ])('sends metrics to %s', (_what, options, env, expected) => {
    expect(resolveOptions(options, env).metrics.endpoint).toBe(expected);
  });

  it('takes how metrics are exported from the environment', () => {
    const env = {
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'EXPLICIT_BUCKET_HISTOGRAM',
    };
    expect(resolveOptions({}, env).metrics).toMatchObject({ intervalSeconds: 5, histograms: 'explicit' });
    expect(resolveOptions({ metrics: { intervalSeconds: 7 } }, env).metrics.intervalSeconds).toBe(7);
  });

  it('names every fault at once', () => {
    expect(
      faultsOf({ httpThresholdMs: -1, cacheThresholdMs: 'x' }, { OTEL_DB_THRESHOLD_MS: 'y' }),
    ).toHaveLength(3);
  });
});
