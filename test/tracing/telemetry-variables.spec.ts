import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { context, propagation, trace } from '@opentelemetry/api';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { fetchFromOutside, startApplication, type TestApplication, until } from '../support/application.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { sleep } from '../support/tracing.js';

const UNRECORDED = /Child spans are not recorded/;
const TRACE = 'a'.repeat(32);
const SPAN = 'b'.repeat(16);

@Controller('albums')
class AlbumsController {
  static seen: { traceId: string | undefined; injected: Record<string, string> };

  @Get()
  async list(): Promise<string> {
    const injected = {};
    propagation.inject(context.active(), injected);
    AlbumsController.seen = { traceId: trace.getActiveSpan()?.spanContext().traceId, injected };
    await sleep(5);
    return 'albums';
  }
}

/** A request that a receiver of OTLP over HTTP got. */
interface Received {
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

describe("OpenTelemetry's environment variables", () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  const start = async (
    env: Record<string, string>,
    options: PerformanceOptions = {},
  ): Promise<TestApplication> => {
    const names = Object.keys(env);
    Object.assign(process.env, env);
    cleanups.push(() => {
      for (const name of names) delete process.env[name];
    });
    const parts = { controllers: [AlbumsController] };
    const application = await startApplication('express', parts, { httpThresholdMs: 1, ...options });
    cleanups.push(() => application.app.close());
    return application;
  };
  const request = async (
    { url, operation }: TestApplication,
    headers: Record<string, string> = {},
  ): Promise<void> => {
    await (await fetchFromOutside(`${url}/albums`, { headers })).text();
    await until(() => operation('GET /albums')?.count === 1);
  };
  const startReceiver = async (): Promise<OtlpReceiver> => {
    const receiver = await OtlpReceiver.start();
    cleanups.push(() => receiver.stop());
    return receiver;
  };
  /** A receiver of OTLP over HTTP. */
  const startHttpReceiver = async (): Promise<{ url: string; received: Received[] }> => {
    const received: Received[] = [];
    const server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const body = Buffer.concat(chunks).toString('latin1');
        received.push({ path: incoming.url, headers: incoming.headers, body });
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
  };
  const logged = ({ logged: all }: TestApplication, level: string) =>
    all.filter((entry) => entry.level === level).map(({ message }) => message);
  const spansOf = (receiver: OtlpReceiver) => receiver.spans.filter(({ kind }) => kind === 2);

  it('turn export over gRPC on, with what the log says once, and the attributes of the resource', async () => {
    const receiver = await startReceiver();
    const { host } = new URL(receiver.endpoint);
    const application = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://user:s3cret@${host}`,
      OTEL_RESOURCE_ATTRIBUTES: 'team=a%20b,service.name=shop',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=s3cret',
    });
    await request(application);
    await application.app.close();
    expect(spansOf(receiver)).toHaveLength(1);
    expect(receiver.headers).toMatchObject({ 'api-key': 's3cret' });
    expect(receiver.resource).toMatchObject({ team: 'a b', 'service.name': 'shop' });
    expect(receiver.metricsResource).toMatchObject({ team: 'a b', 'service.name': 'shop' });
    expect(logged(application, 'log').filter((line) => line.includes('exported'))).toEqual([
      `Spans are exported to http://${host} by OTLP over grpc (set by OTEL_EXPORTER_OTLP_ENDPOINT).`,
      `Metrics are exported to http://${host} by OTLP over grpc (set by OTEL_EXPORTER_OTLP_ENDPOINT).`,
    ]);
    expect(JSON.stringify(application.logged)).not.toContain('s3cret');
  });

  it('export over HTTP with the exporters that are installed', async () => {
    const { url, received } = await startHttpReceiver();
    const application = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/otlp`,
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=s3cret%20a',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'x-tenant=b',
    });
    await request(application);
    await application.app.close();
    const traces = received.filter(({ path }) => path === '/otlp/v1/traces');
    const metrics = received.filter(({ path }) => path === '/otlp/v1/metrics');
    expect(traces[0]?.headers['content-type']).toBe('application/x-protobuf');
    expect(traces[0]?.body).toContain('GET /albums');
    expect(traces[0]?.headers).toMatchObject({ 'x-key': 's3cret a' });
    expect(traces[0]?.headers).not.toHaveProperty('x-tenant');
    expect(metrics[0]?.headers).toMatchObject({ 'x-key': 's3cret a', 'x-tenant': 'b' });
    expect(JSON.stringify(application.logged)).not.toContain('s3cret');
    expect(metrics[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(metrics[0]?.body ?? '')).toHaveProperty('resourceMetrics');
  });

  it('say what to install for a protocol whose exporter is missing, and export nothing', async () => {
    const { url, received } = await startHttpReceiver();
    const application = await start({
      ENDPOINT: url,
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
    });
    await request(application);
    await application.app.close();
    expect(received).toEqual([]);
    expect(logged(application, 'warn')).toEqual([
      `Spans are not exported to ${url}/v1/traces: the protocol http/json needs @opentelemetry/exporter-trace-otlp-http. Run npm install @opentelemetry/exporter-trace-otlp-http, or set OTEL_EXPORTER_OTLP_PROTOCOL=grpc.`,
      expect.stringContaining('Run npm install @opentelemetry/exporter-metrics-otlp-proto'),
    ]);
    expect(application.operation('GET /albums')?.count).toBe(1);
  });

  it('warn once of a value for both signals that is not known', async () => {
    const receiver = await startReceiver();
    const application = await start({
      ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'quic',
    });
    expect(logged(application, 'warn')).toEqual([
      expect.stringMatching(/^Invalid OTEL_EXPORTER_OTLP_PROTOCOL: received "quic"/),
    ]);
  });

  it('write spans and metrics to the console', async () => {
    const written = jest.spyOn(console, 'dir').mockImplementation(() => {});
    cleanups.push(() => written.mockRestore());
    const application = await start({ OTEL_TRACES_EXPORTER: 'console', OTEL_METRICS_EXPORTER: 'console' });
    await request(application);
    await application.app.close();
    const objects = written.mock.calls.map(([object]) => object as Record<string, unknown>);
    expect(objects).toContainEqual(expect.objectContaining({ name: 'GET /albums' }));
    expect(objects).toContainEqual(
      expect.objectContaining({
        descriptor: expect.objectContaining({ name: 'http.server.request.duration' }),
      }),
    );
  });

  describe('OTEL_TRACES_SAMPLER', () => {
    it.each([
      ['always_off', '', undefined, 0],
      ['always_on', '', '00', 1],
      ['parentbased_always_on', '', '00', 0],
      ['parentbased_always_off', '', '01', 1],
      ['parentbased_traceidratio', '0', undefined, 0],
      ['traceidratio', '1', '00', 1],
    ])(
      '%s %s with the flag %s exports %i, and everything is recorded',
      async (name, argument, flag, count) => {
        const receiver = await startReceiver();
        const application = await start({
          ENDPOINT: receiver.endpoint,
          OTEL_TRACES_SAMPLER: name,
          OTEL_TRACES_SAMPLER_ARG: argument,
        });
        await request(application, flag === undefined ? {} : { traceparent: `00-${TRACE}-${SPAN}-${flag}` });
        await until(() => application.monitor.getSlowOperations().length === 1);
        expect(AlbumsController.seen.injected['traceparent']?.slice(-2)).toBe(count === 0 ? '00' : '01');
        expect(application.monitor.getSlowOperations()[0]?.explanation).not.toMatch(UNRECORDED);
        await application.app.close();
        expect(spansOf(receiver)).toHaveLength(count);
      },
    );

    it('exports slow traces that are not sampled only if keepSlowTraces is given', async () => {
      const receiver = await startReceiver();
      const env = { ENDPOINT: receiver.endpoint, OTEL_TRACES_SAMPLER: 'always_off' };
      const application = await start(env, { tracing: { sampling: { keepSlowTraces: true } } });
      await request(application);
      await application.app.close();
      expect(spansOf(receiver)).toHaveLength(1);
    });
  });

  describe('OTEL_PROPAGATORS', () => {
    it.each([
      ['tracecontext', { traceparent: `00-${TRACE}-${SPAN}-01` }, ['traceparent']],
      ['b3', { b3: `${TRACE}-${SPAN}-1` }, ['b3']],
      [
        'b3multi',
        { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '1' },
        ['x-b3-sampled', 'x-b3-spanid', 'x-b3-traceid'],
      ],
      ['b3,tracecontext', { traceparent: `00-${TRACE}-${SPAN}-01` }, ['b3', 'traceparent']],
    ])('%s continues a trace', async (value, headers, injected) => {
      const application = await start({ OTEL_PROPAGATORS: value });
      await request(application, headers as Record<string, string>);
      expect(AlbumsController.seen.traceId).toBe(TRACE);
      expect(Object.keys(AlbumsController.seen.injected).sort()).toEqual(injected);
    });

    it.each(['none', 'b3'])('%s continues no trace of other headers', async (value) => {
      const application = await start({ OTEL_PROPAGATORS: value });
      await request(application, { traceparent: `00-${TRACE}-${SPAN}-01` });
      expect(AlbumsController.seen.traceId).not.toBe(TRACE);
      expect(AlbumsController.seen.injected).not.toHaveProperty('traceparent');
    });

    it('says what to install for jaeger, and uses the others', async () => {
      const application = await start({ OTEL_PROPAGATORS: 'jaeger,tracecontext' });
      await request(application, { traceparent: `00-${TRACE}-${SPAN}-01` });
      expect(AlbumsController.seen.traceId).toBe(TRACE);
      expect(logged(application, 'warn')).toEqual([
        'The propagator jaeger of OTEL_PROPAGATORS is left out: it needs @opentelemetry/propagator-jaeger. Run npm install @opentelemetry/propagator-jaeger.',
      ]);
    });
  });

  describe('OTEL_SDK_DISABLED', () => {
    it('creates no spans and exports nothing, but counts requests and passes headers on', async () => {
      const receiver = await startReceiver();
      const application = await start({ OTEL_SDK_DISABLED: 'true', ENDPOINT: receiver.endpoint });
      await request(application, { traceparent: `00-${TRACE}-${SPAN}-01` });
      await until(() => application.operation('GET /albums')?.count === 1);
      expect(AlbumsController.seen.injected['traceparent']).toBe(`00-${TRACE}-${SPAN}-01`);
      expect(application.monitor.getSlowOperations()[0]?.explanation).toMatch(/OTEL_SDK_DISABLED is true/);
      expect(logged(application, 'log').filter((line) => line.includes('OTEL_SDK_DISABLED'))).toHaveLength(1);
      await application.app.close();
      expect([receiver.spans, receiver.metricRequests]).toEqual([[], []]);
    });

    it('has no effect on the next application without it', async () => {
      const disabled = await start({ OTEL_SDK_DISABLED: 'true' });
      await disabled.app.close();
      delete process.env['OTEL_SDK_DISABLED'];
      const application = await start({});
      await request(application);
      await until(() => application.monitor.getSlowOperations().length === 1);
      expect(application.monitor.getSlowOperations()[0]?.explanation).not.toMatch(UNRECORDED);
    });
  });
});
