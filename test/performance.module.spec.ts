import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { context, propagation, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import {
  PerformanceHealthIndicator,
  PerformanceInterceptor,
  PerformanceModule,
  PerformanceMonitor,
  PerformanceMonitorService,
  type PerformanceOptions,
  PerformanceOptionsError,
  RESOLVED_OPTIONS,
  ResourceSampler,
  SlowSpanProcessor,
  TRACER_PROVIDER,
  TrackPerformance,
} from '../lib/index.js';
import { KeptLog, startApplication, until } from './support/application.js';

class Work {
  @TrackPerformance('calculation')
  run(): string {
    return 'done';
  }
}

@Controller('one')
class FirstController {
  @Get()
  get(): string {
    return new Work().run();
  }
}

@Controller('two')
class SecondController {
  @Get()
  get(): string {
    return new Work().run();
  }
}

async function get(url: string): Promise<void> {
  await (await fetch(url)).arrayBuffer();
}

describe('PerformanceModule', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    trace.disable();
    context.disable();
    propagation.disable();
  });

  it('provides its parts for injection in all modules', async () => {
    @Injectable()
    class Elsewhere {
      constructor(readonly monitor: PerformanceMonitorService) {}
    }
    @Module({ providers: [Elsewhere] })
    class OtherModule {}
    const testing = await Test.createTestingModule({
      imports: [PerformanceModule.forRoot({ httpThresholdMs: 7 }), OtherModule],
    }).compile();
    closing.push(() => testing.close());
    expect(testing.get(TRACER_PROVIDER)).toBeInstanceOf(NodeTracerProvider);
    expect(testing.get(SlowSpanProcessor)).toBeInstanceOf(SlowSpanProcessor);
    expect(testing.get(ResourceSampler)).toBe(testing.get(PerformanceMonitor).resources);
    expect(testing.get(PerformanceInterceptor)).toBeInstanceOf(PerformanceInterceptor);
    expect(testing.get(PerformanceHealthIndicator)).toBeInstanceOf(PerformanceHealthIndicator);
    expect(testing.get(RESOLVED_OPTIONS)).toMatchObject({ thresholds: { http: 7 } });
    expect(testing.get(Elsewhere, { strict: false }).monitor).toBe(testing.get(PerformanceMonitorService));
  });

  it.each<[string, () => Parameters<typeof PerformanceModule.forRootAsync>[0]]>([
    ['a factory', () => ({ useFactory: async (): Promise<PerformanceOptions> => ({ httpThresholdMs: 7 }) })],
    [
      'a class',
      () => ({
        useClass: class {
          createPerformanceOptions(): PerformanceOptions {
            return { httpThresholdMs: 7 };
          }
        },
      }),
    ],
    [
      'a provider of another module',
      () => {
        @Injectable()
        class Configuration {
          createPerformanceOptions(): PerformanceOptions {
            return { httpThresholdMs: 7 };
          }
        }
        @Module({ providers: [Configuration], exports: [Configuration] })
        class ConfigurationModule {}
        return { imports: [ConfigurationModule], useExisting: Configuration };
      },
    ],
  ])('gets its options from %s', async (_what, options) => {
    const testing = await Test.createTestingModule({
      imports: [PerformanceModule.forRootAsync(options())],
    }).compile();
    closing.push(() => testing.close());
    expect(testing.get(RESOLVED_OPTIONS)).toMatchObject({ thresholds: { http: 7 } });
  });

  it('logs an unreadable baseline even if another module starts slowly', async () => {
    @Injectable()
    class Slow {
      async onModuleInit(): Promise<void> {
        await new Promise((done) => setTimeout(done, 1300));
      }
    }
    const failing = async (): Promise<never> => {
      throw new Error('the connection is lost');
    };
    const store = { get: failing, set: failing, delete: failing };
    const log = new KeptLog();
    const module = { imports: [PerformanceModule.forRoot({ baseline: { store } })], providers: [Slow] };
    const testing = await Test.createTestingModule(module).setLogger(log).compile();
    closing.push(() => testing.close());
    await testing.init();
    expect(log.kept.map(({ message }) => message).join()).toContain('the connection is lost');
  });

  it('aborts start-up for invalid options', async () => {
    await expect(
      Test.createTestingModule({ imports: [PerformanceModule.forRoot({ httpThresholdMs: -1 })] }).compile(),
    ).rejects.toThrow(PerformanceOptionsError);
  });

  it.each([5, '', '/', 'a b', '../up'])('rejects %j as the path of its endpoint', (endpointPath) => {
    expect(() => PerformanceModule.forRoot({ endpointPath: endpointPath as string })).toThrow(
      /^Invalid endpointPath: received /,
    );
  });

  it('separates two applications of one process, and continues when the first closes', async () => {
    const first = await startApplication('express', { controllers: [FirstController] });
    const second = await startApplication('fastify', { controllers: [SecondController] });
    closing.push(() => second.app.close());
    await get(`${first.url}/one`);
    await get(`${second.url}/two`);
    await until(() => second.monitor.getStats().byType['http']?.count === 1);
    expect(first.operation('GET /one')).toMatchObject({ count: 1 });
    expect(first.operation('GET /two')).toBeUndefined();
    expect(second.operation('GET /one')).toBeUndefined();
    expect(first.operation('Work.run')).toMatchObject({ count: 1 });
    expect(second.operation('Work.run')).toMatchObject({ count: 1 });
    await first.app.close();
    await get(`${second.url}/two`);
    await until(() => second.operation('GET /two')?.count === 2);
    expect(second.operation('Work.run')).toMatchObject({ count: 2 });
  });

  it('removes its tracer provider when the application closes', async () => {
    const { app } = await startApplication('express', {});
    expect(new Work().run()).toBe('done');
    await app.close();
    expect(trace.getTracer('test').startSpan('x').isRecording()).toBe(false);
  });

  it('does nothing when it is disabled', async () => {
    const application = await startApplication(
      'express',
      { controllers: [FirstController] },
      { enabled: false },
    );
    closing.push(() => application.app.close());
    await get(`${application.url}/one`);
    expect((await fetch(`${application.url}/performance/stats`)).status).toBe(404);
    expect(application.monitor.getStats()).toMatchObject({ totalOperations: 0, drivers: [] });
    expect(application.app.get(TRACER_PROVIDER)).toBeUndefined();
    expect(trace.getTracer('test').startSpan('x').isRecording()).toBe(false);
  });

  describe('in an application with a tracer provider', () => {
    const register = (...more: SlowSpanProcessor[]): InMemorySpanExporter => {
      const exporter = new InMemorySpanExporter();
      const provider = new NodeTracerProvider({
        spanProcessors: [new SimpleSpanProcessor(exporter), ...more],
      });
      provider.register();
      closing.push(() => provider.shutdown());
      return exporter;
    };

    it('uses it, logs how to measure more, and measures requests and decorated methods', async () => {
      const exporter = register();
      const application = await startApplication(
        'express',
        { controllers: [FirstController] },
        { httpThresholdMs: 0 },
      );
      await get(`${application.url}/one`);
      await until(() => application.monitor.getStats().totalOperations === 2);
      expect(application.operation('GET /one')).toMatchObject({ type: 'http', count: 1, slowCount: 1 });
      expect(application.operation('Work.run')).toMatchObject({ type: 'calculation', count: 1 });
      const served = exporter.getFinishedSpans().find(({ name }) => name === 'GET /one');
      expect(served?.attributes).toMatchObject({ 'performance.slow': true, 'http.route': '/one' });
      expect(
        application.logged.filter(({ message }) => message.includes('new SlowSpanProcessor()')),
      ).toHaveLength(1);
      await application.app.close();
      expect(trace.getTracer('test').startSpan('x').isRecording()).toBe(true);
    });

    it('counts every span once if it has a SlowSpanProcessor', async () => {
      register(new SlowSpanProcessor());
      const application = await startApplication('express', { controllers: [FirstController] });
      closing.push(() => application.app.close());
      await get(`${application.url}/one`);
      trace
        .getTracer('driver')
        .startSpan('SELECT', { kind: 2, attributes: { 'db.system.name': 'postgresql' } })
        .end();
      await until(() => application.monitor.getStats().totalOperations === 3);
      expect(application.operation('GET /one')).toMatchObject({ count: 1 });
      expect(application.operation('Work.run')).toMatchObject({ count: 1 });
      expect(application.operation('SELECT')).toMatchObject({ type: 'database', count: 1 });
      expect(application.logged.filter(({ message }) => message.includes('SlowSpanProcessor'))).toEqual([]);
    });

    it('uses a given monitor', async () => {
      const monitor = new PerformanceMonitor({ httpThresholdMs: 0, alerts: { enabled: false } });
      closing.push(async () => monitor.shutdown());
      register(new SlowSpanProcessor(monitor));
      const application = await startApplication('express', { controllers: [FirstController] }, { monitor });
      await get(`${application.url}/one`);
      await until(() => monitor.getSlowOperations().length === 1);
      expect(monitor.getSlowOperations()).toMatchObject([
        { name: 'GET /one', selfTimeMs: expect.any(Number) },
      ]);
      await application.app.close();
      expect(monitor.record({ type: 'x', name: 'x', durationMs: 1, thresholdMs: 0, error: false })).toBe(
        true,
      );
    });
  });

  it('works without HTTP', async () => {
    @Module({ imports: [PerformanceModule.forRoot({ alerts: { enabled: false } })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: new KeptLog() });
    closing.push(() => app.close());
    new Work().run();
    expect(app.get(PerformanceMonitorService).getStats().byType['calculation']).toMatchObject({ count: 1 });
  });
});

describe('PerformanceMonitor without Nest', () => {
  it('compares, annotates and counts a span without a processor', () => {
    const monitor = new PerformanceMonitor({ databaseThresholdMs: 10, alerts: { enabled: false } });
    const span = new BasicTracerProvider().getTracer('test').startSpan('query');
    expect(monitor.checkAndAnnotateSlowOperation(span, 5, 'database')).toBe(false);
    expect(monitor.checkAndAnnotateSlowOperation(span, 25, 'database')).toBe(true);
    expect((span as unknown as { attributes: object }).attributes).toMatchObject({
      'performance.slow': true,
      'performance.slowness_ratio': 2.5,
    });
    expect(monitor.getStats().byType['database']).toMatchObject({ count: 2, slowCount: 1 });
    monitor.shutdown();
  });
});
