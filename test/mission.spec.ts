// The promises of the package as its users write them: each example is a test of a real application.

import { pbkdf2Sync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, UseInterceptors } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { trace } from '@opentelemetry/api';
import {
  getPerformanceMonitor,
  getPerformanceStats,
  PerformanceHealthIndicator,
  PerformanceInterceptor,
  PerformanceModule,
  PerformanceMonitor,
  PerformanceMonitorService,
  type PerformanceOptions,
  PerformanceOptionsError,
  type PerformanceStats,
  RESOLVED_OPTIONS,
  type ResolvedOptions,
  ResourceSampler,
  SlowSpanProcessor,
  TRACER_PROVIDER,
  TrackPerformance,
  withPerformanceTracking,
} from '../lib/index.js';
import { MONITOR_OPTIONS } from '../lib/monitor/options.js';
import { isCheck, isList, type Shape } from '../lib/validation/checks.js';
import type { Option } from '../lib/validation/option-table.js';
import { startApplication, type TestApplication, until } from './support/application.js';
import { sleep } from './support/tracing.js';

const THRESHOLDS: PerformanceOptions = {
  httpThresholdMs: 1000,
  databaseThresholdMs: 500,
  cacheThresholdMs: 100,
  externalThresholdMs: 2000,
};

@Injectable()
class ReportService {
  constructor(readonly performance: PerformanceMonitorService) {}

  @TrackPerformance('calculation', 5000)
  quick(): number {
    return 7;
  }

  @TrackPerformance('calculation', 1)
  async slow(): Promise<number> {
    await sleep(15);
    return 7;
  }

  withActiveSpan(): Promise<string> {
    return withPerformanceTracking('calculation', async () => 'within', { threshold: 5000, name: 'within' });
  }

  burn(ms: number): string {
    const end = performance.now() + ms;
    let hash = '';
    while (performance.now() < end) hash = pbkdf2Sync('password', 'salt', 500, 32, 'sha512').toString('hex');
    return hash;
  }
}

@Controller('reports')
@UseInterceptors(PerformanceInterceptor)
class ReportController {
  constructor(
    private readonly reports: ReportService,
    private readonly health: HealthCheckService,
    private readonly indicator: PerformanceHealthIndicator,
  ) {}

  @Get('both')
  async both(): Promise<number> {
    return this.reports.quick() + (await this.reports.slow());
  }

  @Get('within')
  within(): Promise<string> {
    return this.reports.withActiveSpan();
  }

  @Get('burn')
  burn(): string {
    return this.reports.burn(250);
  }

  @Get('health')
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.indicator.isHealthy('performance', { eventLoopUtilization: 1, eventLoopDelayMs: 60_000 }),
    ]);
  }
}

@Module({
  imports: [TerminusModule.forRoot({ logger: false })],
  controllers: [ReportController],
  providers: [ReportService],
})
class ReportModule {}

describe('The mission', () => {
  const closing: (() => unknown)[] = [];
  const environment = { ...process.env };
  beforeEach(() => {
    for (const name of [...VARIABLES, 'OTEL_METRICS_EXPORTER']) delete process.env[name];
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    for (const name of [...VARIABLES, 'OTEL_METRICS_EXPORTER']) restore(name, environment[name]);
  });

  async function start(options: PerformanceOptions = {}): Promise<TestApplication> {
    const application = await startApplication('express', { imports: [ReportModule] }, options);
    closing.push(() => application.app.close());
    return application;
  }

  async function stats({ url }: TestApplication): Promise<PerformanceStats> {
    return (await (await fetch(`${url}/performance/stats`)).json()) as PerformanceStats;
  }

  async function get({ url }: TestApplication, path: string): Promise<string> {
    const response = await fetch(url + path);
    expect(response.status).toBe(200);
    return response.text();
  }

  it('compares spans with thresholds, without Nest', async () => {
    const monitor = new PerformanceMonitor({ httpThresholdMs: 1000 });
    closing.push(() => monitor.shutdown());
    const span = () => ({ setAttribute: () => {}, addEvent: () => {}, attributes: {} });
    expect(monitor.checkAndAnnotateSlowOperation(span(), 1500, 'http')).toBe(true);
    expect(monitor.checkAndAnnotateSlowOperation(span(), 500, 'http')).toBe(false);
    monitor.resetStats();
    for (const ms of [1500, 2000, 10]) monitor.checkAndAnnotateSlowOperation(span(), ms, 'http');
    await monitor.shutdown();
    const { totalSlowOperations, byType } = monitor.getStats();
    expect(totalSlowOperations).toBe(2);
    expect(byType['http']).toMatchObject({ count: 3, slowCount: 2, maxDuration: 2000, minDuration: 10 });
  });

  describe('forRoot with thresholds', () => {
    it('registers its parts as providers', async () => {
      const { app } = await start(THRESHOLDS);
      const provider = app.get(TRACER_PROVIDER, { strict: false });
      expect(provider.getTracer('mine').startSpan('x').isRecording()).toBe(true);
      expect(app.get(SlowSpanProcessor)).toBeInstanceOf(SlowSpanProcessor);
      expect(app.get(ResourceSampler)).toBeInstanceOf(ResourceSampler);
      expect(app.get(ResourceSampler).current().memory.heapUsed).toBeGreaterThan(0);
      expect(app.get(PerformanceMonitorService)).toBeInstanceOf(PerformanceMonitorService);
      expect(app.get(PerformanceHealthIndicator)).toBeInstanceOf(PerformanceHealthIndicator);
      expect(app.get(PerformanceInterceptor)).toBeInstanceOf(PerformanceInterceptor);
    });

    it('exports the interceptor for the modules that bind it', () => {
      const exported: unknown = Reflect.getMetadata('exports', PerformanceModule);
      expect(exported).toContain(PerformanceInterceptor);
    });

    it.each([
      ['http', 'httpThresholdMs', 'OTEL_HTTP_THRESHOLD_MS', 1000],
      ['database', 'databaseThresholdMs', 'OTEL_DB_THRESHOLD_MS', 500],
      ['cache', 'cacheThresholdMs', 'OTEL_CACHE_THRESHOLD_MS', 100],
      ['external', 'externalThresholdMs', 'OTEL_EXTERNAL_THRESHOLD_MS', 2000],
    ])('compares %s with %s, then %s, then %s ms', async (type, option, variable, standard) => {
      const isSlowFrom = async (options: PerformanceOptions): Promise<(ms: number) => boolean> => {
        const { app, monitor } = await start(options);
        closing.push(() => app.close());
        return (ms) => monitor.checkAndAnnotateSlowOperation({}, ms, type);
      };
      const unset = await isSlowFrom({});
      expect([unset(standard), unset(standard + 1)]).toEqual([false, true]);
      process.env[variable] = '37.5';
      const byVariable = await isSlowFrom({});
      expect([byVariable(37.5), byVariable(38)]).toEqual([false, true]);
      const byOption = await isSlowFrom({ [option]: 70 });
      expect([byOption(70), byOption(71)]).toEqual([false, true]);
      process.env[variable] = 'fast';
      await expect(start()).rejects.toThrow(PerformanceOptionsError);
      await expect(start()).rejects.toThrow(variable);
    });

    it('accepts thresholds of other types as options', async () => {
      const { monitor } = await start({ customThresholds: { calculation: 5000, rpc: 10 } });
      const slow = [5000, 5001].map((ms) => monitor.checkAndAnnotateSlowOperation({}, ms, 'calculation'));
      expect(slow).toEqual([false, true]);
      expect(monitor.checkAndAnnotateSlowOperation({}, 11, 'rpc')).toBe(true);
    });
  });

  describe('the environment', () => {
    const read: [string, string, (options: ResolvedOptions) => unknown, unknown][] = [
      ['OTEL_PERF_MONITORING', 'false', ({ enabled }) => enabled, false],
      ['SERVICE_NAME', 'shop', ({ serviceName }) => serviceName, 'shop'],
      ['OTEL_SERVICE_NAME', 'store', ({ serviceName }) => serviceName, 'store'],
      ['CONTAINER_NAME', 'shop-1', ({ hostName }) => hostName, 'shop-1'],
      ['HOSTNAME', 'node-1', ({ hostName }) => hostName, 'node-1'],
      ['OTEL_HTTP_THRESHOLD_MS', '1', ({ thresholds }) => thresholds['http'], 1],
      ['OTEL_DB_THRESHOLD_MS', '2', ({ thresholds }) => thresholds['database'], 2],
      ['OTEL_CACHE_THRESHOLD_MS', '3', ({ thresholds }) => thresholds['cache'], 3],
      ['OTEL_EXTERNAL_THRESHOLD_MS', '4', ({ thresholds }) => thresholds['external'], 4],
      ['OTEL_ENABLE_PROFILING', 'true', ({ enableProfiling }) => enableProfiling, true],
      ['OTEL_PROFILE_SLOW', '1', ({ profileSlowOperations }) => profileSlowOperations, true],
      ['ENDPOINT', '127.0.0.1:9', ({ tracing }) => tracing.endpoint, 'http://127.0.0.1:9'],
      [
        'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
        'http://127.0.0.1:9',
        ({ tracing }) => tracing.endpoint,
        'http://127.0.0.1:9',
      ],
      [
        'OTEL_EXPORTER_OTLP_ENDPOINT',
        'http://127.0.0.1:9',
        ({ tracing }) => tracing.endpoint,
        'http://127.0.0.1:9',
      ],
      [
        'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
        'http://127.0.0.1:9',
        ({ metrics }) => metrics.endpoint,
        'http://127.0.0.1:9',
      ],
      [
        'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
        'explicit_bucket_histogram',
        ({ metrics }) => metrics.histograms,
        'explicit',
      ],
      ['OTEL_METRIC_EXPORT_INTERVAL', '5000', ({ metrics }) => metrics.intervalSeconds, 5],
      [
        'OTEL_SEMCONV_STABILITY_OPT_IN',
        'http/dup',
        ({ tracing }) => tracing.semanticConventions,
        { http: 'both', database: 'stable' },
      ],
      ['PERFORMANCE_SOURCE_URL', 'cursor', ({ endpoint }) => endpoint.sourceUrl, 'cursor'],
    ];

    it.each(read)('is read: %s=%s', async (name, value, option, expected) => {
      const resolved = async (): Promise<unknown> => {
        const { app } = await startApplication('express', {});
        try {
          return option(app.get<ResolvedOptions>(RESOLVED_OPTIONS));
        } finally {
          await app.close();
        }
      };
      expect(await resolved()).not.toEqual(expected);
      process.env[name] = value;
      expect(await resolved()).toEqual(expected);
    });

    it('is read: OTEL_METRICS_EXPORTER=none', async () => {
      Object.assign(process.env, { ENDPOINT: 'http://127.0.0.1:9', OTEL_METRICS_EXPORTER: 'none' });
      const { app } = await start();
      const { metrics, tracing } = app.get<ResolvedOptions>(RESOLVED_OPTIONS);
      expect([tracing.endpoint, metrics.endpoint]).toEqual(['http://127.0.0.1:9', undefined]);
    });

    it('has no other variables', () => {
      expect(read.map(([name]) => name).sort()).toEqual(VARIABLES);
    });
  });

  describe('withPerformanceTracking', () => {
    it('starts a trace without an active span', async () => {
      const application = await start();
      expect(trace.getActiveSpan()).toBeUndefined();
      const result = withPerformanceTracking('calculation', () => 6 * 7, { threshold: 5000, name: 'alone' });
      expect(result).toBe(42);
      expect(application.operation('alone')).toMatchObject({ type: 'calculation', count: 1, slowCount: 0 });
      await expect(
        withPerformanceTracking('calculation', () => Promise.reject(new Error('mine')), { threshold: 5000 }),
      ).rejects.toThrow('mine');
    });

    it('creates a child of the active span', async () => {
      const application = await start({ httpThresholdMs: 0, customThresholds: { calculation: 0 } });
      expect(await get(application, '/reports/within')).toBe('within');
      await until(() => application.monitor.getSlowOperations({ type: 'http' }).length === 1);
      const [request] = application.monitor.getSlowOperations({ type: 'http' });
      expect(application.operation('within')).toMatchObject({ type: 'calculation', count: 1, slowCount: 0 });
      const { waterfall } = application.monitor.getSlowOperation(request?.id ?? '') ?? {};
      expect(waterfall?.spans.map(({ name }) => name)).toContain('within');
    });

    it('only calls the function without a module', () => {
      expect(withPerformanceTracking('calculation', () => 42, { threshold: 5000 })).toBe(42);
    });
  });

  it('tracks a method by @TrackPerformance(type, threshold)', async () => {
    const application = await start();
    expect(await get(application, '/reports/both')).toBe('14');
    await until(() => application.operation('GET /reports/both') !== undefined);
    expect(application.operation('ReportService.quick')).toMatchObject({ type: 'calculation', slowCount: 0 });
    expect(application.operation('ReportService.slow')).toMatchObject({ type: 'calculation', slowCount: 1 });
    expect(application.operation('GET /reports/both')).toMatchObject({ type: 'http', count: 1 });
    const { performance } = application.app.get(ReportService, { strict: false });
    expect(performance).toBe(application.monitor);
    expect(performance.getSlowOperations()).toMatchObject([
      { name: 'ReportService.slow', type: 'calculation', thresholdMs: 1, explanation: expect.any(String) },
    ]);
  });

  it('answers terminus', async () => {
    const application = await start();
    const { status, details } = JSON.parse(await get(application, '/reports/health')) as HealthCheckResult;
    expect(status).toBe('ok');
    expect(details['performance']).toMatchObject({ status: 'up', heapUsedPercentage: expect.any(Number) });
  });

  describe('/performance/stats', () => {
    it('has its documented shape', async () => {
      const application = await start({ cacheThresholdMs: 100 });
      for (const ms of [50, 150, 250]) application.monitor.checkAndAnnotateSlowOperation({}, ms, 'cache');
      const a = { number: expect.any(Number), string: expect.any(String), boolean: expect.any(Boolean) };
      const latencies = {
        count: 3,
        slowCount: 2,
        slowPercentage: 66.667,
        errorCount: 0,
        avgDuration: 150,
        minDuration: 50,
        maxDuration: 250,
        p50: a.number,
        p95: a.number,
        p99: a.number,
      };
      const figures = { ...latencies, windows: { minute: latencies, hour: latencies, day: latencies } };
      const answer = await stats(application);
      expect(answer).toEqual({
        totalOperations: 3,
        totalSlowOperations: 2,
        slowPercentage: 66.667,
        byType: { cache: figures },
        operations: [{ type: 'cache', name: 'cache', totalMs: 450, excessMs: 200, ...figures }],
        currentResources: {
          timestamp: a.number,
          memory: {
            heapUsed: a.number,
            heapTotal: a.number,
            heapLimit: a.number,
            external: a.number,
            rss: a.number,
            heapUsedMB: a.number,
            heapTotalMB: a.number,
          },
          cpu: { user: a.number, system: a.number, userMs: a.number, systemMs: a.number },
          eventLoop: expect.any(Object),
          gc: { count: a.number, pauseMs: a.number },
        },
        drivers: expect.any(Array),
        dropped: { operationsToOther: 0, events: 0, queries: 0 },
        eventLoopWatchdog: expect.any(Object),
        profiling: expect.any(Object),
        overhead: expect.any(Object),
      });
      const { memory } = answer.currentResources;
      expect(memory.heapUsedMB).toBeCloseTo(memory.heapUsed / 2 ** 20, 1);
      for (const driver of answer.drivers)
        expect(driver).toMatchObject({ driver: a.string, seen: a.boolean, how: a.string });
      expect(getPerformanceStats().byType['cache']).toEqual(answer.byType['cache']);
    });

    it('is absent when monitoring is disabled', async () => {
      process.env['OTEL_PERF_MONITORING'] = 'false';
      const { url } = await start();
      expect((await fetch(`${url}/performance/stats`)).status).toBe(404);
      expect(() => getPerformanceStats()).toThrow('Performance monitoring is not enabled');
    });
  });

  it.each<[string, PerformanceOptions, Record<string, string>]>([
    ['options', { enableProfiling: true, profileSlowOperations: true }, {}],
    ['variables', {}, { OTEL_ENABLE_PROFILING: 'true', OTEL_PROFILE_SLOW: 'true' }],
  ])('profiles slow operations with two %s', async (_what, options, variables) => {
    Object.assign(process.env, variables);
    const directory = mkdtempSync(join(tmpdir(), 'mission-'));
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
    const application = await start({ ...options, httpThresholdMs: 100, profiling: { directory } });
    expect((await stats(application)).profiling).toMatchObject({
      state: 'on',
      directory: expect.stringContaining(basename(directory)),
    });
    await get(application, '/reports/burn');
    const slow = () => application.monitor.getSlowOperations({ type: 'http' })[0];
    await until(() => slow()?.topFunctions !== undefined);
    const [hottest] = slow()?.topFunctions ?? [];
    expect(hottest?.function).toMatch(/burn|pbkdf2/i);
    const profile = JSON.parse(await get(application, `/performance/profiles/${slow()?.profile}`)) as object;
    expect(profile).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) });
  });

  it('keeps no profiles without those two options', async () => {
    const application = await start({ httpThresholdMs: 100 });
    await get(application, '/reports/burn');
    await until(() => application.monitor.getSlowOperations({ type: 'http' }).length === 1);
    expect(application.monitor.getSlowOperations()[0]).not.toHaveProperty('profile');
    expect((await stats(application)).profiling).toMatchObject({ state: 'off' });
  });

  it('can be polled for statistics', async () => {
    await start({ databaseThresholdMs: 500 });
    const alerts = new Set<string>();
    const watching = setInterval(() => {
      const stats = getPerformanceStats();
      if (stats.slowPercentage > 10)
        alerts.add(`${stats.slowPercentage.toFixed(1)} % of all operations are slow`);
      for (const [type, { slowPercentage }] of Object.entries(stats.byType)) {
        if (slowPercentage > 50) alerts.add(`${slowPercentage.toFixed(1)} % of ${type} are slow`);
      }
      const { heapUsed, heapTotal } = stats.currentResources.memory;
      const heapPercentage = (heapUsed / heapTotal) * 100;
      if (heapPercentage > 0 && heapPercentage <= 100) alerts.add('the heap has a percentage');
    }, 10);
    closing.push(() => clearInterval(watching));
    const monitor = getPerformanceMonitor();
    for (const ms of [600, 700, 1]) monitor.checkAndAnnotateSlowOperation({}, ms, 'database');
    for (let i = 0; i < 7; i++) monitor.checkAndAnnotateSlowOperation({}, 1, 'cache');
    await until(() => alerts.size >= 3);
    expect([...alerts].sort()).toEqual([
      '20.0 % of all operations are slow',
      '66.7 % of database are slow',
      'the heap has a percentage',
    ]);
  });
});

/** All variables that the tables of options read. */
const VARIABLES = [...new Set(variablesOf(MONITOR_OPTIONS))].sort();

function variablesOf(table: Shape): string[] {
  return Object.values(table).flatMap((rule) => {
    if (isCheck(rule)) return (rule as Option).variables?.names ?? [];
    return isList(rule) ? [] : variablesOf(rule);
  });
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
