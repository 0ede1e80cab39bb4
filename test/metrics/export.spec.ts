import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { metrics as metricsApi, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { startApplication, type TestApplication, until } from '../support/application.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';

let application: TestApplication | undefined;
let receiver: OtlpReceiver;
beforeEach(async () => {
  receiver = await OtlpReceiver.start();
});
afterEach(async () => {
  await application?.app.close();
  application = undefined;
  receiver.stop();
});

async function start(options: PerformanceOptions): Promise<PerformanceMonitor> {
  application = await startApplication(
    'express',
    {},
    { serviceName: 'shop', serviceVersion: '2.0.0', ...options },
  );
  return application.app.get(PerformanceMonitor);
}

const record = (monitor: PerformanceMonitor, durationMs: number, name = 'rebuild', type = 'job'): void =>
  void monitor.record({ type, name, durationMs, thresholdMs: 100, error: false });

describe('metrics by OTLP', () => {
  it('are exponential histograms with every operation, counters and gauges', async () => {
    const monitor = await start({ metrics: { endpoint: receiver.endpoint, intervalSeconds: 0.1 } });
    const durations = [1, 2, 3, 50, 250.5, 4000];
    for (const ms of durations) record(monitor, ms);
    await until(() => receiver.points('nodejs.eventloop.delay.max').length > 0);
    const [point] = receiver.points('performance.operation.duration');
    expect(point).toMatchObject({
      kind: 'exponentialHistogram',
      unit: 's',
      attributes: { 'performance.operation.type': 'job', 'performance.operation.name': 'rebuild' },
      count: durations.length,
      sum: 4.3065,
      max: 4,
    });
    expect(point?.min).toBeCloseTo(0.001, 9);
    expect(point?.bucketCounts?.reduce((sum, count) => sum + count, 0)).toBe(durations.length);
    const base = 2 ** (2 ** -(point?.scale ?? 0));
    const filled = (point?.bucketCounts ?? []).flatMap((count, index) => (count > 0 ? [index] : []));
    // Each lies in its bucket, give or take what is counted in: 1.6 %.
    for (const [index, ms] of durations.entries()) {
      const upper = base ** ((point?.offset ?? 0) + (filled[index] ?? 0) + 1);
      expect(ms / 1000).toBeLessThan(upper * 1.016);
      expect(ms / 1000).toBeGreaterThan(upper / base / 1.016);
    }
    expect(receiver.metricsResource).toMatchObject({
      'service.name': 'shop',
      'service.version': '2.0.0',
      'service.instance.id': expect.stringMatching(/^.+-\d+-[0-9a-f]{12}$/),
    });
    expect(receiver.points('performance.slow.operations')).toEqual([
      expect.objectContaining({ kind: 'sum', isMonotonic: true, value: 2 }),
    ]);
    expect(receiver.points('v8js.memory.heap.used')).toEqual([
      expect.objectContaining({ kind: 'sum', isMonotonic: false, unit: 'By' }),
    ]);
    expect(receiver.points('nodejs.eventloop.delay.max')[0]?.kind).toBe('gauge');
  });

  it('start over after a reset, with its time', async () => {
    const monitor = await start({ metrics: { endpoint: receiver.endpoint, intervalSeconds: 0.1 } });
    record(monitor, 1);
    record(monitor, 1);
    await until(() => receiver.points('performance.operation.duration')[0]?.count === 2);
    const before = receiver.points('performance.operation.duration')[0]?.startTime ?? 0;
    monitor.resetStats();
    record(monitor, 1);
    await until(() => receiver.points('performance.operation.duration')[0]?.count === 1);
    expect(receiver.points('performance.operation.duration')[0]?.startTime).toBeGreaterThan(before);
  });

  it('are histograms with explicit buckets if configured', async () => {
    const monitor = await start({
      metrics: { endpoint: receiver.endpoint, intervalSeconds: 0.1, histograms: 'explicit' },
    });
    record(monitor, 20);
    record(monitor, 20_000);
    await until(() => receiver.points('performance.operation.duration').length > 0);
    const [point] = receiver.points('performance.operation.duration');
    expect(point).toMatchObject({ kind: 'histogram', count: 2 });
    expect(point?.explicitBounds?.slice(0, 3)).toEqual([0.005, 0.01, 0.025]);
    expect(point?.bucketCounts).toEqual([0, 0, 1, ...new Array(11).fill(0), 1]);
  });

  it('go out once more at shutdown, to the endpoint of the traces where there is no other', async () => {
    const monitor = await start({ tracing: { endpoint: receiver.endpoint } });
    record(monitor, 7);
    expect(receiver.metricRequests).toHaveLength(0);
    await application?.app.close();
    application = undefined;
    expect(receiver.points('performance.operation.duration')[0]?.count).toBe(1);
    expect(receiver.spans).toHaveLength(0);
  });

  it('come in several requests when there are many series', async () => {
    const monitor = await start({ metrics: { endpoint: receiver.endpoint, intervalSeconds: 3600 } });
    for (let index = 0; index < 450; index++) record(monitor, 5, `job-${index}`);
    await application?.app.close();
    application = undefined;
    expect(receiver.points('performance.operation.duration')).toHaveLength(450);
    expect(receiver.metricRequests.length).toBeGreaterThanOrEqual(9);
    for (const points of receiver.metricRequests) expect(points.length).toBeLessThanOrEqual(50);
  });

  it('are no longer sent to a receiver that only supports traces, with one warning', async () => {
    receiver.stop();
    receiver = await OtlpReceiver.start(0, { metrics: false });
    await start({ tracing: { endpoint: receiver.endpoint }, metrics: { intervalSeconds: 0.1 } });
    const warnings = (): number =>
      application?.logged.filter(({ message }) => message.includes('takes no metrics')).length ?? 0;
    await until(() => warnings() > 0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(warnings()).toBe(1);
  });

  it('warn once without a receiver, and do not delay the shutdown', async () => {
    receiver.stop();
    await start({ metrics: { endpoint: receiver.endpoint, intervalSeconds: 0.1 } });
    const warnings = (): string[] | undefined =>
      application?.logged
        .filter(({ message }) => message.startsWith('Metrics cannot be exported'))
        .map(({ message }) => message);
    await until(() => (warnings()?.length ?? 0) > 0, 15_000);
    const began = Date.now();
    await application?.app.close();
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(warnings()).toHaveLength(1);
    application = undefined;
  }, 40_000);

  it.each([
    ['off', { metrics: { enabled: false } }],
    ['of an application that is off', { enabled: false }],
  ])('are not sent where they are %s', async (_what, options) => {
    await start({ tracing: { endpoint: receiver.endpoint }, ...options });
    await application?.app.close();
    application = undefined;
    expect(receiver.metricRequests).toHaveLength(0);
  });
});

describe('metrics of an application with a meter provider', () => {
  let exporter: InMemoryMetricExporter;
  let provider: MeterProvider;
  beforeEach(() => {
    exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    provider = new MeterProvider({
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    });
    metricsApi.setGlobalMeterProvider(provider);
  });
  afterEach(async () => {
    metricsApi.disable();
    await provider.shutdown();
  });

  const collect = async () => {
    exporter.reset();
    await provider.forceFlush();
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    return metrics.flatMap((scope) => scope.metrics);
  };
  const points = async (name: string) => {
    // An instrumentation may have one of the same name.
    const found = (await collect()).filter(({ descriptor }) => descriptor.name === name);
    return found.flatMap(({ dataPoints }) => dataPoints as unknown[]) as {
      attributes: object;
      value: { count: number } | number;
    }[];
  };

  it('go to it, and not to our receiver', async () => {
    const monitor = await start({ metrics: { endpoint: receiver.endpoint, intervalSeconds: 0.1 } });
    record(monitor, 10);
    record(monitor, 2000);
    await fetch(`${application?.url}/nowhere`);
    await until(() => application?.operation('GET (unmatched)') !== undefined);
    expect(await points('performance.operation.duration')).toContainEqual(
      expect.objectContaining({
        attributes: { 'performance.operation.type': 'job', 'performance.operation.name': 'rebuild' },
        value: expect.objectContaining({ count: 2, sum: 2.01 }),
      }),
    );
    expect(await points('performance.slow.operations')).toEqual([
      expect.objectContaining({
        value: 1,
        attributes: expect.objectContaining({ 'performance.cause': 'unknown' }),
      }),
    ]);
    const [served] = await points('http.server.request.duration');
    expect(served).toMatchObject({
      attributes: { 'http.request.method': 'GET', 'http.response.status_code': 404, 'url.scheme': 'http' },
      value: { count: 1 },
    });
    const kinds = new Map(
      (await collect()).map(({ descriptor, dataPointType }) => [descriptor.name, dataPointType]),
    );
    expect(kinds.get('process.cpu.time')).toBe(DataPointType.SUM);
    expect(kinds.get('performance.trends')).toBe(DataPointType.GAUGE);
    expect(receiver.metricRequests).toHaveLength(0);
  });

  it('leave out what an instrumentation of OpenTelemetry measures by the same name', async () => {
    const monitor = await start({});
    const span = (scope: string) => {
      const started = trace.getTracer(scope).startSpan('GET', {
        kind: 2,
        attributes: { 'http.request.method': 'GET', 'server.address': 'api.test', 'server.port': 443 },
      });
      started.setAttribute('http.response.status_code', 200);
      started.end();
    };
    span('@opentelemetry/instrumentation-undici');
    span('a-client-of-ours');
    expect(monitor.getStats().byType['external']?.count).toBe(2);
    expect(await points('http.client.request.duration')).toEqual([
      expect.objectContaining({ value: expect.objectContaining({ count: 1 }) }),
    ]);
  });

  it('receive nothing after shutdown', async () => {
    const monitor = await start({});
    record(monitor, 10);
    const spent = async () => (await points('process.cpu.time')).map(({ value }) => value);
    const before = await spent();
    expect(before).toHaveLength(2);
    await application?.app.close();
    application = undefined;
    // The provider keeps exporting the last values.
    expect(await spent()).toEqual(before);
    expect(monitor.metrics.instruments).toBeUndefined();
  });
});
