import { describe, expect, it } from '@jest/globals';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import type { Regression } from '../../lib/baseline/regression.js';
import { healthOf, type Signs } from '../../lib/dashboard/health.js';
import type { OverviewOperation, OverviewType } from '../../lib/dashboard/overview.js';
import type { Finding } from '../../lib/explain/finding.js';
import type { Leak } from '../../lib/leaks/leak.js';

const NOW = 1_800_000_000_000;

function operation(name: string, count: number, slowCount: number, type = 'http'): OverviewOperation {
  const minute = {
    count,
    slowCount,
    slowPercentage: count === 0 ? 0 : (slowCount / count) * 100,
    errorCount: 0,
  };
  return { type, name, lifetime: minute, minute, totalMs: 0, excessMs: 0, sparkline: [] };
}

/** A type within the last minute. */
function type(name: string, count: number, errorCount = 0, expectedErrorCount?: number): OverviewType {
  const expected = expectedErrorCount === undefined ? {} : { expectedErrorCount };
  return { type: name, count, slowCount: 0, slowPercentage: 0, errorCount, ...expected };
}
const failing = (name: string, count: number, failureCount: number, of = 'http') => ({
  type: of,
  name,
  count,
  failureCount,
});

function signs(given: Partial<Signs> = {}): Signs {
  return {
    total: 100,
    lastMinute: [type('http', 60)],
    failing: [],
    operations: [operation('GET /artists', 60, 0)],
    slow: [],
    findings: [],
    regressions: [],
    leaks: [],
    alerts: { active: [], recent: [], burnRates: [] },
    ...given,
  };
}

function slow(count: number, cause: 'n_plus_one' | 'cpu', name = 'GET /albums'): Signs['slow'] {
  const causes = [{ cause, share: 0.7, ms: 10, certainty: 'measured' as const, operation: 'SELECT track' }];
  return Array.from({ length: count }, () => ({ type: 'http', name, cause, causes }));
}

const finding = {
  severity: 'warning',
  lastSeen: NOW - 1000,
  explanation: 'GET /albums made 50 copies.',
} as Finding;
const regression = {
  state: 'open',
  explanation: 'GET /albums became 40 % slower. It began at 13:00.',
} as Regression;
const leak = { state: 'suspect', explanation: 'The heap grows by 3 MB an hour.' } as Leak;
const firing = (rule: string, severity: string, summary: string): Signs['alerts'] => ({
  active: [{ rule, subject: 'http', firedAt: 5 }],
  recent: [
    { rule, subject: 'http', firedAt: 4, severity: 'info', summary: 'an older one' },
    { rule, subject: 'http', firedAt: 5, severity, summary },
  ] as PerformanceAlert[],
  burnRates: [],
});

describe('how the application is, in one line', () => {
  it('nothing was recorded', () => {
    expect(healthOf(signs({ total: 0, operations: [] }), NOW)).toEqual({
      state: 'idle',
      sentence: 'Nothing was recorded yet: send a request to the application.',
    });
  });

  it('all is well', () => {
    expect(healthOf(signs(), NOW)).toEqual({
      state: 'healthy',
      sentence: 'All is well: 60 operations within the last minute, and nothing needs attention.',
    });
    expect(healthOf(signs({ lastMinute: [type('http', 1)] }), NOW).sentence).toContain('1 operation within');
    expect(healthOf(signs({ lastMinute: [type('http', 0)] }), NOW).sentence).toContain(
      'nothing ended within the last minute',
    );
    expect(healthOf(signs({ lastMinute: [type('http', 1000, 10), type('database', 1000)] }), NOW)).toEqual({
      state: 'healthy',
      sentence:
        'All is well: 2000 operations within the last minute, 10 of which failed, and nothing needs attention.',
    });
  });

  it('a route is slow, and by what most of the time', () => {
    const operations = [operation('GET /artists', 60, 0), operation('GET /albums', 50, 17)];
    const told = healthOf(
      signs({
        operations,
        slow: [...slow(2, 'cpu'), ...slow(9, 'cpu', 'GET /other'), ...slow(3, 'n_plus_one')],
      }),
      NOW,
    );
    expect(told).toEqual({
      state: 'unhealthy',
      sentence:
        'GET /albums is slow in 34 % of its calls, mostly by the same SELECT track again and again (N+1).',
    });
  });

  it('a few slow ones are no news, and some are less than many', () => {
    expect(healthOf(signs({ operations: [operation('GET /albums', 4, 2)] }), NOW).state).toBe('healthy');
    expect(healthOf(signs({ operations: [operation('GET /albums', 100, 4)] }), NOW).state).toBe('healthy');
    expect(healthOf(signs({ operations: [operation('GET /albums', 100, 5)] }), NOW)).toEqual({
      state: 'degraded',
      sentence: 'GET /albums is slow in 5 % of its calls.',
    });
  });

  it('what people wait for comes before the parts that it is made of', () => {
    const operations = [operation('SELECT track', 50, 50, 'database'), operation('GET /albums', 50, 10)];
    expect(healthOf(signs({ operations }), NOW).sentence).toMatch(/^GET \/albums /);
    expect(healthOf(signs({ operations: operations.slice(0, 1) }), NOW).sentence).toMatch(/^SELECT track /);
  });

  it('the worst comes first: alerts and leaks that are certain, then what is slow, then the rest', () => {
    const everything = {
      findings: [finding],
      leaks: [leak],
      regressions: [regression],
      operations: [operation('GET /albums', 100, 10)],
      alerts: firing('heap_used', 'critical', '95 % of the heap is in use'),
    };
    const sentences: string[] = [];
    const tell = (given: Partial<Signs>): void => {
      const { state, sentence } = healthOf(signs(given), NOW);
      sentences.push(`${state}: ${sentence}`);
    };
    tell(everything);
    tell({
      ...everything,
      alerts: firing('slow', 'warning', 'a tenth is slow'),
      leaks: [{ ...leak, state: 'confirmed' }],
    });
    tell({ ...everything, alerts: firing('slow', 'warning', 'a tenth is slow') });
    const calm = { ...everything, operations: [] };
    tell({ ...calm, alerts: firing('slow', 'warning', 'a tenth is slow') });
    tell({ ...calm, alerts: { ...firing('slow', 'warning', ''), recent: [] } });
    const quiet = { ...calm, alerts: signs().alerts };
    tell(quiet);
    tell({ ...quiet, regressions: [{ ...regression, state: 'over' }] });
    tell({ ...quiet, regressions: [], leaks: [] });
    expect(sentences).toEqual([
      'unhealthy: 95 % of the heap is in use',
      'unhealthy: The heap grows by 3 MB an hour.',
      'degraded: GET /albums is slow in 10 % of its calls.',
      'degraded: a tenth is slow',
      'degraded: The alert slow (http) fires.',
      'degraded: GET /albums became 40 % slower.',
      'degraded: The heap grows by 3 MB an hour.',
      'degraded: GET /albums made 50 copies.',
    ]);
  });

  it.each<[string, Partial<Signs>, string]>([
    [
      'a route that accounts for all failures',
      { lastMinute: [type('http', 20, 20)], failing: [failing('GET /boom', 20, 20)] },
      'GET /boom fails: 20 of 20 requests in the last minute answered with an error.',
    ],
    [
      'a route while others are fine',
      { lastMinute: [type('http', 1000, 30)], failing: [failing('POST /orders', 30, 30)] },
      'POST /orders fails: 30 of 30 requests in the last minute answered with an error.',
    ],
    [
      'all routes',
      { lastMinute: [type('http', 60, 55)], failing: [failing('GET /a', 30, 30), failing('GET /b', 30, 25)] },
      'Incoming requests fail: 55 of 60 requests in the last minute answered with an error, most often GET /a (30 of 30).',
    ],
    [
      'many routes with few requests each',
      { lastMinute: [type('http', 40, 40)] },
      'Incoming requests fail: 40 of 40 requests in the last minute answered with an error.',
    ],
    [
      'every statement, and the requests that need one',
      {
        lastMinute: [type('database', 500, 500), type('http', 100, 30)],
        failing: [failing('SELECT a', 500, 500, 'database'), failing('GET /a', 30, 30)],
      },
      'GET /a fails: 30 of 30 requests in the last minute answered with an error; 1 other operation fails, too.',
    ],
    [
      'a type of the user’s in the background',
      {
        lastMinute: [type('http', 100), type('calculation', 41, 21)],
        failing: [failing('sum', 20, 15, 'calculation')],
      },
      'Operations of type calculation fail: 21 of 41 operations in the last minute failed, most often sum (15 of 20).',
    ],
    [
      'a single statement',
      { lastMinute: [type('database', 400, 20)], failing: [failing('INSERT b', 20, 20, 'database')] },
      'INSERT b fails: 20 of 20 operations in the last minute failed.',
    ],
  ])('what fails comes before everything else: %s', (_what, given, sentence) => {
    const alerts = firing('heap_used', 'critical', '95 % of the heap is in use');
    expect(healthOf(signs({ alerts, ...given }), NOW)).toEqual({ state: 'unhealthy', sentence });
  });

  it.each<[string, Partial<Signs>]>([
    ['half of them', { lastMinute: [type('http', 40, 20)] }],
    ['expected errors', { lastMinute: [type('http', 40), type('external', 40, 40, 40)] }],
    ['a few in the background', { lastMinute: [type('http', 40), type('database', 19, 19)] }],
  ])('failures that do not make it unhealthy: %s', (_what, given) => {
    expect(healthOf(signs(given), NOW).state).toBe('healthy');
  });

  it.each<[string, OverviewType[], string]>([
    ['requests', [type('http', 19, 19), type('database', 100)], '19 of 19 requests'],
    ['requests of two types', [type('http', 9, 9), type('rpc', 9, 2)], '11 of 18 operations'],
    ['other operations, where there are no requests', [type('database', 3, 2)], '2 of 3 operations'],
  ])('says that too few %s ended to judge', (_what, lastMinute, count) => {
    const { state, sentence } = healthOf(signs({ lastMinute }), NOW);
    expect(state).toBe('idle');
    expect(sentence).toMatch(`Too few operations to judge: ${count}`);
  });

  it('names what fails on one line, whatever the name is like', () => {
    const name = `GET /${'x. X'.repeat(10_000)}`;
    const { sentence } = healthOf(signs({ failing: [failing(name, 20, 20)] }), NOW);
    expect(sentence.length).toBeLessThanOrEqual(240);
    expect(sentence).toContain('20 of 20 requests');
  });

  it('a finding that was not seen for long, or only worth knowing, is no news', () => {
    for (const old of [
      { ...finding, lastSeen: NOW - 400_000 },
      { ...finding, severity: 'info' as const },
    ])
      expect(healthOf(signs({ findings: [old] }), NOW).state).toBe('healthy');
  });

  it('is one line, whatever the names are like', () => {
    const operations = [operation(`GET /${'x'.repeat(10_000)}`, 10, 10)];
    expect(healthOf(signs({ operations }), NOW).sentence.length).toBeLessThanOrEqual(240);
  });
});
