import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import {
  PerformanceHealthIndicator,
  type PerformanceHealthLimits,
} from '../../lib/nest/health/performance.health.js';
import type { EndedOperation } from '../../lib/spans/ended-operation.js';
import { fetchFromOutside, startApplication, type TestApplication } from '../support/application.js';

let limits: PerformanceHealthLimits = {};

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly performance: PerformanceHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.performance.isHealthy('performance', limits)]);
  }
}

@Module({ imports: [TerminusModule.forRoot({ logger: false })], controllers: [HealthController] })
class HealthModule {}

describe('PerformanceHealthIndicator', () => {
  let application: TestApplication;
  afterEach(() => application.app.close());

  async function check(
    given: PerformanceHealthLimits,
    recorded: (Partial<EndedOperation> & { times?: number })[] = [],
  ): Promise<{ status: number; body: HealthCheckResult }> {
    limits = given;
    application = await startApplication('express', { imports: [HealthModule] });
    const monitor = application.app.get(PerformanceMonitor);
    for (let i = 0; i < 30; i++) {
      monitor.record({ type: 'database', name: 'SELECT a', durationMs: i, thresholdMs: 14.5, error: false });
    }
    for (const { times = 20, ...operation } of recorded) {
      for (let i = 0; i < times; i++)
        monitor.record({
          type: 'http',
          name: 'GET /a',
          durationMs: 1,
          thresholdMs: 100,
          error: true,
          ...operation,
        });
    }
    const response = await fetchFromOutside(`${application.url}/health`);
    return { status: response.status, body: (await response.json()) as HealthCheckResult };
  }
  // The event loop of a starting application is busy: only slowPercentage is checked here.
  const others = { eventLoopUtilization: 1, eventLoopDelayMs: 60_000 };

  it('is up within its limits', async () => {
    const { status, body } = await check({ slowPercentage: 60, ...others });
    expect(status).toBe(200);
    expect(body.details['performance']).toMatchObject({
      status: 'up',
      slowPercentage: 50,
      heapUsedPercentage: expect.any(Number),
    });
  });

  it('is degraded above a limit, and names it', async () => {
    const { status, body } = await check({ slowPercentage: 40, ...others });
    expect(status).toBe(200);
    expect(body.details['performance']).toMatchObject({
      status: 'degraded',
      exceeded: ['slowPercentage is 50, the limit is 40'],
    });
  });

  it('is down above a limit with that severity', async () => {
    const { status, body } = await check({ slowPercentage: 40, severity: 'down', ...others });
    expect(status).toBe(503);
    expect(body.details['performance']).toMatchObject({ status: 'down' });
  });

  it('skips percentages of too few operations', async () => {
    const { body } = await check({ slowPercentage: 1, minCount: 31, ...others });
    expect(body.details['performance']).toMatchObject({ status: 'up' });
    expect(body.details['performance']).not.toHaveProperty('slowPercentage');
  });

  const quiet = { slowPercentage: 100, ...others };

  it('is degraded if most operations of a type fail, with the percentages as numbers', async () => {
    const { status, body } = await check(quiet, [{}, { name: 'GET /b', error: false, times: 10 }]);
    expect(status).toBe(200);
    expect(body.details['performance']).toMatchObject({
      status: 'degraded',
      errorPercentage: 66.7,
      operationErrorPercentage: 100,
      exceeded: [
        'errorPercentage is 66.7, the limit is 50',
        'operationErrorPercentage is 100, the limit is 50',
      ],
    });
  });

  it('is degraded if one route fails while others succeed', async () => {
    const { body } = await check(quiet, [{}, { name: 'GET /b', error: false, times: 180 }]);
    expect(body.details['performance']).toMatchObject({
      status: 'degraded',
      errorPercentage: 10,
      exceeded: ['operationErrorPercentage is 100, the limit is 50'],
    });
  });

  it('is down with that severity, and applies custom limits', async () => {
    const recorded = [{}, { error: false }, { type: 'database', name: 'SELECT b', error: false }];
    const { status } = await check({ ...quiet, errorPercentage: 49, severity: 'down' }, recorded);
    expect(status).toBe(503);
    await application.app.close();
    const { body } = await check({ ...quiet, errorPercentage: 50, operationErrorPercentage: 50 }, recorded);
    expect(body.details['performance']).toMatchObject({ status: 'up', errorPercentage: 50 });
    await application.app.close();
    const off = await check({ ...quiet, errorPercentage: 100, operationErrorPercentage: 100 }, [{}]);
    expect(off.body.details['performance']).toMatchObject({ status: 'up', errorPercentage: 100 });
  });

  it.each<[string, (Partial<EndedOperation> & { times?: number })[]]>([
    ['19 errors', [{ times: 19 }]],
    ['1 % errors', [{ times: 2 }, { times: 198, error: false }]],
    ['expected errors', [{ type: 'external', expectedError: true, times: 100 }]],
    ['nothing', []],
  ])('is up with %s', async (_what, recorded) => {
    const { body } = await check({ ...quiet, minCount: 20 }, recorded);
    expect(body.details['performance']).toMatchObject({ status: 'up' });
  });

  it('does not count its own 503 responses, which would keep it down', async () => {
    await check({ ...quiet, severity: 'down' }, [{}]);
    const monitor = application.app.get(PerformanceMonitor);
    for (let i = 0; i < 25; i++)
      expect((await fetchFromOutside(`${application.url}/health`)).status).toBe(503);
    expect(application.operation('GET /health')).toMatchObject({
      count: 26,
      errorCount: 26,
      expectedErrorCount: 26,
    });
    for (let i = 0; i < 25; i++)
      monitor.record({ type: 'http', name: 'GET /a', durationMs: 1, thresholdMs: 100, error: false });
    const recovered = await fetchFromOutside(`${application.url}/health`);
    expect([recovered.status, await recovered.text()]).toEqual([200, expect.stringContaining('up')]);
  });

  it('checks the heap', async () => {
    const { body } = await check({ slowPercentage: 100, heapUsedPercentage: 0, ...others });
    expect(body.details['performance']).toMatchObject({
      status: 'degraded',
      exceeded: [expect.stringMatching(/^heapUsedPercentage is [\d.]+, the limit is 0$/)],
    });
  });

  it.each([
    [{ slowPercentage: -1 }, 'Invalid slowPercentage: received -1, expected a number of at least 0'],
    [{ severity: 'bad' }, "Invalid severity: received \"bad\", expected 'degraded' or 'down'"],
    [{ slow: 1 }, 'Invalid slow: received an unknown limit, expected one of slowPercentage'],
  ])('rejects %j', async (given, message) => {
    application = await startApplication('express', {});
    const indicator = application.app.get(PerformanceHealthIndicator);
    await expect(indicator.isHealthy('performance', given as PerformanceHealthLimits)).rejects.toThrow(
      message,
    );
  });
});
