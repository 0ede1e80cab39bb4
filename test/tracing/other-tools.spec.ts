import http from 'node:http';
import { FastifyOtelInstrumentation } from '@fastify/otel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param } from '@nestjs/common';
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { InstrumentationModuleDefinition } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';
import {
  fetchFromOutside,
  type Platform,
  startApplication,
  type TestApplication,
  until,
} from '../support/application.js';
import { ForeignTracing, wrapAllServers, wrapServer } from '../support/foreign-tracing.js';
import { sleep } from '../support/tracing.js';

const PARENT = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const HEADERS = { traceparent: `00-${PARENT.traceId}-${PARENT.spanId}-01` };

@Controller('orders')
class OrdersController {
  /** Runs within the handler. */
  static inside = (_id: string): unknown => undefined;

  @Get(':id')
  async find(@Param('id') id: string): Promise<string> {
    await OrdersController.inside(id);
    await sleep(5);
    return id;
  }
}

describe('beside other tools that trace requests', () => {
  const cleanups: (() => unknown)[] = [];
  let exporter: InMemorySpanExporter;
  beforeEach(() => {
    exporter = new InMemorySpanExporter();
    OrdersController.inside = () => undefined;
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    trace.disable();
    context.disable();
    propagation.disable();
  });

  /** A tracer provider of the application, by OpenTelemetry's SDK. */
  const sdk = ({ processor = true, sampler }: { processor?: boolean; sampler?: Sampler } = {}) => {
    const provider = new NodeTracerProvider({
      ...(sampler === undefined ? {} : { sampler }),
      spanProcessors: [new SimpleSpanProcessor(exporter), ...(processor ? [new SlowSpanProcessor()] : [])],
    });
    provider.register();
    cleanups.push(() => provider.shutdown());
    return provider;
  };
  /** A tracer provider without an SDK, with the SDK's context manager and propagator. */
  const foreign = (): ForeignTracing => {
    sdk();
    trace.disable();
    const tracing = new ForeignTracing();
    trace.setGlobalTracerProvider(tracing);
    return tracing;
  };
  const start = async (
    platform: Platform = 'express',
    before?: (application: TestApplication['app']) => unknown,
  ): Promise<TestApplication> => {
    const application = await startApplication(
      platform,
      { controllers: [OrdersController], ...(before === undefined ? {} : { before }) },
      { httpThresholdMs: 1, baseline: { enabled: false } },
    );
    cleanups.push(() => application.app.close());
    return application;
  };
  const request = async ({ url }: TestApplication, headers: Record<string, string> = {}): Promise<void> => {
    await (await fetchFromOutside(`${url}/orders/1`, { headers })).text();
  };
  const counted = ({ monitor }: TestApplication) =>
    monitor
      .getStats()
      .operations.filter(({ type }) => type === 'http')
      .map(({ name, count }) => `${name}: ${count}`);
  const kinds = (spans: readonly ReadableSpan[]) =>
    spans.filter(({ kind }) => kind === SpanKind.SERVER).map((span) => span.instrumentationScope.name);
  const explanation = ({ monitor }: TestApplication) => monitor.getSlowOperations()[0]?.explanation;

  /** A tool that makes a SERVER span active around the server, as tools that wrap a server with each first request do. */
  const serveWithin = (
    { app }: TestApplication,
    provider: TracerProvider,
    around: (request: http.IncomingMessage) => Context = ({ headers }) =>
      propagation.extract(ROOT_CONTEXT, headers),
  ): void =>
    wrapServer(app.getHttpServer(), (incoming, response, next) => {
      const parent = around(incoming);
      const options = { kind: SpanKind.SERVER, attributes: { 'http.method': 'GET' } };
      const span = provider.getTracer('agent').startSpan('GET /orders/1', options, parent);
      response.once('close', () => span.end());
      return context.with(trace.setSpan(parent, span), next);
    });

  describe('one SERVER span and one count for each request', () => {
    it('if a tool without an SDK makes its span active before, whatever trace headers arrive', async () => {
      const tracing = foreign();
      const application = await start();
      serveWithin(application, tracing);
      await request(application);
      await request(application, HEADERS);
      await until(() => counted(application)[0] === 'GET /orders/:id: 2');
      expect(tracing.serverSpans.map(({ name, parent }) => [name, parent?.spanId])).toEqual([
        ['GET /orders/1', undefined],
        ['GET /orders/1', PARENT.spanId],
      ]);
      expect(counted(application)).toEqual(['GET /orders/:id: 2']);
      // Its description is that of the tool, beside the annotation of a slow operation.
      expect(tracing.serverSpans[0]?.data).not.toHaveProperty('http.route');
      expect(tracing.serverSpans[0]?.data).toMatchObject({ 'performance.slow': true });
      expect(tracing.serverSpans.every(({ endedAt }) => endedAt !== undefined)).toBe(true);
    });

    it('if another provider of the SDK makes the span that is active before', async () => {
      sdk();
      const other = new InMemorySpanExporter();
      const second = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(other)] });
      const application = await start();
      serveWithin(application, second);
      await request(application);
      await request(application, HEADERS);
      await until(() => other.getFinishedSpans().length === 2);
      expect(kinds(exporter.getFinishedSpans())).toEqual([]);
      expect(counted(application)).toEqual(['GET /orders/:id: 2']);
    });

    it('if the span that is active before has a SlowSpanProcessor, with the evidence of the request', async () => {
      const provider = sdk();
      const application = await start();
      serveWithin(application, provider);
      await request(application);
      await until(() => exporter.getFinishedSpans().length === 1);
      expect(kinds(exporter.getFinishedSpans())).toEqual(['agent']);
      expect(counted(application)).toEqual(['GET /orders/:id: 1']);
      expect(application.monitor.getSlowOperations()).toMatchObject([
        { name: 'GET /orders/:id', http: { handler: 'OrdersController.find', statusCode: 200 } },
      ]);
      expect(application.monitor.getSlowOperations()[0]?.http?.aborted).toBeUndefined();
    });

    it.each([
      ['with', true],
      ['without', false],
    ])('if @fastify/otel makes spans below ours, %s a SlowSpanProcessor', async (_, processor) => {
      const provider = sdk({ processor });
      const instrumentation = new FastifyOtelInstrumentation();
      instrumentation.setTracerProvider(provider);
      const application = await start('fastify', (app) =>
        app.getHttpAdapter().getInstance().register(instrumentation.plugin()),
      );
      for (let i = 0; i < 3; i++) await request(application, i === 1 ? HEADERS : {});
      await until(() => counted(application)[0] === 'GET /orders/:id: 3');
      const spans = exporter.getFinishedSpans();
      expect(kinds(spans)).toEqual(Array(3).fill('@fastify/otel'));
      expect(counted(application)).toEqual(['GET /orders/:id: 3']);
      // The span of this package that preceded the first of them is its parent, so that its trace is whole.
      const ours = spans.filter((span) => span.instrumentationScope.name === 'nestjs-performance');
      const first = spans.find((span) => span.kind === SpanKind.SERVER);
      expect(ours.map(({ kind }) => kind)).toEqual([SpanKind.INTERNAL]);
      expect(first?.parentSpanContext?.spanId).toBe(ours[0]?.spanContext().spanId);
    });

    it('if an agent wraps all servers and shows its spans as proxies without a kind', async () => {
      const tracing = foreign();
      cleanups.push(
        wrapAllServers(({ headers }, response, next) => {
          const parent = propagation.extract(ROOT_CONTEXT, headers);
          const span = tracing.start('web.request', {}, parent);
          response.once('close', () => span.end());
          return context.with(trace.setSpan(context.active(), span), next);
        }),
      );
      const application = await start();
      await request(application);
      await request(application, HEADERS);
      await until(() => counted(application)[0] === 'GET /orders/:id: 2');
      expect(tracing.spans.map(({ name }) => name)).toEqual(['web.request', 'web.request']);
      expect(counted(application)).toEqual(['GET /orders/:id: 2']);
      expect(application.monitor.getSlowOperations().map(({ traceId }) => traceId)).toEqual(
        tracing.spans.map((span) => span.spanContext().traceId).reverse(),
      );
    });

    it("if OpenTelemetry's HTTP instrumentation creates the spans", async () => {
      const provider = sdk();
      const instrumentation = new HttpInstrumentation();
      instrumentation.setTracerProvider(provider);
      // Jest has loaded the module before.
      cleanups.push(wrapWith(instrumentation));
      const application = await start();
      await request(application);
      await request(application, HEADERS);
      await until(() => exporter.getFinishedSpans().length === 2);
      expect(kinds(exporter.getFinishedSpans())).toEqual(
        Array(2).fill('@opentelemetry/instrumentation-http'),
      );
      expect(counted(application)).toEqual(['GET /orders/:id: 2']);
      expect(application.monitor.getSlowOperations()).toHaveLength(2);
    });

    it('if a middleware creates the span in a trace of its own', async () => {
      const provider = sdk();
      const application = await start('express', (app) =>
        app.use((_: unknown, response: http.ServerResponse, next: () => void) => {
          const span = provider
            .getTracer('middleware')
            .startSpan(
              'request',
              { kind: SpanKind.SERVER, attributes: { 'http.method': 'GET' } },
              ROOT_CONTEXT,
            );
          response.once('close', () => span.end());
          context.with(trace.setSpan(ROOT_CONTEXT, span), next);
        }),
      );
      for (let i = 0; i < 3; i++) await request(application);
      await until(() => counted(application)[0] === 'GET /orders/:id: 3');
      expect(kinds(exporter.getFinishedSpans())).toEqual(Array(3).fill('middleware'));
      expect(counted(application)).toEqual(['GET /orders/:id: 3']);
    });
  });

  describe('the span of this package', () => {
    const ours = () =>
      exporter.getFinishedSpans().filter((span) => span.instrumentationScope.name === 'nestjs-performance');

    it('is created if no other tool creates one', async () => {
      sdk();
      const application = await start();
      await request(application);
      await request(application, HEADERS);
      await until(() => ours().length === 2);
      expect(kinds(exporter.getFinishedSpans())).toEqual(Array(2).fill('nestjs-performance'));
      expect(ours()[1]?.parentSpanContext?.spanId).toBe(PARENT.spanId);
    });

    it('is created, from the second request on, if a tool that wraps all servers creates none', async () => {
      sdk();
      cleanups.push(wrapAllServers((_, __, next) => next()));
      const application = await start();
      for (let i = 0; i < 3; i++) await request(application);
      await until(() => ours().length === 2);
      expect(counted(application)).toEqual(['GET /orders/:id: 3']);
    });

    it('is created below an active span that is no SERVER span, and continues the trace of the headers', async () => {
      const provider = sdk();
      const application = await start();
      wrapServer(application.app.getHttpServer(), (_, response, next) => {
        const span = provider.getTracer('agent').startSpan('accept', {}, ROOT_CONTEXT);
        response.once('close', () => span.end());
        return context.with(trace.setSpan(ROOT_CONTEXT, span), next);
      });
      await request(application);
      await request(application, HEADERS);
      await until(() => exporter.getFinishedSpans().length === 4);
      expect(kinds(exporter.getFinishedSpans())).toEqual(Array(2).fill('nestjs-performance'));
      const accept = exporter.getFinishedSpans().find(({ name }) => name === 'accept');
      expect(ours().map((span) => span.parentSpanContext?.spanId)).toEqual([
        accept?.spanContext().spanId,
        PARENT.spanId,
      ]);
    });

    it('begins a trace of its own if the server listens within a SERVER span that has ended', async () => {
      const provider = sdk();
      const application = await start();
      const span = provider.getTracer('job').startSpan('invoke', { kind: SpanKind.SERVER }, ROOT_CONTEXT);
      span.end();
      wrapServer(application.app.getHttpServer(), (_, __, next) =>
        context.with(trace.setSpan(ROOT_CONTEXT, span), next),
      );
      await request(application);
      await until(() => ours().length === 1);
      expect(ours()[0]?.parentSpanContext).toBeUndefined();
    });

    it('is created for each request if a handler passes further requests to the server', async () => {
      sdk();
      const application = await start();
      const server: http.Server = application.app.getHttpServer();
      OrdersController.inside = async (id) => {
        if (id !== '1') return;
        const inner = new http.IncomingMessage(null as never);
        Object.assign(inner, { method: 'GET', url: '/orders/2', socket: {}, headers: {} });
        const response = new http.ServerResponse(inner);
        server.emit('request', inner, response);
        await sleep(30);
        response.emit('close');
      };
      await request(application);
      await until(() => ours().length === 2);
      const traces = new Set(ours().map((span) => span.spanContext().traceId));
      expect([kinds(ours()).length, traces.size]).toEqual([2, 2]);
    });

    it('is counted beside a SERVER span that the handler creates', async () => {
      const provider = sdk();
      const application = await start();
      OrdersController.inside = () =>
        provider
          .getTracer('jobs')
          .startSpan('job', { kind: SpanKind.SERVER, attributes: { 'http.method': 'GET' } })
          .end();
      for (let i = 0; i < 2; i++) await request(application);
      await until(() => ours().length === 2);
      expect(kinds(exporter.getFinishedSpans()).sort()).toEqual([
        'jobs',
        'jobs',
        'nestjs-performance',
        'nestjs-performance',
      ]);
      expect(counted(application)).toContain('GET /orders/:id: 2');
    });

    it('is counted beside the SERVER span of an RPC in a middleware', async () => {
      const provider = sdk();
      const application = await start('express', (app) =>
        app.use((_: unknown, __: unknown, next: () => void) => {
          const attributes = { 'rpc.system': 'jsonrpc', 'rpc.method': 'add' };
          provider.getTracer('rpc').startSpan('add', { kind: SpanKind.SERVER, attributes }).end();
          next();
        }),
      );
      for (let i = 0; i < 2; i++) await request(application);
      await until(() => ours().length === 2);
      expect(kinds(ours())).toHaveLength(2);
    });

    it('is no longer created, and other wrappers stay, after the application has closed', async () => {
      const provider = sdk();
      const application = await start();
      const server: http.Server = application.app.getHttpServer();
      serveWithin(application, provider);
      const { emit } = server;
      await application.app.close();
      expect(server.emit).toBe(emit);
    });
  });

  describe('the explanation of a request that the provider of the application did not sample', () => {
    const UNSAMPLED = /the application's tracer provider did not sample this trace/;

    it.each([
      ['with', true],
      ['without', false],
    ])('says so, %s a SlowSpanProcessor', async (_, processor) => {
      sdk({ processor, sampler: new AlwaysOffSampler() });
      const application = await start();
      await request(application);
      await until(() => explanation(application) !== undefined);
      expect(explanation(application)).toMatch(UNSAMPLED);
      expect(explanation(application)).not.toMatch(/SlowSpanProcessor/);
    });

    it("says so for the spans of OpenTelemetry's HTTP instrumentation, and for headers that ask for no sampling", async () => {
      const provider = sdk();
      const instrumentation = new HttpInstrumentation();
      instrumentation.setTracerProvider(provider);
      cleanups.push(wrapWith(instrumentation));
      const application = await start();
      await request(application, { traceparent: HEADERS.traceparent.replace(/01$/, '00') });
      await until(() => explanation(application) !== undefined);
      expect(explanation(application)).toMatch(UNSAMPLED);
      expect(application.monitor.getSlowOperations()[0]?.traceId).toBe(PARENT.traceId);
      await request(application);
      await until(() => counted(application)[0] === 'GET /orders/:id: 2');
      expect(explanation(application)).not.toMatch(UNSAMPLED);
    });

    it('names a missing SlowSpanProcessor only for a sampled trace', async () => {
      sdk({ processor: false });
      const application = await start();
      await request(application);
      await until(() => explanation(application) !== undefined);
      expect(explanation(application)).toMatch(/add SlowSpanProcessor to your provider/);
    });
  });
});

/** Applies an instrumentation to the module of Node that is loaded. Returns what restores it. */
function wrapWith(instrumentation: HttpInstrumentation): () => void {
  const { getModuleDefinitions } = instrumentation as unknown as {
    getModuleDefinitions(): InstrumentationModuleDefinition[];
  };
  const definition = getModuleDefinitions.call(instrumentation).find(({ name }) => name === 'http');
  definition?.patch?.(http);
  return () => definition?.unpatch?.(http);
}
