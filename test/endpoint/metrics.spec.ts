import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Param } from '@nestjs/common';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { metricsFormat } from '../../lib/nest/endpoint/accept.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { PLATFORMS, startApplication, type TestApplication } from '../support/application.js';
import { hasPrometheus } from '../support/prometheus.js';
import { parseOpenMetrics } from './openmetrics-parser.js';

const TOKEN = 'sixteen-characters';
const PROMETHEUS =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

@Controller('items')
class Items {
  @Get('slow')
  slow(): Promise<string> {
    return new Promise((resolve) => setTimeout(() => resolve('done'), 60));
  }

  @Get('failing')
  failing(): never {
    throw new Error('no');
  }

  @Get(':id')
  one(@Param('id') id: string): { id: string } {
    return { id };
  }
}

describe.each(PLATFORMS)('the endpoint of the metrics on %s', (platform) => {
  let application: TestApplication | undefined;
  afterEach(async () => {
    // Shutdown would wait for a spare connection of `fetch`.
    application?.app.getHttpServer().closeAllConnections();
    await application?.app.close();
    application = undefined;
  });

  const start = async (options: PerformanceOptions = {}): Promise<PerformanceMonitor> => {
    application = await startApplication(
      platform,
      { controllers: [Items] },
      { serviceName: 'shop', serviceVersion: '2.0.0', httpThresholdMs: 40, ...options },
    );
    return application.app.get(PerformanceMonitor);
  };
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${application?.url}${path}`, { headers });
  const scrape = async (accept = PROMETHEUS): Promise<string> =>
    (await get('/performance/metrics', { accept })).text();

  it('is compressed if accepted, and has its length otherwise', async () => {
    await start();
    const plain = await get('/performance/metrics', { 'accept-encoding': 'identity, gzip;q=0' });
    expect(plain.headers.get('content-encoding')).toBeNull();
    const text = await plain.text();
    expect(plain.headers.get('content-length')).toBe(`${Buffer.byteLength(text)}`);
    const compressed = await get('/performance/metrics', { 'accept-encoding': 'br;q=1, gzip;q=0.5' });
    expect(compressed.headers.get('content-encoding')).toBe('gzip');
    for (const whole of [text, await compressed.text()]) {
      expect(whole).toMatch(/^# HELP /);
      expect(whole).toMatch(/\ntarget_info\{.*\} 1\n/);
      expect(whole.endsWith('\n')).toBe(true);
    }
  });

  it('contains requests by route and status in OpenMetrics, with exemplars of slow ones', async () => {
    const monitor = await start();
    for (const id of ['1', '2', '3']) await get(`/items/${id}`);
    await get('/items/failing');
    await get('/items/slow');
    const response = await get('/performance/metrics', { accept: PROMETHEUS });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    );
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('vary')).toContain('Accept');
    expect(response.headers.get('content-encoding')).toBe('gzip');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const metrics = parseOpenMetrics(await response.text());
    const requests = (labels: Record<string, string>): number | undefined =>
      metrics.value('http_server_request_duration_seconds_count', labels);
    const ok = { http_request_method: 'GET', http_response_status_code: '200', url_scheme: 'http' };
    expect(requests({ ...ok, http_route: '/items/:id' })).toBe(3);
    expect(
      requests({
        ...ok,
        http_route: '/items/failing',
        http_response_status_code: '500',
        error_type: '500',
      }),
    ).toBe(1);
    const [slow] = monitor.getSlowOperations({ type: 'http' });
    expect(slow?.name).toBe('GET /items/slow');
    for (const [name, labels] of [
      ['http_server_request_duration_seconds_bucket', { ...ok, http_route: '/items/slow' }],
      [
        'performance_operation_duration_seconds_bucket',
        { performance_operation_type: 'http', performance_operation_name: 'GET /items/slow' },
      ],
      [
        'performance_slow_operations_total',
        {
          performance_operation_type: 'http',
          performance_operation_name: 'GET /items/slow',
          performance_cause: slow?.cause,
        },
      ],
    ] as const) {
      const [exemplar] = metrics.exemplars(name, labels as Record<string, string>);
      expect(exemplar).toMatchObject({
        labels: { trace_id: slow?.traceId, span_id: slow?.spanId },
        value: (slow?.durationMs ?? 0) / 1000,
      });
    }
    expect(
      metrics.value('target_info', { service_name: 'shop', service_version: '2.0.0' }, { partly: true }),
    ).toBe(1);
    expect(metrics.value('performance_dropped_total', { reason: 'operations' })).toBe(0);
    expect(metrics.value('process_memory_usage_bytes', {})).toBeGreaterThan(10_000_000);
    expect(metrics.value('process_cpu_time_seconds_total', { cpu_mode: 'user' })).toBeGreaterThan(0);
    expect(metrics.value('v8js_memory_heap_limit_bytes', {})).toBeGreaterThan(10_000_000);
  });

  it('returns plain text by default', async () => {
    await start();
    await get('/items/slow');
    const response = await get('/performance/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    expect(text).not.toContain('# EOF');
    expect(text).not.toContain('trace_id');
    expect(text).toContain('# TYPE performance_slow_operations_total counter\n');
  });

  it('increases, and restarts after a reset', async () => {
    const monitor = await start();
    const labels = { performance_operation_type: 'http', performance_operation_name: 'GET /items/:id' };
    const count = async (): Promise<number | undefined> =>
      parseOpenMetrics(await scrape()).value('performance_operation_duration_seconds_count', labels);
    for (let expected = 1; expected <= 3; expected++) {
      await get('/items/7');
      expect(await count()).toBe(expected);
    }
    monitor.resetStats();
    expect(await count()).toBeUndefined();
    expect(await scrape()).not.toContain('/items/:id');
    await get('/items/7');
    expect(await count()).toBe(1);
  });

  it('excludes its own requests', async () => {
    await start();
    await scrape();
    expect(await scrape()).not.toContain('performance/metrics');
  });

  it('returns 404 if metrics are disabled', async () => {
    await start({ metrics: { enabled: false } });
    const response = await get('/performance/metrics');
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('the option metrics.enabled is false');
  });

  it('requires access to the endpoint', async () => {
    await start();
    for (const [name, value] of [
      ['x-forwarded-for', '10.0.0.1'],
      ['origin', 'https://evil.example'],
    ] as const)
      expect((await get('/performance/metrics', { [name]: value })).status).toBe(403);
    await application?.app.close();
    await start({ endpoint: { token: TOKEN } });
    const refused = await get('/performance/metrics');
    expect(refused.status).toBe(403);
    expect(await refused.text()).not.toContain('target_info');
    expect((await get('/performance/metrics', { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });
});

describe('the format of a scrape', () => {
  it.each([
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    [PROMETHEUS, 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text;version=2.0.0', 'text'],
    ['application/openmetrics-text;q=0.3, text/plain;q=0.7', 'text'],
    ['text/plain;version=0.0.4', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text;q=none', 'text'],
  ] as const)('for %s is %s', (accept, format) => {
    expect(metricsFormat(accept)).toBe(format);
  });

  it('ignores the end of a long header', () => {
    expect(metricsFormat(`${'x,'.repeat(5000)}application/openmetrics-text`)).toBe('text');
  });
});

const described = hasPrometheus() ? describe : describe.skip;
described('promtool', () => {
  let application: TestApplication;
  beforeAll(async () => {
    application = await startApplication('express', { controllers: [Items] }, { httpThresholdMs: 40 });
    await fetch(`${application.url}/items/slow`);
  });
  afterAll(() => application.app.close());

  it('accepts the plain text', async () => {
    const text = await (await fetch(`${application.url}/performance/metrics`)).text();
    expect(execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })).toBe('');
  });
});
