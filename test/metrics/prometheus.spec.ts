import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { startApplication, type TestApplication } from '../support/application.js';
import { hasPrometheus, Prometheus } from '../support/prometheus.js';

const described = hasPrometheus() ? describe : describe.skip;
const HOSTILE = 'a "quoted" \\ back\nslash {x="1"} # <b>\u001b[31m é';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

described('a real Prometheus', () => {
  let application: TestApplication;
  let prometheus: Prometheus;
  let monitor: PerformanceMonitor;
  beforeAll(async () => {
    application = await startApplication(
      'express',
      {},
      {
        serviceName: 'shop',
        alerts: { enabled: true, slos: [{ name: 'fast', operation: 'job', objective: 0.99 }] },
        endpoint: { token: 'sixteen-characters' },
      },
    );
    monitor = application.app.get(PerformanceMonitor);
    prometheus = await Prometheus.start({
      targets: [new URL(application.url).host],
      token: 'sixteen-characters',
    });
  }, 40_000);
  afterAll(async () => {
    await prometheus?.stop();
    await application?.app.close();
  });

  const record = (name: string, durationMs: number, traced = false): void => {
    const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 };
    const span = traced ? trace.wrapSpanContext(context) : undefined;
    monitor.record({ type: 'calculation', name, durationMs, thresholdMs: 100, error: false, span });
  };
  const value = async (query: string): Promise<number | undefined> =>
    (await prometheus.query(query))[0]?.value;

  it('takes every sample, whatever the names', async () => {
    record(HOSTILE, 30);
    record('x'.repeat(10_000), 30);
    record('job', 700, true);
    collectGarbage();
    await prometheus.eventually(async () => (await prometheus.query('up == 1')).length === 1);
    await prometheus.eventually(
      async () =>
        (await value('performance_operation_duration_seconds_count{performance_operation_name="job"}')) === 1,
    );
    // There is no such series before the first collection.
    await prometheus.eventually(async () => ((await value('v8js_gc_duration_seconds_count')) ?? 0) > 0);
    expect(await prometheus.scrapeErrors()).toEqual(['']);
    const names = (await prometheus.query('performance_operation_duration_seconds_count')).map(
      ({ metric }) => metric['performance_operation_name'],
    );
    expect(names).toContain(HOSTILE);
    const long = names.find((name) => name?.startsWith('xxx')) ?? '';
    expect(long).toMatch(/^x+…$/);
    expect(long).toHaveLength(256);
    // What was scraped is what was stored: nothing was dropped as a duplicate or as out of order.
    expect(await value('scrape_samples_scraped')).toBe(await value('scrape_samples_post_metric_relabeling'));
    for (const name of [
      'target_info{service_name="shop"}',
      'performance_alerts{performance_alert_severity="critical"}',
      'performance_slow_operations_total{performance_cause="unknown"}',
      'performance_slo_burn_rate{performance_slo_name="fast",window="1h"}',
      'performance_slo_error_budget_remaining_ratio',
      'performance_dropped_total',
      'performance_leaks{performance_leak_memory="heap"}',
      'performance_regressions{performance_operation_type="calculation"}',
      'performance_trends',
      'v8js_memory_heap_used_bytes',
      'v8js_memory_heap_limit_bytes',
      'nodejs_eventloop_utilization_ratio',
      'nodejs_eventloop_delay_max_seconds',
      'process_cpu_time_seconds_total',
      'process_memory_usage_bytes',
    ]) {
      expect([name, (await prometheus.query(name)).length > 0]).toEqual([name, true]);
    }
  }, 40_000);

  it('keeps the exemplar of a slow one', async () => {
    const selector = 'performance_operation_duration_seconds_bucket{performance_operation_name="job"}';
    await prometheus.eventually(async () => (await prometheus.exemplars(selector)).length > 0);
    const [exemplar] = await prometheus.exemplars(selector);
    expect(exemplar).toMatchObject({
      labels: { trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) },
      value: 0.7,
    });
    expect(await prometheus.exemplars('performance_slow_operations_total')).toHaveLength(1);
  }, 40_000);

  it('sees monotonic counters, and buckets that give the percentile', async () => {
    for (let round = 0; round < 30; round++) {
      for (let index = 0; index < 20; index++) record('steady', 40 + index / 3);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const count = 'performance_operation_duration_seconds_count{performance_operation_name="steady"}';
    await prometheus.eventually(async () => (await value(count)) === 600);
    for (const counter of ['count', 'sum', 'bucket'])
      expect(
        await prometheus.query(`resets(performance_operation_duration_seconds_${counter}[1m]) > 0`),
      ).toEqual([]);
    const median = await value(
      'histogram_quantile(0.5, performance_operation_duration_seconds_bucket{performance_operation_name="steady"})',
    );
    expect(median).toBeGreaterThan(0.025);
    expect(median).toBeLessThanOrEqual(0.05);
  }, 40_000);
});
