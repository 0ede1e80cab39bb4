import { describe, expect, it } from '@jest/globals';
import { INVALID_SPAN_CONTEXT, trace } from '@opentelemetry/api';
import { exposition } from '../../lib/metrics/exposition.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { type ParsedMetrics, parseOpenMetrics } from '../endpoint/openmetrics-parser.js';

const OVERFLOW = { otel_metric_overflow: 'true' };

function monitorOf(options: PerformanceOptions = {}): PerformanceMonitor {
  return new PerformanceMonitor({ alerts: { enabled: false }, ...options });
}

function scrape({ metrics }: PerformanceMonitor): ParsedMetrics {
  return parseOpenMetrics([...exposition(metrics.list(), metrics.target, 'openmetrics')].join(''));
}

function record(
  monitor: PerformanceMonitor,
  type: string,
  name: string,
  attributes: Record<string, unknown> = {},
  { durationMs = 5, error = false, status = undefined as number | undefined } = {},
): void {
  const span = Object.assign(trace.wrapSpanContext(INVALID_SPAN_CONTEXT), { attributes });
  const http = status === undefined ? undefined : { statusCode: status, evidence: () => ({}) };
  monitor.record({ type, name, durationMs, thresholdMs: 1000, error, span, http });
}

/** The series of a metric. */
function series(parsed: ParsedMetrics, name: string): number {
  return parsed.samples.filter((sample) => sample.name === name).length;
}

describe('the number of series', () => {
  it('is bounded whatever the names, statuses and ports', async () => {
    const monitor = monitorOf({ metrics: { maxSeries: 200 }, detection: { maxOperations: 5000 } });
    const total = 4000;
    for (let index = 0; index < total; index++) {
      record(monitor, 'http', `GET /r${index}`, { 'url.scheme': 'http' }, { status: 200 + (index % 7) });
      record(monitor, 'database', `SELECT t${index}`, { 'db.system.name': 'postgresql' });
      record(monitor, 'external', `GET h${index}`, { 'http.request.method': 'GET', 'server.port': index });
      record(monitor, 'calculation', `c${index}`, {}, { durationMs: 5000 });
    }
    const parsed = scrape(monitor);
    const counts = [
      'http_server_request_duration_seconds_count',
      'http_client_request_duration_seconds_count',
      'db_client_operation_duration_seconds_count',
      'performance_slow_operations_total',
      'performance_operation_duration_seconds_count',
    ];
    const all = counts.reduce((sum, name) => sum + series(parsed, name), 0);
    // Each of the five has one more for what had no room, and the statistics one for each type.
    expect(all).toBeLessThanOrEqual(200 + counts.length + 4);
    expect(all).toBeGreaterThanOrEqual(200);
    for (const name of counts) {
      const told = parsed.samples.filter((sample) => sample.name === name);
      expect([name, parsed.value(name, OVERFLOW)]).toEqual([name, expect.any(Number)]);
      const factor = name.startsWith('performance_operation') ? 4 : 1;
      expect(told.reduce((sum, { value }) => sum + value, 0)).toBe(total * factor);
    }
    await monitor.shutdown();
  });

  it('is bounded for one name, too, so that it is found fast', async () => {
    const monitor = monitorOf();
    for (let port = 0; port < 1000; port++)
      record(monitor, 'external', 'GET localhost', { 'http.request.method': 'GET', 'server.port': port });
    const parsed = scrape(monitor);
    expect(series(parsed, 'http_client_request_duration_seconds_count')).toBe(51);
    expect(parsed.value('http_client_request_duration_seconds_count', OVERFLOW)).toBe(950);
    await monitor.shutdown();
  });

  it('keeps existing series, whatever the type of the next one', async () => {
    const monitor = monitorOf({ metrics: { maxSeries: 10 } });
    record(monitor, 'http', 'GET /first');
    for (let index = 0; index < 4; index++) record(monitor, 'calculation', `c${index}`);
    const name = 'performance_operation_duration_seconds_count';
    const own = { performance_operation_type: 'calculation', performance_operation_name: 'c3' };
    expect(scrape(monitor).value(name, own)).toBe(1);
    for (let index = 0; index < 20; index++) record(monitor, 'http', `GET /later${index}`);
    const parsed = scrape(monitor);
    expect(parsed.value(name, own)).toBe(1);
    expect(parsed.value(name, OVERFLOW)).toBe(20);
    await monitor.shutdown();
  });

  it('has room again after a reset', async () => {
    const monitor = monitorOf({ metrics: { maxSeries: 10 } });
    for (let index = 0; index < 20; index++) record(monitor, 'http', `GET /${index}`, {}, { status: 200 });
    monitor.resetStats();
    record(monitor, 'http', 'GET /new', {}, { status: 200 });
    expect(
      scrape(monitor).value('http_server_request_duration_seconds_count', {
        http_request_method: 'GET',
        http_route: '/new',
        http_response_status_code: '200',
      }),
    ).toBe(1);
    await monitor.shutdown();
  });

  it('counts nothing where metrics are off', async () => {
    const monitor = monitorOf({ metrics: { enabled: false } });
    record(monitor, 'http', 'GET /a', {}, { status: 200, durationMs: 5000 });
    const parsed = scrape(monitor);
    expect(series(parsed, 'http_server_request_duration_seconds_count')).toBe(0);
    expect(series(parsed, 'performance_slow_operations_total')).toBe(0);
    await monitor.shutdown();
  });
});

describe('the labels of the semantic conventions', () => {
  it.each([
    [
      'a served request',
      ['http', 'GET /users/:id', { 'url.scheme': 'https' }, { status: 200 }],
      'http_server_request_duration_seconds_count',
      {
        http_request_method: 'GET',
        http_route: '/users/:id',
        http_response_status_code: '200',
        url_scheme: 'https',
      },
    ],
    [
      'a request that failed, of no route',
      ['http', 'HTTP (unmatched)', {}, { status: 503, error: true }],
      'http_server_request_duration_seconds_count',
      { http_request_method: '_OTHER', http_response_status_code: '503', error_type: '503' },
    ],
    [
      'a status that another instrumentation put on its span',
      ['http', 'GET /a', { 'http.response.status_code': 404 }, {}],
      'http_server_request_duration_seconds_count',
      { http_request_method: 'GET', http_route: '/a', http_response_status_code: '404' },
    ],
    [
      'a statement',
      ['database', 'SELECT users', { 'db.system.name': 'postgresql' }, {}],
      'db_client_operation_duration_seconds_count',
      { db_system_name: 'postgresql', db_operation_name: 'SELECT', db_collection_name: 'users' },
    ],
    [
      'a command of a cache that failed',
      ['cache', 'GET', { 'db.system': 'redis' }, { error: true }],
      'db_client_operation_duration_seconds_count',
      { db_system_name: 'redis', db_operation_name: 'GET', error_type: '_OTHER' },
    ],
    [
      'an outgoing call',
      [
        'external',
        'POST api.test',
        {
          'http.request.method': 'POST',
          'server.address': 'api.test',
          'server.port': 443,
          'http.response.status_code': 429,
          'url.full': 'https://api.test/?key=secret',
        },
        { error: true },
      ],
      'http_client_request_duration_seconds_count',
      {
        http_request_method: 'POST',
        server_address: 'api.test',
        server_port: '443',
        http_response_status_code: '429',
        error_type: '429',
      },
    ],
    [
      'an outgoing call without an answer',
      [
        'external',
        'GET api.test',
        { 'http.request.method': 'GET', 'server.address': 'api.test' },
        { error: true },
      ],
      'http_client_request_duration_seconds_count',
      { http_request_method: 'GET', server_address: 'api.test', error_type: '_OTHER' },
    ],
  ] as const)('are those of %s', async (_what, [type, name, attributes, more], metric, labels) => {
    const monitor = monitorOf();
    record(monitor, type, name, attributes, more);
    const parsed = scrape(monitor);
    expect(parsed.samples.filter((sample) => sample.name === metric).map((sample) => sample.labels)).toEqual([
      labels,
    ]);
    await monitor.shutdown();
  });

  it('have no exemplar of a slow one that has no trace', async () => {
    const monitor = monitorOf();
    record(monitor, 'http', 'GET /a', {}, { status: 200, durationMs: 5000 });
    const parsed = scrape(monitor);
    expect(series(parsed, 'performance_slow_operations_total')).toBe(1);
    expect(parsed.samples.filter(({ exemplar }) => exemplar !== undefined)).toEqual([]);
    await monitor.shutdown();
  });

  it('keep apart what differs in one of them', async () => {
    const monitor = monitorOf();
    const database = (system: string, error: boolean): void =>
      record(monitor, 'database', 'SELECT users', { 'db.system.name': system }, { error });
    database('postgresql', false);
    database('postgresql', true);
    database('mysql', false);
    database('mysql', false);
    const counts = scrape(monitor)
      .samples.filter(({ name }) => name === 'db_client_operation_duration_seconds_count')
      .map(({ value }) => value);
    expect(counts).toEqual([1, 1, 2]);
    await monitor.shutdown();
  });
});
