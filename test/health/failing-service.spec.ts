import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  Get,
  InternalServerErrorException,
  NotFoundException,
  Param,
  Req,
  ServiceUnavailableException,
} from '@nestjs/common';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import type { Overview } from '../../lib/dashboard/overview.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { withPerformanceTracking } from '../../lib/nest/decorators/track-performance.decorator.js';
import { PerformanceHealthIndicator } from '../../lib/nest/health/performance.health.js';
import {
  fetchFromOutside,
  PLATFORMS,
  type Platform,
  startApplication,
  type TestApplication,
  until,
} from '../support/application.js';

const START = Date.UTC(2026, 0, 1);
const SECOND = 1000;
const BOOM =
  /^GET \/boom fails: 20 of 20 requests in the last minute returned an error\. Error: boom at ShopController\.boom \(failing-service\.spec\.ts:\d+\)\.$/;

let broken = true;
let reached = (): void => {};
/** The status with which this server responds to outgoing calls. */
let answer = 404;
let self = '';

@Controller()
class ShopController {
  @Get('boom')
  boom(): string {
    if (broken) throw new Error('boom');
    return 'fine';
  }

  @Get('fine')
  fine(): string {
    return 'fine';
  }

  @Get('missing/:id')
  missing(@Param('id') id: string): Promise<never> {
    return withPerformanceTracking('repository', () => Promise.reject(new NotFoundException(id)), {
      name: 'find',
    });
  }

  @Get('ignored')
  ignored(): never {
    throw new InternalServerErrorException();
  }

  @Get('target')
  target(): string {
    if (answer === 404) throw new NotFoundException();
    throw new ServiceUnavailableException();
  }

  @Get('calls')
  async calls(): Promise<number> {
    return (await fetch(`${self}/target`)).status;
  }

  @Get('background')
  background(): string {
    void withPerformanceTracking('audit', () => Promise.reject(new Error('no room')), {
      name: 'write',
    }).catch(() => {});
    return 'fine';
  }

  @Get('forever')
  forever(@Req() { raw, socket = raw?.socket }: { raw?: IncomingMessage; socket?: Socket }): Promise<never> {
    const wait = (): Promise<never> =>
      new Promise((_, reject) => {
        socket?.once('close', () => reject(new Error('the client has gone')));
        reached();
      });
    return withPerformanceTracking('wait', wait, { name: 'wait' });
  }
}

describe.each(PLATFORMS)('a service on %s', (platform: Platform) => {
  let application: TestApplication;
  let monitor: PerformanceMonitor;
  let alerts: string[];
  afterEach(async () => {
    jest.restoreAllMocks();
    await application.app.close();
  });

  async function start(): Promise<void> {
    broken = true;
    application = await startApplication(
      platform,
      { controllers: [ShopController] },
      { http: { ignore: ['/ignored', '/target'] }, alerts: { notifiers: { log: false } } },
    );
    self = application.url;
    monitor = application.app.get(PerformanceMonitor);
    alerts = [];
    monitor.onAlert(({ rule, subject, state, severity, summary }: PerformanceAlert) => {
      if (rule === 'error_rate') alerts.push(`${severity} ${subject} ${state}: ${summary}`);
    });
  }
  const count = (): number => monitor.lastMinute().find(({ type }) => type === 'http')?.count ?? 0;
  async function get(path: string, times: number): Promise<void> {
    const before = count();
    for (let i = 0; i < times; i++) await (await fetchFromOutside(application.url + path)).text();
    if (path !== '/ignored') await until(() => count() === before + times);
  }
  async function health(): Promise<Overview['health']> {
    const response = await fetchFromOutside(`${application.url}/performance/overview`);
    return ((await response.json()) as Overview).health;
  }
  /** The status of the indicator by errors only, as the event loop of a starting application is busy. */
  async function indicated(severity: 'down' | 'degraded' = 'degraded'): Promise<unknown> {
    const indicator = application.app.get(PerformanceHealthIndicator);
    const limits = { eventLoopUtilization: 1, eventLoopDelayMs: 60_000, slowPercentage: 100, severity };
    return (await indicator.isHealthy('performance', limits)).performance.status;
  }
  /** Evaluates the rules every 5 seconds of a simulated clock. */
  async function evaluate(fromSecond: number, toSecond: number): Promise<void> {
    for (let second = fromSecond; second <= toSecond; second += 5)
      monitor.alerting.evaluate(START + second * SECOND);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  async function expectSilence(): Promise<void> {
    expect((await health()).state).not.toBe('unhealthy');
    expect(await indicated()).toBe('up');
    await evaluate(0, 120);
    expect(alerts).toEqual([]);
  }

  it('with only failing requests is unhealthy and down, and alerts until it recovers', async () => {
    await start();
    await get('/boom', 20);
    await until(() => monitor.getFindings().length > 0);
    expect(await health()).toEqual({
      state: 'unhealthy',
      sentence: expect.stringMatching(BOOM),
    });
    expect([await indicated(), await indicated('down')]).toEqual(['degraded', 'down']);
    await evaluate(0, 25);
    expect(alerts).toEqual([]);
    await evaluate(30, 60);
    expect(alerts).toEqual([
      'critical http firing: 100 % of 20 http operations in the last minute failed (threshold 50 %), ' +
        'most often GET /boom (20 of 20)',
    ]);

    broken = false;
    await get('/boom', 25);
    // 20 of 45 are below 50 %, but above the hysteresis of the alert.
    await evaluate(65, 65);
    expect(alerts).toHaveLength(1);
    await get('/boom', 10);
    expect(await indicated()).toBe('up');
    await evaluate(70, 70);
    expect(alerts.slice(1)).toEqual([
      'critical http resolved: 36.4 % of 55 http operations in the last minute failed (threshold 50 %)',
    ]);
    expect((await health()).state).toBe('healthy');
  });

  it('with one failing route is unhealthy, and alerts', async () => {
    await start();
    await get('/fine', 100);
    await get('/boom', 20);
    await until(() => monitor.getFindings().length > 0);
    expect((await health()).sentence).toMatch(BOOM);
    expect(await indicated()).toBe('degraded');
    await evaluate(0, 30);
    expect(alerts).toEqual([
      'critical GET /boom firing: 100 % of 20 GET /boom operations in the last minute failed (threshold 50 %)',
    ]);
  });

  it('with one failing route keeps alerting while all routes fail temporarily', async () => {
    await start();
    await get('/boom', 20);
    await get('/fine', 20);
    for (let second = 0; second < 45; second += 10) {
      // Half of the requests fail, then one more than half.
      await evaluate(second, second);
      await get('/boom', 1);
      await evaluate(second + 5, second + 5);
      await get('/fine', 1);
    }
    expect(alerts).toEqual([
      'critical GET /boom firing: 100 % of 23 GET /boom operations in the last minute failed (threshold 50 %)',
    ]);
  });

  it('with failures only in the background is unhealthy, and warns', async () => {
    await start();
    await get('/background', 20);
    expect(await health()).toEqual({
      state: 'unhealthy',
      sentence: 'write fails: 20 of 20 operations in the last minute failed.',
    });
    expect(await indicated()).toBe('degraded');
    await evaluate(0, 30);
    expect(alerts).toEqual([
      'warning audit firing: 100 % of 20 audit operations in the last minute failed (threshold 50 %), most often write (20 of 20)',
    ]);
  });

  it('resolves its alert and is no longer unhealthy when its traffic ends', async () => {
    await start();
    await get('/boom', 20);
    await evaluate(0, 30);
    expect(alerts).toHaveLength(1);
    const clock = performance.now() + 90 * SECOND;
    jest.spyOn(performance, 'now').mockImplementation(() => clock);
    await evaluate(95, 95);
    expect(alerts.slice(1)).toEqual(['critical http resolved: No http operations in the last minute']);
    expect((await health()).state).toBe('healthy');
    expect(await indicated()).toBe('up');
  });

  it('is not unhealthy because of 404 responses', async () => {
    await start();
    await get('/missing/1', 25);
    await get('/nowhere', 25);
    await expectSilence();
    expect(application.operation('find')).toMatchObject({ errorCount: 25, expectedErrorCount: 25 });
  });

  it('is unhealthy because of outgoing calls that return 503, but not 404', async () => {
    await start();
    answer = 404;
    await get('/calls', 20);
    await expectSilence();
    const calls = application.monitor.getStats().byType['external'];
    expect(calls).toMatchObject({ count: 20, errorCount: 20, expectedErrorCount: 20 });
    answer = 503;
    await get('/calls', 30);
    expect((await health()).sentence).toBe(
      'GET 127.0.0.1 fails: 30 of 50 operations in the last minute failed.',
    );
  });

  it('is not judged by 19 errors', async () => {
    await start();
    await get('/boom', 19);
    expect(await health()).toEqual({
      state: 'idle',
      sentence: 'Too few operations to judge: 19 of 19 requests in the last minute returned an error.',
    });
    await expectSilence();
  });

  it('is healthy with 1 % errors', async () => {
    await start();
    await get('/fine', 198);
    await get('/boom', 2);
    expect(await health()).toEqual({
      state: 'healthy',
      sentence: '200 operations in the last minute, 2 of them failed. No action needed.',
    });
    await expectSilence();
  });

  it('is healthy if only an ignored path fails', async () => {
    await start();
    await get('/ignored', 25);
    await get('/fine', 20);
    expect((await health()).state).toBe('healthy');
    await expectSilence();
  });

  it('is healthy if its clients disconnect', async () => {
    await start();
    for (let i = 0; i < 25; i++) {
      // Without an outgoing call, which would fail.
      const gone = connect(Number(new URL(application.url).port), '127.0.0.1');
      gone.write('GET /forever HTTP/1.1\r\nHost: localhost\r\n\r\n');
      reached = () => gone.destroy();
      await until(() => count() === i + 1);
    }
    expect((await health()).state).toBe('healthy');
    expect(application.operation('wait')).toMatchObject({ errorCount: 25, expectedErrorCount: 25 });
    await expectSilence();
  });

  it('is idle without operations', async () => {
    await start();
    expect((await health()).state).toBe('idle');
    await expectSilence();
  });
});
