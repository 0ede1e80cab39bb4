import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MonitorOptions } from '../../lib/monitor/options.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { withoutValues } from '../../lib/text/address.js';

const resolve = (env: Record<string, string>, options: MonitorOptions = {}) => resolveOptions(options, env);
const traces = (env: Record<string, string>, options: MonitorOptions = {}) =>
  resolve(env, options).telemetry.traces.otlp;
const metrics = (env: Record<string, string>, options: MonitorOptions = {}) =>
  resolve(env, options).telemetry.metrics.otlp;
/** The names in all warnings. */
const warnings = (env: Record<string, string>) => {
  const { telemetry } = resolve(env);
  return [...telemetry.warnings, ...telemetry.traces.warnings, ...telemetry.metrics.warnings];
};

describe('the endpoints of exports', () => {
  it('are absent without a variable or an option', () => {
    expect([traces({}), metrics({})]).toEqual([undefined, undefined]);
  });

  it.each([
    ['ENDPOINT', 'http://a:4317', 'http://a:4317'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://a:4317', 'http://a:4317'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'a:4317', 'http://a:4317'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'https://a:4317', 'https://a:4317'],
  ])('of spans come from %s=%s as they are over gRPC', (name, value, url) => {
    expect(traces({ [name]: value })).toMatchObject({ url, protocol: 'grpc', origin: name });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://a:4318', 'http://a:4318/v1/traces', 'http://a:4318/v1/metrics'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://a/otlp/', 'http://a/otlp/v1/traces', 'http://a/otlp/v1/metrics'],
    [
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'http://a/o?k=1',
      'http://a/o/v1/traces?k=1',
      'http://a/o/v1/metrics?k=1',
    ],
    ['ENDPOINT', 'a:4318', 'http://a:4318/v1/traces', 'http://a:4318/v1/metrics'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://a/own', 'http://a/own', undefined],
    ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'http://a/own', undefined, 'http://a/own'],
  ])(
    'of %s=%s have the path of the signal over HTTP, unless they are for one signal',
    (name, value, forTraces, forMetrics) => {
      const env = { [name]: value, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };
      expect([traces(env)?.url, metrics(env)?.url]).toEqual([forTraces, forMetrics]);
    },
  );

  it('of one signal override those of both, and options override variables', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://both',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://metrics',
    };
    expect([traces(env)?.url, metrics(env)?.url]).toEqual(['http://traces', 'http://metrics']);
    const given = { tracing: { endpoint: 'http://option' } };
    expect(traces(env, given)).toMatchObject({ url: 'http://option', origin: 'tracing.endpoint' });
    expect(metrics(env, given)).toMatchObject({ url: 'http://option', origin: 'tracing.endpoint' });
    const own = { ...given, metrics: { endpoint: 'http://own' } };
    expect(metrics(env, own)).toMatchObject({ url: 'http://own', origin: 'metrics.endpoint' });
  });

  it.each([
    'ENDPOINT',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  ])('%s stops the start if it is no address, without showing credentials', (name) => {
    for (const value of ['htp://user:s3cret@host/x?key=s3cret', 'user:s3cret@host', '/s3cret@', 'collector'])
      expect(() => resolve({ [name]: value })).toThrow(
        new RegExp(`^Invalid ${name}: received "[^"]*", expected an address such as`),
      );
    expect(() => resolve({ [name]: 'htp://user:s3cret@host/x?key=s3cret' })).toThrow(/"htp:\/\/host"/);
  });

  it('are not shown with credentials where an option is no address', () => {
    const fault = () => resolve({}, { tracing: { endpoint: 'htp://user:s3cret@host' } });
    expect(fault).toThrow('Invalid tracing.endpoint: received "htp://host", expected an address');
  });

  it('show no user, password, query string or fragment, whatever they are', () => {
    const secret = fc
      .string({ minLength: 4, maxLength: 20 })
      // `user:1/2@host` is a host with a port and a path.
      .filter((text) => !'http://host/path'.includes(text) && !/^\d+\//.test(text));
    fc.assert(
      fc.property(secret, fc.constantFrom('http://', 'https://', 'ftp://', ''), (password, scheme) => {
        expect(withoutValues(`${scheme}user:${password}@host/path`)).not.toContain(password);
      }),
    );
    expect(withoutValues('https://host:4317')).toBe('https://host:4317');
    expect(withoutValues('https://u@host/a/?token=x#y')).toBe('https://host/a/');
  });
});

describe('OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER', () => {
  const both = (value: string) => ({ OTEL_TRACES_EXPORTER: value, OTEL_METRICS_EXPORTER: value });
  const ENDPOINT = { ENDPOINT: 'http://a:4317' };

  it('export to this machine with otlp alone', () => {
    expect(traces(both('otlp'))).toMatchObject({
      url: 'http://localhost:4317',
      origin: 'OTEL_TRACES_EXPORTER',
    });
    const overHttp = { ...both('otlp'), OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
    expect([traces(overHttp)?.url, metrics(overHttp)?.url]).toEqual([
      'http://localhost:4318/v1/traces',
      'http://localhost:4318/v1/metrics',
    ]);
  });

  it('export nothing with none, unless an option says so', () => {
    const env = { ...ENDPOINT, ...both('none') };
    expect([traces(env), metrics(env)]).toEqual([undefined, undefined]);
    expect(traces(env, { tracing: { endpoint: 'http://b' } })?.url).toBe('http://b');
    expect(metrics(env, { tracing: { endpoint: 'http://b' } })).toBeUndefined();
    expect(metrics(env, { metrics: { endpoint: 'http://b' } })?.url).toBe('http://b');
  });

  it.each([
    ['console', false, true],
    ['otlp,console', true, true],
    [' OTLP , otlp ', true, false],
    ['otlp,none', false, false],
    ['otlp,zipkin', true, false],
    ['zipkin', true, false],
  ])('%s', (value, otlp, console) => {
    const { telemetry } = resolve({ ...ENDPOINT, ...both(value) });
    for (const signal of [telemetry.traces, telemetry.metrics])
      expect([signal.otlp !== undefined, signal.console]).toEqual([otlp, console]);
  });

  it('push no metrics with prometheus, which is no exporter of spans', () => {
    const env = { ...ENDPOINT, ...both('prometheus') };
    expect(metrics(env)).toBeUndefined();
    expect(traces(env)).toBeDefined();
    expect(warnings(env)).toEqual([
      'Invalid OTEL_TRACES_EXPORTER: received "prometheus", expected otlp, console, none. It is ignored.',
    ]);
  });
});

describe('OTEL_EXPORTER_OTLP_PROTOCOL', () => {
  it('is overridden by that of a signal, and ignored with a warning if it is not known', () => {
    const env = {
      ENDPOINT: 'http://a',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc',
    };
    expect([traces(env)?.protocol, metrics(env)?.protocol]).toEqual(['http/json', 'grpc']);
    expect(warnings(env)).toEqual([]);
    const unknown = { ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'quic' };
    expect(traces(unknown)?.protocol).toBe('grpc');
    expect(warnings(unknown)).toEqual([
      'Invalid OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: received "quic", expected grpc, http/protobuf, http/json. It is ignored.',
    ]);
  });
});

describe('OTEL_RESOURCE_ATTRIBUTES', () => {
  const attributes = (value: string) => resolve({ OTEL_RESOURCE_ATTRIBUTES: value });

  it('are decoded, and set the service and the host', () => {
    const resolved = attributes(
      'service.name=my%20shop, service.version=7 ,host.name=h,team=a%2Cb%3D%C3%BC,empty=,__proto__=x',
    );
    expect(resolved).toMatchObject({ serviceName: 'my shop', serviceVersion: '7', hostName: 'h' });
    expect(resolved.resourceAttributes).toMatchObject({ team: 'a,b=ü', empty: '' });
    expect(Object.keys(resolved.resourceAttributes ?? {})).toContain('__proto__');
    expect(resolved.telemetry.warnings).toEqual([]);
  });

  it('are overridden by the variables and options for one of them', () => {
    const env = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: 'b' };
    expect(resolve(env).serviceName).toBe('b');
    expect(resolve(env, { serviceName: 'c' }).serviceName).toBe('c');
    expect(resolve({ OTEL_RESOURCE_ATTRIBUTES: 'host.name=a' }, { hostName: 'b' }).hostName).toBe('b');
  });

  it.each(['a=%zz,b=c', 'b=c,nothing', '=x,b=c', 'a=b=c', 'a=%E0%A4%A,b=c'])(
    'with an error are discarded as a whole, without showing them: %s',
    (value) => {
      const resolved = attributes(value);
      expect(resolved.resourceAttributes).toEqual({});
      expect(resolved.telemetry.warnings).toEqual([
        expect.stringMatching(/^Invalid OTEL_RESOURCE_ATTRIBUTES:/),
      ]);
      expect(resolved.telemetry.warnings[0]).not.toContain(value);
    },
  );
});

describe('OTEL_PROPAGATORS', () => {
  it.each([
    ['', undefined],
    ['tracecontext', ['tracecontext']],
    ['b3multi, tracecontext,b3multi', ['b3multi', 'tracecontext']],
    ['none', []],
    ['tracecontext,none', []],
    ['xray', undefined],
    ['xray,jaeger', ['jaeger']],
  ])('"%s"', (value, expected) => {
    expect(resolve({ OTEL_PROPAGATORS: value }).telemetry.propagators).toEqual(expected);
    expect(warnings({ OTEL_PROPAGATORS: value })).toHaveLength(value.includes('xray') ? 1 : 0);
  });
});

describe('OTEL_TRACES_SAMPLER', () => {
  const sampler = (name: string, argument = '', options: MonitorOptions = {}) =>
    resolve({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument }, options).telemetry.sampler;

  it.each([
    ['always_on', '', { kind: 'always_on', parentBased: false }],
    ['Always_Off', '', { kind: 'always_off', parentBased: false }],
    ['parentbased_always_off', '0.5', { kind: 'always_off', parentBased: true }],
    ['traceidratio', '0.25', { kind: 'traceidratio', parentBased: false, ratio: 0.25 }],
    ['parentbased_traceidratio', '0', { kind: 'traceidratio', parentBased: true, ratio: 0 }],
    ['traceidratio', '', { kind: 'traceidratio', ratio: 1 }],
  ])('%s with "%s"', (name, argument, expected) => {
    expect(sampler(name, argument)).toMatchObject(expected);
    expect(warnings({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument })).toEqual([]);
  });

  it.each(['2', '-0.1', 'half', 'NaN'])('uses 1, with a warning, for the ratio %s', (argument) => {
    expect(sampler('traceidratio', argument)?.ratio).toBe(1);
    expect(warnings({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: argument })).toEqual([
      `Invalid OTEL_TRACES_SAMPLER_ARG: received "${argument}", expected a number from 0 to 1. It is ignored.`,
    ]);
  });

  it.each(['sometimes', 'jaeger_remote', 'parentbased_'])('is ignored with a warning for %s', (name) => {
    expect(sampler(name)).toBeUndefined();
    expect(warnings({ OTEL_TRACES_SAMPLER: name })).toHaveLength(1);
  });

  it('is overridden by tracing.sampling.ratio', () => {
    expect(sampler('always_off', '', { tracing: { sampling: { ratio: 1 } } })).toBeUndefined();
    expect(sampler('always_off', '', { tracing: { sampling: { keepSlowTraces: true } } })).toMatchObject({
      keepSlowTraces: true,
    });
  });
});

describe('OTEL_SDK_DISABLED', () => {
  it.each([
    ['true', true],
    ['TRUE', true],
    ['1', false],
    ['yes', false],
    ['false', false],
  ])('%s', (value, expected) => {
    expect(resolve({ OTEL_SDK_DISABLED: value }).telemetry.isSdkDisabled).toBe(expected);
  });
});
