import { describe, expect, it } from '@jest/globals';
import { silenceFaults } from '../../lib/alerting/alert-checks.js';
import type { AlertOptions, AlertRuleOptions } from '../../lib/alerting/alert-options.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { PerformanceOptionsError } from '../../lib/validation/options-error.js';

function faultsOf(alerts: unknown): PerformanceOptionsError['faults'] {
  try {
    resolveOptions({ alerts } as PerformanceOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(PerformanceOptionsError);
    return (error as PerformanceOptionsError).faults;
  }
  return [];
}

const EVERY_KIND: AlertRuleOptions[] = [
  { kind: 'slow_percentage', threshold: 5, type: 'http', window: 'hour', minCount: 50 },
  { kind: 'latency', percentile: 'p99', thresholdMs: 800, operation: 'GET /orders' },
  {
    kind: 'error_rate',
    threshold: 1,
    severity: 'critical',
    forSeconds: 60,
    keepFiringSeconds: 120,
    hysteresis: 0.5,
    labels: { team: 'shop' },
    perOperation: true,
  },
  { kind: 'heap_used', threshold: 80 },
  { kind: 'event_loop_delay', thresholdMs: 200 },
  { kind: 'event_loop_utilization', threshold: 0.9 },
  { kind: 'leak', state: 'suspect', memory: 'heap' },
  { kind: 'regression', metric: 'latency', minChangePercent: 20 },
  { kind: 'n_plus_one', operation: 'GET /orders', thresholdMs: 100, withinMinutes: 10 },
  { kind: 'event_loop_block' },
  { kind: 'overlapping_runs', thresholdMs: 100 },
  { kind: 'missed_runs', operation: 'CleanUp.daily', withinMinutes: 60 },
];

describe('the options of alerts', () => {
  it('have defaults', () => {
    expect(resolveOptions().alerts).toEqual({
      enabled: true,
      intervalMs: 5000,
      slowPercentage: { threshold: 5, minCount: 20 },
      errorRate: { threshold: 50, minCount: 20 },
      heapUsed: { threshold: 90 },
      defaultRules: true,
      rules: [],
      slos: [],
      silences: [],
      maxNotificationsPerHour: 60,
      repeatIntervalSeconds: undefined,
      notifiers: { log: true, webhook: undefined, alertmanager: undefined, openTelemetry: false },
    });
  });

  it.each<[string, AlertOptions]>([
    ['no rules at all', { defaultRules: false, rules: [], slos: [], silences: [] }],
    ['a rule of every kind', { rules: EVERY_KIND }],
    [
      'two rules of one kind with different names',
      {
        rules: [
          { kind: 'error_rate', threshold: 1 },
          { name: 'many errors', kind: 'error_rate', threshold: 10 },
        ],
      },
    ],
    [
      'two percentiles of one operation',
      {
        rules: [
          { kind: 'latency', percentile: 'p50', thresholdMs: 10, operation: 'GET /a' },
          { kind: 'latency', percentile: 'p95', thresholdMs: 50, operation: 'GET /a' },
        ],
      },
    ],
    [
      'objectives',
      {
        slos: [
          { operation: 'GET /orders', objective: 0.999, thresholdMs: 300 },
          { name: 'errors', operation: 'GET /orders', type: 'http', objective: 0.9999 },
        ],
      },
    ],
    [
      'silences',
      {
        silences: [
          { rule: 'slow_*' },
          { subject: 'GET /reports/*', daily: { from: '23:30', to: '04:00' } },
          { from: new Date(0), until: 1e12 },
          { from: '2026-01-31', until: '2026-01-31T02:00:00Z' },
        ],
      },
    ],
    [
      'every notifier',
      {
        maxNotificationsPerHour: 10,
        repeatIntervalSeconds: 3600,
        notifiers: {
          log: { level: 'error' },
          webhook: {
            url: 'https://hooks.example.com/a',
            secret: 'sixteen characters',
            headers: { authorization: 'Bearer a' },
            timeoutMs: 100,
            maxRetries: 0,
            maxQueue: 1,
          },
          alertmanager: { url: 'http://alerts:9093', token: 'a', generatorUrl: 'https://shop/performance' },
          openTelemetry: true,
        },
      },
    ],
    [
      'undefined values',
      { rules: undefined, notifiers: { webhook: undefined }, repeatIntervalSeconds: undefined },
    ],
  ])('accept %s', (_what, alerts) => {
    expect(faultsOf(alerts)).toEqual([]);
  });

  const rules = (...given: unknown[]) => ({ rules: given });
  const slo = (over: object) => ({ slos: [{ operation: 'GET /a', objective: 0.99, ...over }] });
  const silences = (...given: unknown[]) => ({ silences: given });
  const webhook = (over: object) => ({ notifiers: { webhook: { url: 'http://a', ...over } } });

  it.each<[string, unknown, string, string, string]>([
    ['an interval that is too short', { intervalMs: 10 }, 'intervalMs', '10', '100 to 3600000'],
    ['a limit of 0', { maxNotificationsPerHour: 0 }, 'maxNotificationsPerHour', '0', '1 to 10000'],
    ['too short a repeat interval', { repeatIntervalSeconds: 1 }, 'repeatIntervalSeconds', '1', '60 to'],
    ['rules that are no array', { rules: {} }, 'rules', 'an object', 'an array of up to 1000'],
    [
      'too many rules',
      rules(...Array.from({ length: 1001 }, () => ({}))),
      'rules',
      'an array of 1001',
      'up to 1000',
    ],
    ['a rule that is no object', rules('error_rate'), 'rules[0]', '"error_rate"', 'an object'],
    ['a rule without a kind', rules({ threshold: 5 }), 'rules[0].kind', 'undefined', 'slow_percentage'],
    ['an unknown kind', rules({ kind: 'slow', threshold: 5 }), 'rules[0].kind', '"slow"', 'slow_percentage'],
    ['a kind that every object inherits', rules({ kind: 'toString' }), 'rules[0].kind', '"toString"', 'leak'],
    [
      'a rule without its limit',
      rules({ kind: 'latency', percentile: 'p95' }),
      'rules[0].thresholdMs',
      'undefined',
      'milliseconds',
    ],
    [
      'an unknown percentile',
      rules({ kind: 'latency', percentile: 'p42', thresholdMs: 5 }),
      'rules[0].percentile',
      '"p42"',
      'p50, p95 or p99',
    ],
    [
      'an option of another kind',
      rules({ kind: 'leak', threshold: 5 }),
      'rules[0].threshold',
      'an unknown option',
      'one of state, memory',
    ],
    [
      'a misspelt name',
      rules({ kind: 'error_rate', threshold: 5, minCuont: 5 }),
      'rules[0].minCuont',
      'an unknown option',
      'did you mean alerts.rules[0].minCount?',
    ],
    [
      'a percentage for a share',
      rules({ kind: 'event_loop_utilization', threshold: 90 }),
      'rules[0].threshold',
      '90',
      '0 to 1',
    ],
    [
      'a severity',
      rules({ kind: 'leak', severity: 'fatal' }),
      'rules[0].severity',
      '"fatal"',
      'info, warning or critical',
    ],
    [
      'a label that is no string',
      rules({ kind: 'leak', labels: { a: 1 } }),
      'rules[0].labels',
      'an object',
      'at most 20 names',
    ],
    ['a hold time', rules({ kind: 'leak', forSeconds: -1 }), 'rules[0].forSeconds', '-1', '0 to 86400'],
    [
      'a type',
      rules({ kind: 'error_rate', threshold: 1, type: 'a b' }),
      'rules[0].type',
      '"a b"',
      'an operation type',
    ],
    [
      'two rules of one name',
      rules({ kind: 'leak' }, { kind: 'leak' }),
      'rules[1].name',
      '"leak"',
      'a unique rule name',
    ],
    [
      'the name of a rule on objectives',
      rules({ kind: 'leak', name: 'slo_burn_fast' }),
      'rules[0].name',
      '"slo_burn_fast"',
      'a unique rule name',
    ],
    ['an objective in percent', slo({ objective: 99.9 }), 'slos[0].objective', '99.9', '0.5 to 0.99999'],
    ['an objective that allows no error', slo({ objective: 1 }), 'slos[0].objective', '1', '0.5 to 0.99999'],
    [
      'an objective without an operation',
      { slos: [{ objective: 0.9 }] },
      'slos[0].operation',
      'undefined',
      'a non-empty string',
    ],
    [
      'two objectives of one operation',
      { slos: [slo({}).slos[0], slo({}).slos[0]] },
      'slos[1].name',
      '"GET /a"',
      'a unique objective name',
    ],
    [
      'a silence without a condition',
      silences({}),
      'silences[0]',
      'none of its fields',
      'one of rule, subject',
    ],
    ['an invalid time', silences({ until: 'tomorrow' }), 'silences[0].until', '"tomorrow"', 'ISO 8601'],
    [
      'an invalid date',
      silences({ until: new Date(Number.NaN) }),
      'silences[0].until',
      'an object',
      'a Date',
    ],
    [
      'an end before the start',
      silences({ from: 2, until: 1 }),
      'silences[0].until',
      '1',
      'a moment after from',
    ],
    [
      'a time of day',
      silences({ daily: { from: '2am', to: '04:00' } }),
      'silences[0].daily.from',
      '"2am"',
      '02:00',
    ],
    [
      'an incomplete time of day',
      silences({ daily: { from: '02:00' } }),
      'silences[0].daily.to',
      'undefined',
      '02:00',
    ],
    [
      'an empty time range',
      silences({ daily: { from: '02:00', to: '02:00' } }),
      'silences[0].daily.to',
      '"02:00"',
      'a time other than from',
    ],
    [
      'a level',
      { notifiers: { log: { level: 'debug' } } },
      'notifiers.log',
      'an object',
      'log, warn or error',
    ],
    [
      'a webhook without an address',
      { notifiers: { webhook: {} } },
      'notifiers.webhook.url',
      'undefined',
      'http:',
    ],
    [
      'an invalid address',
      webhook({ url: 'hooks/s3cret' }),
      'notifiers.webhook.url',
      'a hidden value',
      'http:',
    ],
    ['a short secret', webhook({ secret: 's3cret' }), 'notifiers.webhook.secret', 'a hidden value', '16'],
    [
      'a header with a line break',
      webhook({ headers: { a: 's3cret\r\nb: c' } }),
      'notifiers.webhook.headers',
      'a hidden value',
      'HTTP',
    ],
    [
      'a header that is a number',
      webhook({ headers: { a: 1 } }),
      'notifiers.webhook.headers',
      'a hidden value',
      'HTTP',
    ],
    ['no queue', webhook({ maxQueue: 0 }), 'notifiers.webhook.maxQueue', '0', '1 to 10000'],
    [
      'too long a timeout of a webhook',
      webhook({ timeoutMs: 1e6 }),
      'notifiers.webhook.timeoutMs',
      '1000000',
      '100 to 60000',
    ],
    [
      'an Alertmanager without an address',
      { notifiers: { alertmanager: { token: 'x' } } },
      'notifiers.alertmanager.url',
      'undefined',
      'http:',
    ],
    [
      'an unknown notifier',
      { notifiers: { slack: {} } },
      'notifiers.slack',
      'an unknown option',
      'log, webhook, alertmanager',
    ],
  ])('name the field, the value and what is allowed for %s', (_what, alerts, path, received, allowed) => {
    const faults = faultsOf(alerts);
    expect(faults).toEqual([{ path: `alerts.${path}`, received, allowed: expect.stringContaining(allowed) }]);
    expect(JSON.stringify(faults)).not.toContain('s3cret');
  });

  it('list all faults', () => {
    expect(
      faultsOf({ rules: [{ kind: 'x' }, { kind: 'latency' }], slos: [5], silences: [{ rule: '' }] }),
    ).toHaveLength(5);
  });

  it('are checked the same way for a silence that is added at run time', () => {
    expect(silenceFaults({ rule: '*', until: Date.now() + 1000 })).toEqual([]);
    expect(silenceFaults(undefined)).toMatchObject([{ path: 'silence', received: 'undefined' }]);
    expect(silenceFaults({})).toMatchObject([{ path: 'silence' }]);
    expect(silenceFaults({ rle: 'a' })).toMatchObject([
      { path: 'silence.rle', received: 'an unknown option' },
    ]);
    expect(silenceFaults({ from: 5, until: 5 })).toMatchObject([{ path: 'silence.until' }]);
  });
});
