import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { AlertEvaluator } from '../../lib/alerting/alert-evaluator.js';
import { Findings } from '../../lib/explain/findings.js';
import { exposition } from '../../lib/metrics/exposition.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { GcPauses } from '../../lib/process/gc-pauses.js';
import { type ParsedMetrics, parseOpenMetrics } from '../endpoint/openmetrics-parser.js';

function scrape({ metrics }: PerformanceMonitor): ParsedMetrics {
  return parseOpenMetrics([...exposition(metrics.list(), metrics.target, 'openmetrics')].join(''));
}

interface Parts {
  readonly statistics: { history(type: string, name: string): { baseline: object } };
}

describe('the findings that are counted', () => {
  const seen = (fingerprint: string, ms: number) =>
    ({
      type: 'n_plus_one',
      fingerprint,
      route: 'GET /albums',
      repetitions: 5,
      ms,
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      explanation: '',
    }) as const;

  it('count each time, those that made room among them', () => {
    const findings = new Findings(2, () => {});
    for (let index = 0; index < 10; index++)
      findings.observe(seen(`statement ${index}`, 100), undefined, index);
    findings.observe(seen('another', 5000), undefined, 11);
    expect(findings.list()).toHaveLength(2);
    expect(findings.counts()).toMatchObject([
      { type: 'n_plus_one', severity: 'warning', count: 10, timestamp: 9 },
      { type: 'n_plus_one', severity: 'critical', count: 1, ms: 5000 },
    ]);
    findings.clear();
    expect(findings.counts()).toEqual([]);
  });

  it('have the trace of the latest operation as exemplar', async () => {
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    monitor.analyzer.findings.observe(seen('statement', 100), undefined, 1000);
    const labels = { performance_finding_type: 'n_plus_one', performance_finding_severity: 'warning' };
    const parsed = scrape(monitor);
    expect(parsed.value('performance_findings_total', labels)).toBe(1);
    expect(parsed.exemplars('performance_findings_total', labels)).toEqual([
      { labels: { trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) }, value: 0.1, timestamp: 1 },
    ]);
    await monitor.shutdown();
  });
});

describe('the rules of alerts', () => {
  it('are 1 while they fire', () => {
    let value = 0;
    const evaluator = new AlertEvaluator(
      [
        {
          name: 'rule',
          severity: 'critical',
          forMs: 10,
          keepFiringMs: 0,
          labels: {},
          unit: '%',
          threshold: 10,
          resolveBelow: 8,
          read: () => [{ value }],
          describe: () => '',
        },
      ],
      () => {},
    );
    const firing = (now: number, next: number): boolean[] => {
      value = next;
      evaluator.evaluate(now);
      return [...evaluator.rules()].map((rule) => rule.firing);
    };
    expect([firing(0, 5), firing(10, 50), firing(20, 50), firing(30, 50), firing(40, 5)]).toEqual([
      [false],
      [false],
      [true],
      [true],
      [false],
    ]);
    expect([...evaluator.rules()]).toMatchObject([{ rule: 'rule', severity: 'critical' }]);
  });

  it('are absent if alerts are disabled', async () => {
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    expect(scrape(monitor).samples.filter(({ name }) => name === 'performance_alerts')).toEqual([]);
    await monitor.shutdown();
    const alerting = new PerformanceMonitor();
    expect(
      scrape(alerting).samples.filter(({ name }) => name === 'performance_alerts').length,
    ).toBeGreaterThan(3);
    await alerting.shutdown();
  });
});

describe('the baseline ratio', () => {
  it('is the median of the last hour divided by the baseline p50, once there is enough data', async () => {
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    const record = (times: number): void => {
      for (let index = 0; index < times; index++)
        monitor.record(
          { type: 'job', name: 'rebuild', durationMs: 100, thresholdMs: undefined, error: false },
          performance.now(),
        );
    };
    const ratio = (): number | undefined =>
      scrape(monitor).value('performance_baseline_ratio', {
        performance_operation_type: 'job',
        performance_operation_name: 'rebuild',
      });
    record(100);
    expect(ratio()).toBeUndefined();
    const { statistics } = (monitor as unknown as { parts: Parts }).parts;
    statistics.history('job', 'rebuild').baseline = { p50Ms: 50, p95Ms: 90, p99Ms: 99, count: 1000 };
    expect(ratio()).toBeCloseTo(2, 1);
    monitor.resetStats();
    record(10);
    statistics.history('job', 'rebuild').baseline = { p50Ms: 50, p95Ms: 90, p99Ms: 99, count: 1000 };
    expect(ratio()).toBeUndefined();
    await monitor.shutdown();
  });
});

describe('pauses of the collector', () => {
  it('have the type of the collection', async () => {
    const pauses = new GcPauses();
    pauses.start();
    let garbage: unknown[] = [];
    for (let index = 0; index < 3_000_000; index++) {
      garbage.push({ index });
      if (garbage.length > 10_000) garbage = [];
    }
    await turn();
    pauses.refresh();
    pauses.stop();
    const minor = pauses.byType.get('minor');
    expect(minor?.count).toBeGreaterThan(0);
    let count = 0;
    let sum = 0;
    for (const latencies of pauses.byType.values()) {
      count += latencies.count;
      sum += latencies.sum;
    }
    expect(count).toBe(pauses.count);
    expect(sum).toBeCloseTo(pauses.totalMs, 6);
  });
});
