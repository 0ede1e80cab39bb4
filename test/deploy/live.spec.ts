import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import METRICS from '../../deploy/metric-names.json';
import { hasPrometheus, Prometheus } from '../support/prometheus.js';
import {
  checkedIn,
  DEPLOY,
  dashboardExpressions,
  type Expression,
  parse,
  RULE_FILES,
  ruleExpressions,
} from './expressions.js';
import { type Shop, startShop, TOKEN } from './shop.js';

/** The job of `Prometheus.start`. */
const JOB = 'application';

/**
 * What no application has within a minute, with the test of the rules that proves what is made of it. That there is such
 * a metric is seen by its `# TYPE` in what is scraped.
 */
const TAKES_HOURS: Record<string, string> = {
  performance_baseline_ratio: 'recording.test.yml',
  'job_operation:performance_baseline_ratio:median': 'recording.test.yml',
};

const withPrometheus = hasPrometheus() ? describe : describe.skip;

withPrometheus('a Prometheus that scrapes an application', () => {
  let shops: Shop[] = [];
  let prometheus: Prometheus;
  let visits: NodeJS.Timeout;

  beforeAll(async () => {
    shops = [await startShop(), await startShop({ crowded: true })];
    prometheus = await Prometheus.start({
      targets: shops.map(({ url }) => new URL(url).host),
      ruleFiles: RULE_FILES,
      token: TOKEN,
    });
    visits = setInterval(() => {
      for (const shop of shops) shop.visit().catch(() => {});
    }, 700);
    // Rules are evaluated each second, one group after what it reads: the last ones of a chain tell that all are there.
    await prometheus.eventually(async () => {
      const found = await Promise.all([
        prometheus.query('job_type:performance_slow_operations:ratio_rate5m > 0'),
        prometheus.query('job:http_server_request_errors:ratio_rate5m > 0'),
        prometheus.query('rate(v8js_gc_duration_seconds_count[1m])'),
        prometheus.query('performance_findings_total'),
        prometheus.query('{otel_metric_overflow="true"}'),
      ]);
      return found.every((rows) => rows.length > 0);
    }, 40_000);
  }, 60_000);

  afterAll(async () => {
    clearInterval(visits);
    await prometheus?.stop();
    await Promise.all(shops.map((shop) => shop.close()));
  }, 30_000);

  test('reads every line of it', async () => {
    expect(await prometheus.scrapeErrors()).toEqual(['', '']);
  });

  test('finds the metrics of the table, of their types, and no others', async () => {
    const response = await fetch(`${shops[0]?.url}/performance/metrics`, {
      headers: { authorization: `Bearer ${TOKEN}`, accept: 'text/plain; version=0.0.4' },
    });
    const types = [...(await response.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    const scraped = Object.fromEntries(types.map(([, name, type]) => [name, type]));
    // Prometheus's older format has no type of what merely informs.
    const table = Object.entries(METRICS).map(([name, { type }]) => [name, type === 'info' ? 'gauge' : type]);
    expect(scraped).toEqual(Object.fromEntries(table));
  });

  test('finds no labels but those of the table', async () => {
    const added = ['__name__', 'job', 'instance', 'le', 'otel_metric_overflow'];
    for (const [name, { labels }] of Object.entries(METRICS)) {
      const rows = await prometheus.query(`{__name__=~"${name}(_bucket|_sum|_count)?"}`);
      const found = new Set(rows.flatMap(({ metric }) => Object.keys(metric)));
      expect([name, [...labels, ...added]]).toEqual([name, expect.arrayContaining([...found])]);
    }
  });

  test.each(dashboardExpressions(JOB))('has an answer for $where', async (expression) => {
    if (takesHours(expression)) return expectProof(expression);
    const rows = await prometheus.query(expression.text);
    expect([expression.text, rows.length > 0]).toEqual([expression.text, true]);
    const labels = new Set(rows.flatMap(({ metric }) => Object.keys(metric)));
    for (const [, label] of (expression.legend ?? '').matchAll(/\{\{(\w+)\}\}/g)) {
      expect([expression.where, [...labels]]).toEqual([
        expression.where,
        expect.arrayContaining([label as string]),
      ]);
    }
  });

  test.each(ruleExpressions().filter(({ where }) => where.startsWith('recording')))(
    'has an answer for $where',
    async (expression) => {
      if (takesHours(expression)) return expectProof(expression);
      expect((await prometheus.query(expression.text)).length).toBeGreaterThan(0);
    },
  );

  // Alerts have an answer only where something is ill, which alerting.test.yml proves: here all that they read is there.
  test.each(ruleExpressions().filter(({ where }) => where.startsWith('alert')))(
    'has what $where reads',
    async ({ text }) => {
      for (const { text: selector } of parse(text).selectors) {
        const rows = await prometheus.query(selector);
        expect([selector, rows.length > 0]).toEqual([selector, true]);
      }
    },
  );

  test('alerts of what ails the application, and of nothing else', async () => {
    const ails = ['PerformanceSlowRequests', 'PerformanceErrors', 'PerformanceSeriesOverflow'];
    const alerts = async (): Promise<unknown[]> =>
      (await prometheus.query('ALERTS')).map(({ metric }) => metric['alertname']);
    await prometheus.eventually(async () => {
      const names = await alerts();
      return ails.every((name) => names.includes(name));
    }, 40_000);
    const names = await alerts();
    for (const name of ['PerformanceInstanceDown', 'PerformanceHeapNearLimit', 'PerformanceLeak']) {
      expect(names).not.toContain(name);
    }
  }, 50_000);

  test('leads from the latencies to traces', async () => {
    const heatmap = checkedIn()['overview.json']?.panels.find(({ type }) => type === 'heatmap');
    expect(heatmap?.targets?.[0]?.exemplar).toBe(true);
    const title = `overview.json: ${heatmap?.title}`;
    const expression = dashboardExpressions(JOB).find(({ where }) => where === title);
    const exemplars = await prometheus.exemplars(expression?.text ?? '');
    expect(exemplars.length).toBeGreaterThan(0);
    for (const { labels } of exemplars) expect(labels['trace_id']).toMatch(/^[0-9a-f]{32}$/);
  });
});

function takesHours({ text }: Expression): boolean {
  return parse(text).selectors.some(({ metric }) => metric !== undefined && metric in TAKES_HOURS);
}

/** The test of the rules gives the metric a value and expects one of what is recorded from it. */
function expectProof({ text }: Expression): void {
  for (const { metric } of parse(text).selectors) {
    const file = TAKES_HOURS[metric ?? ''];
    if (file === undefined) continue;
    const proof = readFileSync(join(DEPLOY, 'prometheus', file), 'utf8');
    expect(proof).toContain(`${metric}{`);
  }
}
