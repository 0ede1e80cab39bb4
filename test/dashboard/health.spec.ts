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

/** The figures of a type in the last minute. */
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

describe('the health of the application in one sentence', () => {
  it('is idle while no operations are recorded', () => {
    expect(healthOf(signs({ total: 0, operations: [] }), NOW)).toEqual({
      state: 'idle',
      sentence: 'No operations recorded yet: send a request to the application.',
    });
  });

  it('is healthy without problems', () => {
    expect(healthOf(signs(), NOW)).toEqual({
      state: 'healthy',
      sentence: '60 operations in the last minute. No action needed.',
    });
    expect(healthOf(signs({ lastMinute: [type('http', 1)] }), NOW).sentence).toContain('1 operation in');
    expect(healthOf(signs({ lastMinute: [type('http', 0)] }), NOW).sentence).toBe(
      'No operations in the last minute.',
    );
    expect(healthOf(signs({ lastMinute: [type('http', 1000, 10), type('database', 1000)] }), NOW)).toEqual({
      state: 'healthy',
      sentence: '2000 operations in the last minute, 10 of them failed. No action needed.',
    });
  });

  it('names a slow route and its most frequent cause', () => {
    const operations = [operation('GET /artists', 60, 0), operation('GET /albums', 50, 17)];
    const health = healthOf(
      signs({
        operations,
        slow: [...slow(2, 'cpu'), ...slow(9, 'cpu', 'GET /other'), ...slow(3, 'n_plus_one')],
      }),
      NOW,
    );
    expect(health).toEqual({
      state: 'unhealthy',
      sentence: 'GET /albums is slow in 34 % of calls, mostly due to N+1 queries (SELECT track).',
    });
  });

  it('ignores few slow calls, and is degraded before it is unhealthy', () => {
    expect(healthOf(signs({ operations: [operation('GET /albums', 4, 2)] }), NOW).state).toBe('healthy');
    expect(healthOf(signs({ operations: [operation('GET /albums', 100, 4)] }), NOW).state).toBe('healthy');
    expect(healthOf(signs({ operations: [operation('GET /albums', 100, 5)] }), NOW)).toEqual({
      state: 'degraded',
      sentence: 'GET /albums is slow in 5 % of calls.',
    });
  });

  it('prefers incoming requests to their parts', () => {
    const operations = [operation('SELECT track', 50, 50, 'database'), operation('GET /albums', 50, 10)];
    expect(healthOf(signs({ operations }), NOW).sentence).toMatch(/^GET \/albums /);
    expect(healthOf(signs({ operations: operations.slice(0, 1) }), NOW).sentence).toMatch(/^SELECT track /);
  });

  it('reports the worst first: critical alerts and confirmed leaks, then slow operations, then the rest', () => {
    const everything = {
      findings: [finding],
      leaks: [leak],
      regressions: [regression],
      operations: [operation('GET /albums', 100, 10)],
      alerts: firing('heap_used', 'critical', '95 % of the heap is in use'),
    };
    const sentences: string[] = [];
    const add = (given: Partial<Signs>): void => {
      const { state, sentence } = healthOf(signs(given), NOW);
      sentences.push(`${state}: ${sentence}`);
    };
    add(everything);
    add({
      ...everything,
      alerts: firing('slow', 'warning', 'a tenth is slow'),
      leaks: [{ ...leak, state: 'confirmed' }],
    });
    add({ ...everything, alerts: firing('slow', 'warning', 'a tenth is slow') });
    const calm = { ...everything, operations: [] };
    add({ ...calm, alerts: firing('slow', 'warning', 'a tenth is slow') });
    add({ ...calm, alerts: { ...firing('slow', 'warning', ''), recent: [] } });
    const quiet = { ...calm, alerts: signs().alerts };
    add(quiet);
    add({ ...quiet, regressions: [{ ...regression, state: 'over' }] });
    add({ ...quiet, regressions: [], leaks: [] });
    expect(sentences).toEqual([
      'unhealthy: 95 % of the heap is in use',
      'unhealthy: The heap grows by 3 MB an hour.',
      'degraded: GET /albums is slow in 10 % of calls.',
      'degraded: a tenth is slow',
      'degraded: Alert slow (http) is firing.',
      'degraded: GET /albums became 40 % slower.',
      'degraded: The heap grows by 3 MB an hour.',
      'degraded: GET /albums made 50 copies.',
    ]);
  });

  it.each<[string, Partial<Signs>, string]>([
    [
      'a route that accounts for all failures',
      { lastMinute: [type('http', 20, 20)], failing: [failing('GET /boom', 20, 20)] },
      'GET /boom fails: 20 of 20 requests in the last minute returned an error.',
    ],
    [
      'a route while others succeed',
      { lastMinute: [type('http', 1000, 30)], failing: [failing('POST /orders', 30, 30)] },
      'POST /orders fails: 30 of 30 requests in the last minute returned an error.',
    ],
    [
      'all routes',
      { lastMinute: [type('http', 60, 55)], failing: [failing('GET /a', 30, 30), failing('GET /b', 30, 25)] },
      'Incoming requests fail: 55 of 60 requests in the last minute returned an error, most often GET /a (30 of 30).',
    ],
    [
      'many routes with few requests each',
      { lastMinute: [type('http', 40, 40)] },
      'Incoming requests fail: 40 of 40 requests in the last minute returned an error.',
    ],
    [
      'every statement, and the requests that need one',
      {
        lastMinute: [type('database', 500, 500), type('http', 100, 30)],
        failing: [failing('SELECT a', 500, 500, 'database'), failing('GET /a', 30, 30)],
      },
      'GET /a fails: 30 of 30 requests in the last minute returned an error; 1 other operation also fails.',
    ],
    [
      'a custom type in the background',
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
  ])('reports failures before everything else: %s', (_what, given, sentence) => {
    const alerts = firing('heap_used', 'critical', '95 % of the heap is in use');
    expect(healthOf(signs({ alerts, ...given }), NOW)).toEqual({ state: 'unhealthy', sentence });
  });

  it('names the latest error that failed the operation, and none that is handled, old or of another', () => {
    const error = (message: string, lastFailedAt?: number, route = 'GET /boom'): Finding => {
      // What people read may be worded in any way.
      const shared = { ...finding, type: 'errors', route, count: 20, lastSeen: NOW, explanation: 'Failed.' };
      const found = { class: 'TypeError', message, ...(lastFailedAt !== undefined && { lastFailedAt }) };
      return { ...shared, error: found } as Finding;
    };
    const sentence = (findings: Finding[]): string =>
      healthOf(signs({ failing: [failing('GET /boom', 20, 20)], findings }), NOW).sentence;
    const plain = 'GET /boom fails: 20 of 20 requests in the last minute returned an error.';
    const latest = error('no album failed with 500: at all', NOW - 1000);
    const line = { function: 'Shop.list', file: 'src/shop.ts', line: 12, column: 3 };
    expect(sentence([error('earlier', NOW - 2000), { ...latest, callSite: line }])).toBe(
      `${plain} TypeError: no album failed with 500: at all at Shop.list (shop.ts:12).`,
    );
    expect(sentence([error('handled')])).toBe(plain);
    expect(sentence([error('old', NOW - 71_000)])).toBe(plain);
    expect(sentence([error('other', NOW, 'GET /other')])).toBe(plain);
    expect(sentence([error('', NOW)])).toBe(`${plain} TypeError.`);
  });

  it.each<[string, Partial<Signs>]>([
    ['half of them', { lastMinute: [type('http', 40, 20)] }],
    ['expected errors', { lastMinute: [type('http', 40), type('external', 40, 40, 40)] }],
    ['few failures in the background', { lastMinute: [type('http', 40), type('database', 19, 19)] }],
  ])('stays healthy despite %s', (_what, given) => {
    expect(healthOf(signs(given), NOW).state).toBe('healthy');
  });

  it.each<[string, OverviewType[], string]>([
    ['requests', [type('http', 19, 19), type('database', 100)], '19 of 19 requests'],
    ['requests of two types', [type('http', 9, 9), type('rpc', 9, 2)], '11 of 18 operations'],
    ['other operations, without requests', [type('database', 3, 2)], '2 of 3 operations'],
  ])('says that too few %s ended to judge', (_what, lastMinute, count) => {
    const { state, sentence } = healthOf(signs({ lastMinute }), NOW);
    expect(state).toBe('idle');
    expect(sentence).toMatch(`Too few operations to judge: ${count}`);
  });

  it('names failures on one line, however long the name', () => {
    const name = `GET /${'x. X'.repeat(10_000)}`;
    const { sentence } = healthOf(signs({ failing: [failing(name, 20, 20)] }), NOW);
    expect(sentence.length).toBeLessThanOrEqual(240);
    expect(sentence).toContain('20 of 20 requests');
  });

  it('ignores old and informational findings', () => {
    for (const old of [
      { ...finding, lastSeen: NOW - 400_000 },
      { ...finding, severity: 'info' as const },
    ])
      expect(healthOf(signs({ findings: [old] }), NOW).state).toBe('healthy');
  });

  it('is one line, however long the names', () => {
    const operations = [operation(`GET /${'x'.repeat(10_000)}`, 10, 10)];
    expect(healthOf(signs({ operations }), NOW).sentence.length).toBeLessThanOrEqual(240);
  });
});
