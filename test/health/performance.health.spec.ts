import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import {
  PerformanceHealthIndicator,
  type PerformanceHealthLimits,
} from '../../lib/health/performance.health.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { startApplication, type TestApplication } from '../support/application.js';

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

  async function check(given: PerformanceHealthLimits): Promise<{ status: number; body: HealthCheckResult }> {
    limits = given;
    application = await startApplication('express', { imports: [HealthModule] });
    const monitor = application.app.get(PerformanceMonitor);
    for (let i = 0; i < 30; i++) {
      monitor.record({ type: 'database', name: 'SELECT a', durationMs: i, thresholdMs: 14.5, error: false });
    }
    const response = await fetch(`${application.url}/health`);
    return { status: response.status, body: (await response.json()) as HealthCheckResult };
  }
  // The event loop of a test that boots an application is busy; only the first figure is looked at here.
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

  it('is degraded above one, and says which', async () => {
    const { status, body } = await check({ slowPercentage: 40, ...others });
    expect(status).toBe(200);
    expect(body.details['performance']).toMatchObject({
      status: 'degraded',
      exceeded: ['slowPercentage is 50, the limit is 40'],
    });
  });

  it('is down above one when it is told to', async () => {
    const { status, body } = await check({ slowPercentage: 40, severity: 'down', ...others });
    expect(status).toBe(503);
    expect(body.details['performance']).toMatchObject({ status: 'down' });
  });

  it('does not look at a share of too few operations', async () => {
    const { body } = await check({ slowPercentage: 1, minCount: 31, ...others });
    expect(body.details['performance']).toMatchObject({ status: 'up' });
    expect(body.details['performance']).not.toHaveProperty('slowPercentage');
  });

  it('looks at the heap', async () => {
    const { body } = await check({ slowPercentage: 100, heapUsedPercentage: 0, ...others });
    expect(body.details['performance']).toMatchObject({
      status: 'degraded',
      exceeded: [expect.stringMatching(/^heapUsedPercentage is [\d.]+, the limit is 0$/)],
    });
  });

  it.each([
    [{ slowPercentage: -1 }, 'slowPercentage is -1, which is not allowed: give a number of at least 0'],
    [{ severity: 'bad' }, "severity is \"bad\", which is not allowed: give 'degraded' or 'down'"],
    [{ slow: 1 }, 'slow is not a limit: give one of slowPercentage'],
  ])('refuses %j', async (given, message) => {
    application = await startApplication('express', {});
    const indicator = application.app.get(PerformanceHealthIndicator);
    await expect(indicator.isHealthy('performance', given as PerformanceHealthLimits)).rejects.toThrow(
      message,
    );
  });
});
