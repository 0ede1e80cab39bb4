import { describe, expect, it } from '@jest/globals';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import { AlertEvaluator } from '../../lib/alerting/alert-evaluator.js';
import type { AlertOptions, AlertRuleOptions } from '../../lib/alerting/alert-options.js';
import { alertRules } from '../../lib/alerting/alert-rules.js';
import { type AlertSources, TickSources } from '../../lib/alerting/alert-sources.js';
import type { Regression } from '../../lib/baseline/regression.js';
import type { Finding } from '../../lib/explain/finding.js';
import type { Leak } from '../../lib/leaks/leak.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import type { Failures } from '../../lib/statistics/failures.js';
import { Statistics } from '../../lib/statistics/statistics.js';

const MB = 1024 * 1024;
const NOW = 1_000_000;
const QUIET: AlertSources = {
  types: () => [],
  type: () => undefined,
  operation: () => undefined,
  failing: () => [],
  heap: () => ({ used: 40, limit: 100 }),
  eventLoop: () => ({ utilization: 0.2, delayMaxMs: 12 }),
  leaks: () => [],
  regressions: () => [],
  findings: () => [],
  burnRates: () => [],
};

/** The alerts of one evaluation. */
function toldOf(alerts: AlertOptions, sources: Partial<AlertSources>): PerformanceAlert[] {
  const told: PerformanceAlert[] = [];
  const rules = alertRules(resolveOptions({ alerts }).alerts, { ...QUIET, ...sources });
  const errors: unknown[] = [];
  new AlertEvaluator(
    rules,
    (alert) => told.push(alert),
    (error) => errors.push(error),
  ).evaluate(NOW);
  expect(errors).toEqual([]);
  return told;
}
const summaries = (rule: AlertRuleOptions, sources: Partial<AlertSources>): string[] =>
  toldOf({ defaultRules: false, rules: [rule] }, sources).map(({ summary }) => summary);

/** Real statistics: 100 requests of 1 to 100 ms, of which some were slow and some failed. */
function statistics(slow = 10, failed = 4): Partial<AlertSources> {
  const counted = new Statistics(100);
  for (let i = 1; i <= 100; i++) counted.record('http', 'GET /a', i, i <= slow, i <= failed, NOW - 1000);
  for (let i = 1; i <= 10; i++) counted.record('database', 'SELECT a', 1, true, true, NOW - 1000);
  return {
    types: () => counted.types(),
    type: (type, window) => counted.typeSummary(type, window, NOW),
    operation: (name, window, type) => counted.operationSummary(name, window, NOW, type),
    failing: (window) => counted.failing(window, NOW),
  };
}

/** Real statistics of http operations: how many of each ended, failed, and failed as expected. */
function failures(operations: Record<string, [count: number, errors: number, expected?: number]>) {
  const counted = new Statistics(100);
  for (const [name, [count, errors, expected = 0]] of Object.entries(operations)) {
    for (let i = 0; i < count; i++)
      counted.record('http', name, 1, false, i < errors, NOW - 1000, undefined, i < expected);
  }
  return {
    types: () => counted.types(),
    type: (type: string, window: 'minute') => counted.typeSummary(type, window, NOW),
    failing: (window: 'minute'): Failures[] => counted.failing(window, NOW),
  } as Partial<AlertSources>;
}
const leak = (over: Partial<Leak> = {}): Leak => ({
  memory: 'heap',
  state: 'confirmed',
  since: 0,
  bytesPerHour: 30 * MB,
  usedBytes: 100 * MB,
  confidence: 0.99,
  suspects: [],
  explanation: 'The heap grows by 30 MB an hour',
  ...over,
});
const regression = (over: Partial<Regression> = {}): Regression => ({
  id: 'r1',
  type: 'http',
  name: 'GET /a',
  metric: 'latency',
  against: 'baseline',
  state: 'open',
  since: 0,
  detectedAt: 0,
  before: 10,
  now: 15,
  change: 0.5,
  interval: [0.4, 0.6],
  pValue: 1e-9,
  count: 500,
  parts: [],
  explanation: 'GET /a got slower',
  ...over,
});
const finding = (over: Partial<Finding> = {}): Finding => ({
  id: 'f1',
  type: 'n_plus_one',
  severity: 'warning',
  fingerprint: 'SELECT b',
  route: 'GET /a',
  count: 3,
  repetitions: 20,
  totalMs: 300,
  worstMs: 120,
  firstSeen: NOW,
  lastSeen: NOW,
  traceId: '',
  spanId: '',
  explanation: 'SELECT b ran 20 times',
  ...over,
});
const found = (...all: Finding[]): Partial<AlertSources> => ({
  findings: (type, since) => all.filter((each) => each.type === type && each.lastSeen >= since),
});

describe('each kind of rule', () => {
  it.each<[string, AlertRuleOptions, Partial<AlertSources>, string]>([
    [
      'slow_percentage by type',
      { kind: 'slow_percentage', threshold: 5 },
      statistics(),
      '10 % of 100 http operations in the last minute were slow (threshold 5 %)',
    ],
    [
      'error_rate of one operation',
      { kind: 'error_rate', threshold: 3, operation: 'GET /a', window: 'hour' },
      statistics(),
      '4 % of 100 GET /a operations in the last hour failed (threshold 3 %)',
    ],
    [
      'error_rate of one type with a low count',
      { kind: 'error_rate', threshold: 50, type: 'database', minCount: 10 },
      statistics(),
      '100 % of 10 database operations in the last minute failed (threshold 50 %)',
    ],
    [
      'latency',
      { kind: 'latency', percentile: 'p50', thresholdMs: 40, type: 'http' },
      statistics(),
      expect.stringMatching(
        /^The p50 of 100 http operations in the last minute is \d+(\.\d)? ms \(threshold 40 ms\)$/,
      ) as never,
    ],
    [
      'heap_used',
      { kind: 'heap_used', threshold: 80 },
      { heap: () => ({ used: 81, limit: 100 }) },
      'The heap uses 81 % of its limit (threshold 80 %)',
    ],
    [
      'event_loop_delay',
      { kind: 'event_loop_delay', thresholdMs: 200 },
      { eventLoop: () => ({ delayMaxMs: 250 }) },
      'The event loop was delayed by 250 ms within the last second (threshold 200 ms)',
    ],
    [
      'event_loop_utilization',
      { kind: 'event_loop_utilization', threshold: 0.9, forSeconds: 0 },
      { eventLoop: () => ({ utilization: 0.95 }) },
      'The event loop is busy 95 % of the time (threshold 90 %)',
    ],
    ['leak', { kind: 'leak' }, { leaks: () => [leak()] }, 'The heap grows by 30 MB an hour'],
    [
      'leak that is suspected',
      { kind: 'leak', state: 'suspect', memory: 'rss' },
      { leaks: () => [leak(), leak({ memory: 'rss', state: 'suspect', explanation: 'rss grows' })] },
      'rss grows',
    ],
    [
      'regression',
      { kind: 'regression', minChangePercent: 20 },
      { regressions: () => [regression()] },
      'GET /a got slower',
    ],
    ['n_plus_one', { kind: 'n_plus_one', thresholdMs: 100 }, found(finding()), 'SELECT b ran 20 times'],
    [
      'event_loop_block',
      { kind: 'event_loop_block', operation: 'GET /a' },
      found(finding({ type: 'event_loop_block', explanation: 'JSON.parse blocks' })),
      'JSON.parse blocks',
    ],
    [
      'overlapping_runs',
      { kind: 'overlapping_runs' },
      found(finding({ type: 'overlapping_runs', explanation: 'runs overlap' })),
      'runs overlap',
    ],
    [
      'missed_runs',
      { kind: 'missed_runs' },
      found(finding({ type: 'missed_runs', explanation: 'runs were missed' })),
      'runs were missed',
    ],
  ])('speaks: %s', (_what, rule, sources, summary) => {
    expect(summaries(rule, sources)).toEqual([summary]);
  });

  it.each<[string, AlertRuleOptions, Partial<AlertSources>]>([
    ['few slow ones', { kind: 'slow_percentage', threshold: 10 }, statistics()],
    ['few operations', { kind: 'error_rate', threshold: 50, type: 'database' }, statistics()],
    [
      'a p99 of too few',
      { kind: 'latency', percentile: 'p99', thresholdMs: 1, type: 'database', minCount: 11 },
      statistics(),
    ],
    [
      'a latency below its limit',
      { kind: 'latency', percentile: 'p95', thresholdMs: 120, operation: 'GET /a' },
      statistics(),
    ],
    [
      'an operation that there is not',
      { kind: 'error_rate', threshold: 0, operation: 'GET /b' },
      statistics(),
    ],
    [
      'an operation of another type',
      { kind: 'error_rate', threshold: 0, operation: 'GET /a', type: 'database' },
      statistics(),
    ],
    ['no figures at all', { kind: 'latency', percentile: 'p50', thresholdMs: 0 }, {}],
    ['a heap at its limit', { kind: 'heap_used', threshold: 80 }, { heap: () => ({ used: 80, limit: 100 }) }],
    ['no delay measured yet', { kind: 'event_loop_delay', thresholdMs: 0 }, { eventLoop: () => ({}) }],
    [
      'a busy second',
      { kind: 'event_loop_utilization', threshold: 0.9 },
      { eventLoop: () => ({ utilization: 1 }) },
    ],
    ['a suspicion', { kind: 'leak' }, { leaks: () => [leak({ state: 'suspect' })] }],
    ['a leak elsewhere', { kind: 'leak', memory: 'external' }, { leaks: () => [leak()] }],
    [
      'a regression that is over',
      { kind: 'regression' },
      { regressions: () => [regression({ state: 'over' })] },
    ],
    ['a small change', { kind: 'regression', minChangePercent: 50 }, { regressions: () => [regression()] }],
    [
      'a regression of another metric',
      { kind: 'regression', metric: 'queries' },
      { regressions: () => [regression()] },
    ],
    [
      'a regression of another operation',
      { kind: 'regression', operation: 'GET /b' },
      { regressions: () => [regression()] },
    ],
    [
      'a finding that is old',
      { kind: 'n_plus_one', withinMinutes: 1 },
      found(finding({ lastSeen: NOW - 61_000 })),
    ],
    ['a finding that costs little', { kind: 'n_plus_one', thresholdMs: 120 }, found(finding())],
    ['a finding of another type', { kind: 'event_loop_block' }, found(finding())],
    ['a finding within another operation', { kind: 'n_plus_one', operation: 'GET /b' }, found(finding())],
  ])('is silent: %s', (_what, rule, sources) => {
    expect(summaries(rule, sources)).toEqual([]);
  });

  it('keeps two regressions of one operation apart, and makes a number of what grew from nothing', () => {
    const both = [
      regression(),
      regression({ id: 'r2', metric: 'error_rate', change: Number.POSITIVE_INFINITY }),
    ];
    const told = toldOf(
      { defaultRules: false, rules: [{ kind: 'regression' }] },
      { regressions: () => both },
    );
    expect(told.map(({ value, labels }) => [value, labels['metric']])).toEqual([
      [50, 'latency'],
      [100_000, 'error_rate'],
    ]);
  });

  it('is given its name, severity and labels', () => {
    const rules: AlertRuleOptions[] = [
      { kind: 'latency', percentile: 'p95', thresholdMs: 50, operation: 'GET /a' },
      { name: 'mine', kind: 'heap_used', threshold: 1, labels: { team: 'shop' } },
      { kind: 'error_rate', threshold: 1, type: 'http', severity: 'info' },
    ];
    expect(
      toldOf({ defaultRules: false, rules }, statistics()).map(({ rule, severity, labels }) => [
        rule,
        severity,
        labels,
      ]),
    ).toEqual([
      ['latency p95 GET /a', 'warning', { operation: 'GET /a' }],
      ['mine', 'critical', { team: 'shop' }],
      ['error_rate http', 'info', { type: 'http' }],
    ]);
  });
});

describe('the rule on errors to begin with', () => {
  const SECOND = 1000;

  /** Evaluates it every five seconds of as many as are given, each on the figures of then. */
  function course(...sources: Partial<AlertSources>[]): string[] {
    const events: string[] = [];
    let now = 0;
    const given: AlertSources = {
      ...QUIET,
      types: () => (sources[now] as AlertSources).types?.() ?? [],
      type: (type, window) => (sources[now] as AlertSources).type?.(type, window),
      failing: (window) => (sources[now] as AlertSources).failing?.(window) ?? [],
    };
    const rules = alertRules(resolveOptions({}).alerts, given);
    const evaluator = new AlertEvaluator(rules, ({ state, subject, severity, timestamp }) =>
      events.push(`${timestamp / SECOND} ${severity} ${state} ${subject}`),
    );
    for (; now < sources.length; now++) evaluator.evaluate(now * 5 * SECOND);
    return events;
  }
  const times = (count: number, source: Partial<AlertSources>) => Array.from({ length: count }, () => source);

  it('fires for a type after half a minute, and once for all of its operations', () => {
    const all = failures({ 'GET /a': [30, 30], 'GET /b': [30, 30] });
    expect(course(...times(6, all))).toEqual([]);
    expect(course(...times(20, all))).toEqual(['30 critical firing http']);
  });

  it('fires for one operation while the others are fine', () => {
    const one = failures({ 'GET /a': [20, 20], 'GET /b': [500, 1] });
    expect(course(...times(20, one))).toEqual(['30 critical firing GET /a']);
  });

  it('keeps the alert of an operation when all others begin to fail, and resolves each by itself', () => {
    const one = failures({ 'GET /a': [30, 30], 'GET /b': [70, 0] });
    const all = failures({ 'GET /a': [30, 30], 'GET /b': [70, 70] });
    expect(course(...times(7, one), ...times(7, all), ...times(3, one), failures({}))).toEqual([
      '30 critical firing GET /a',
      '65 critical firing http',
      '70 critical resolved http',
      '85 critical resolved GET /a',
    ]);
  });

  it('stays between its limits, and while too few end to judge', () => {
    const one = failures({ 'GET /a': [30, 30], 'GET /b': [70, 0] });
    const fewer = failures({ 'GET /a': [5, 5], 'GET /b': [70, 0] });
    const between = failures({ 'GET /a': [100, 45], 'GET /b': [70, 0] });
    const below = failures({ 'GET /a': [100, 40], 'GET /b': [70, 0] });
    expect(course(...times(7, one), fewer, between, below)).toEqual([
      '30 critical firing GET /a',
      '45 critical resolved GET /a',
    ]);
  });

  it.each<[string, Partial<AlertSources>]>([
    ['19 errors', failures({ 'GET /a': [19, 19] })],
    ['19 errors of one operation among others', failures({ 'GET /a': [19, 19], 'GET /b': [100, 0] })],
    ['half of them', failures({ 'GET /a': [40, 20] })],
    ['expected errors', failures({ 'GET /a': [40, 40, 40], 'GET /b': [40, 40, 20] })],
    ['nothing', failures({})],
  ])('is silent: %s', (_what, source) => {
    expect(course(...times(30, source))).toEqual([]);
  });

  it('ignores a blip of less than half a minute', () => {
    const blip = failures({ 'GET /a': [20, 20] });
    expect(course(...times(6, blip), failures({ 'GET /a': [60, 20] }), ...times(6, blip))).toEqual([]);
  });

  it('uses the given limits, and is replaced by a rule of the user with its name', () => {
    const source = failures({ 'GET /a': [10, 3] });
    const errorRate = { threshold: 20, minCount: 10 };
    const summariesOf = (alerts: AlertOptions) => {
      const fired: string[] = [];
      const rules = alertRules(resolveOptions({ alerts }).alerts, { ...QUIET, ...source });
      const evaluator = new AlertEvaluator(rules, ({ summary }) => fired.push(summary));
      evaluator.evaluate(0);
      evaluator.evaluate(30 * SECOND);
      return fired;
    };
    expect(summariesOf({ errorRate })).toEqual([
      '30 % of 10 http operations in the last minute failed (threshold 20 %), most often GET /a (3 of 10)',
    ]);
    expect(summariesOf({ errorRate, rules: [{ kind: 'error_rate', threshold: 60, minCount: 1 }] })).toEqual(
      [],
    );
    expect(summariesOf({ errorRate, defaultRules: false })).toEqual([]);
  });
});

describe('the rules to begin with', () => {
  const everything: Partial<AlertSources> = {
    ...statistics(),
    heap: () => ({ used: 95, limit: 100 }),
    eventLoop: () => ({ utilization: 1, delayMaxMs: 5000 }),
    leaks: () => [leak()],
    regressions: () => [regression()],
    ...found(finding()),
  };
  const names = (alerts: AlertOptions): string[] => toldOf(alerts, everything).map(({ rule }) => rule);

  it('are five, of which the one on errors waits for half a minute', () => {
    expect(names({})).toEqual(['slow_percentage', 'heap_used', 'leak', 'regression']);
    expect(
      alertRules(resolveOptions({}).alerts, QUIET).map(({ name, severity, forMs }) => [
        name,
        severity,
        forMs,
      ]),
    ).toEqual([
      ['slow_percentage', 'warning', 0],
      ['error_rate', 'critical', 30_000],
      ['heap_used', 'critical', 0],
      ['leak', 'warning', 0],
      ['regression', 'warning', 0],
    ]);
  });

  it('do not fire if nothing is wrong', () => {
    expect(toldOf({}, statistics(0, 0))).toEqual([]);
  });

  it('take the limits that are given', () => {
    expect(names({ slowPercentage: { threshold: 50 }, heapUsed: { threshold: 99 } })).toEqual([
      'leak',
      'regression',
    ]);
  });

  it('give way to one of the same name, or can be left out', () => {
    expect(names({ rules: [{ kind: 'leak', memory: 'rss' }] })).toEqual([
      'slow_percentage',
      'heap_used',
      'regression',
    ]);
    expect(names({ defaultRules: false })).toEqual([]);
  });
});

describe('the sources of a tick', () => {
  it('compute a figure once, until they are refreshed', () => {
    let asked = 0;
    const tick = new TickSources({
      ...QUIET,
      type: () => {
        asked++;
        return undefined;
      },
    });
    for (let i = 0; i < 3; i++) tick.type('http', 'minute');
    expect(asked).toBe(1);
    tick.type('http', 'hour');
    tick.type('database', 'minute');
    expect(asked).toBe(3);
    tick.refresh();
    tick.type('http', 'minute');
    expect(asked).toBe(4);
  });
});
