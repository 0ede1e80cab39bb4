import METRICS from '../../deploy/metric-names.json';
import { dashboardExpressions, parse, ruleExpressions, rules } from './expressions.js';

const EXPRESSIONS = [...dashboardExpressions('shop'), ...ruleExpressions()];
const RECORDED = rules().flatMap(({ record }) => record ?? []);
/** What Prometheus itself adds to what it scrapes. */
const ADDED = ['job', 'instance', 'le', '__name__', 'otel_metric_overflow'];

/** The series that a metric of the table is scraped as, with their labels. */
const SERIES: Record<string, readonly string[]> = Object.fromEntries(
  Object.entries(METRICS).flatMap(([name, { type, labels }]) =>
    (type === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']).map((suffix) => [name + suffix, labels]),
  ),
);

describe('the PromQL of the dashboards and the rules', () => {
  test.each(EXPRESSIONS)('$where is PromQL on metrics that there are', ({ text, where }) => {
    const { selectors, labels } = parse(text);
    for (const { metric, labels: asked } of selectors) {
      if (metric === undefined || metric === 'up') continue;
      if (RECORDED.includes(metric)) continue;
      expect([where, Object.keys(SERIES)]).toEqual([where, expect.arrayContaining([metric])]);
      expect([...(SERIES[metric] ?? []), ...ADDED]).toEqual(expect.arrayContaining([...asked]));
    }
    const known = [...Object.values(SERIES).flat(), ...ADDED];
    expect(known).toEqual(expect.arrayContaining(labels));
  });

  test('uses every metric of the table somewhere', () => {
    const used = EXPRESSIONS.flatMap(({ text }) => parse(text).selectors.map(({ metric }) => metric));
    const unused = Object.keys(METRICS).filter((name) => !used.some((metric) => metric?.startsWith(name)));
    expect(unused).toEqual([]);
  });

  test('records nothing that nobody reads', () => {
    const used = EXPRESSIONS.flatMap(({ text }) => parse(text).selectors.map(({ metric }) => metric));
    expect(RECORDED.filter((name) => !used.includes(name))).toEqual([]);
  });

  test('a parser that accepts anything would show nothing', () => {
    expect(() => parse('sum by (job (rate(up[5m]))')).toThrow('no PromQL');
    expect(parse('rate(up{job="a"}[5m]) > 0').selectors).toEqual([
      { text: 'up{job="a"}', metric: 'up', labels: ['job'] },
    ]);
  });
});
