import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  context,
  type ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
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
import { contextOfOwner } from '../lib/nest/decorators/code-owners.js';
import { sinkIn } from '../lib/spans/live-span.js';
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
    const provider = testing.get<TracerProvider>(TRACER_PROVIDER);
    expect(provider).toBe((trace.getTracerProvider() as ProxyTracerProvider).getDelegate());
    expect(provider.getTracer('shop').startSpan('checkout').isRecording()).toBe(true);
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

  it('knows the application of a provider within the trace of another process', async () => {
    const first = await startApplication('express', { controllers: [FirstController] });
    closing.push(() => first.app.close());
    const second = await startApplication('express', { controllers: [SecondController] });
    closing.push(() => second.app.close());
    const controller = second.app.get(SecondController);
    const ids = { traceId: '1'.repeat(32), spanId: '1'.repeat(16), traceFlags: 1 };
    const remote = trace.setSpanContext(ROOT_CONTEXT, { ...ids, isRemote: true });
    expect(sinkIn(contextOfOwner(remote, controller))).toBe(second.app.get(PerformanceMonitor).sink);
    expect(sinkIn(contextOfOwner(trace.setSpanContext(ROOT_CONTEXT, ids), controller))).toBeUndefined();
  });

  it('logs in one line which options of a second module do not apply to the process', async () => {
    const first = await startApplication('express', {});
    closing.push(() => first.app.close());
    const same = await startApplication('express', {});
    closing.push(() => same.app.close());
    const second = await startApplication(
      'express',
      {},
      {
        tracing: { endpoint: 'http://127.0.0.1:4601', sampling: { ratio: 0.5 } },
        detection: { eventLoopBlock: { limitMs: 500 } },
        resources: { intervalMs: 1000 },
        serviceName: 'second',
      },
    );
    closing.push(() => second.app.close());
    const refused = (application: typeof first): string[] =>
      application.logged.map(({ message }) => message).filter((message) => message.includes('do not apply'));
    expect([...refused(first), ...refused(same)]).toEqual([]);
    expect(refused(second)).toEqual([
      expect.stringMatching(
        /process.* first: tracing\.endpoint, tracing\.sampling\.ratio\. Give all modules/,
      ),
    ]);
  });

  it('logs which options of the profiler do not apply, and applies them once the first module has closed', async () => {
    const profiled = (intervalMs: number) =>
      startApplication(
        'express',
        {},
        { enableProfiling: true, profiling: { intervalMs, sampler: 'inspector' } },
      );
    const first = await profiled(10);
    const second = await profiled(20);
    const warnings = (application: typeof first): string[] =>
      application.logged.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings(first)).toEqual([]);
    expect(warnings(second)).toEqual([expect.stringContaining('first: profiling.intervalMs. Give')]);
    await first.app.close();
    await second.app.close();
    const third = await profiled(20);
    closing.push(() => third.app.close());
    expect(warnings(third)).toEqual([]);
  });

  describe('with work outside any request', () => {
    @Injectable()
    class FirstService {
      @TrackPerformance('calculation')
      rebuild(): void {}
    }
    @Injectable()
    class SecondService {
      @TrackPerformance('calculation')
      async rebuild(): Promise<void> {}
      @TrackPerformance('calculation')
      static convert(): void {}
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class SecondJob {
      @TrackPerformance('calculation')
      run(): void {}
    }
    @Injectable()
    class SharedService {
      @TrackPerformance('calculation')
      work(): void {}
    }

    it('counts it in the application that provides the code, and in the oldest where that is unknown', async () => {
      const first = await startApplication('express', { providers: [FirstService, SharedService] });
      const second = await startApplication('express', {
        providers: [SecondService, SecondJob, SharedService],
      });
      closing.push(() => second.app.close());
      first.app.get(FirstService).rebuild();
      await second.app.get(SecondService).rebuild();
      SecondService.convert();
      (await second.app.resolve(SecondJob)).run();
      first.app.get(SharedService).work();
      second.app.get(SharedService).work();
      second.app.get(SharedService).work();
      new SharedService().work();
      new Work().run();
      const counts = ({ operation }: typeof first) =>
        [
          'FirstService.rebuild',
          'SecondService.rebuild',
          'SecondService.convert',
          'SecondJob.run',
          'SharedService.work',
          'Work.run',
        ].map((name) => operation(name)?.count ?? 0);
      expect(counts(first)).toEqual([1, 0, 0, 0, 2, 1]);
      expect(counts(second)).toEqual([0, 1, 1, 1, 2, 0]);
      await first.app.close();
      new Work().run();
      expect(counts(second)).toEqual([0, 1, 1, 1, 2, 1]);
    });

    it('counts it in the request if it is called by one', async () => {
      @Controller('first')
      class CallingController {
        @Get()
        async get(): Promise<string> {
          await second.app.get(SecondService).rebuild();
          return 'done';
        }
      }
      const first = await startApplication('express', { controllers: [CallingController] });
      const second = await startApplication('express', { providers: [SecondService] });
      closing.push(
        () => first.app.close(),
        () => second.app.close(),
      );
      await get(`${first.url}/first`);
      expect(first.operation('SecondService.rebuild')).toMatchObject({ count: 1 });
      expect(second.operation('SecondService.rebuild')).toBeUndefined();
    });

    it('does not count it in a module that was compiled and never initialized', async () => {
      const compiled = await Test.createTestingModule({ imports: [PerformanceModule.forRoot()] }).compile();
      closing.push(() => compiled.close());
      const running = await startApplication('express', {});
      closing.push(() => running.app.close());
      new Work().run();
      expect(running.operation('Work.run')).toMatchObject({ count: 1 });
      expect(compiled.get(PerformanceMonitorService).getStats().totalOperations).toBe(0);
    });
  });

  it('keeps the tracer provider and the context manager that the application has set in between', async () => {
    const { app } = await startApplication('express', {});
    for (const api of [trace, context, propagation]) api.disable();
    const provider = new NodeTracerProvider();
    provider.register();
    closing.push(() => provider.shutdown());
    await app.close();
    expect(trace.getTracer('test').startSpan('x').isRecording()).toBe(true);
    await context.with(trace.setSpan(context.active(), trace.getTracer('test').startSpan('x')), async () => {
      await Promise.resolve();
      expect(trace.getActiveSpan()).toBeDefined();
    });
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
