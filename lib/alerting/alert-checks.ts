import { REGRESSION_METRICS } from '../baseline/regression.js';
import { SEVERITIES } from '../explain/finding.js';
import { LEAKING_MEMORIES } from '../leaks/leak.js';
import { OPERATION_TYPE_PATTERN } from '../operation/operation.js';
import { MIN_JUDGED, MOST_PERCENT } from '../statistics/failures.js';
import {
  boolean,
  type Check,
  checkShape,
  httpAddress,
  httpHeaders,
  isObject,
  longSecret,
  milliseconds,
  number,
  oneOf,
  required,
  type Shape,
  secret,
  text,
  whole,
} from '../validation/checks.js';
import { type OptionTable, option } from '../validation/option-table.js';
import { formatValue, type OptionFault } from '../validation/options-error.js';
import type { AlertOptions, AlertRuleOptions, SilenceOptions } from './alert-options.js';
import { BURN_POLICIES } from './burn-rate.js';
import { ruleName } from './rule-common.js';

/** Rules and objectives cost time in every evaluation, an objective 3.4 KB of memory as well. */
const MAX_RULES = 1000;
const MAX_SLOS = 1000;
const MAX_SILENCES = 1000;
const DAY_SECONDS = 86_400;
const MAX_LABELS = 20;
const MAX_LABEL = 200;

const type: Check = {
  allowed: 'an operation type such as http (a letter, then up to 63 letters, digits, _, - or .)',
  accepts: (value) => typeof value === 'string' && OPERATION_TYPE_PATTERN.test(value),
};
const labels: Check = {
  allowed: `an object of at most ${MAX_LABELS} names with strings of at most ${MAX_LABEL} characters`,
  accepts: (value) =>
    isObject(value) &&
    Object.keys(value).length <= MAX_LABELS &&
    Object.entries(value).every(
      ([name, each]) => name !== '' && typeof each === 'string' && each.length <= MAX_LABEL,
    ),
};
const logLevel: Check = {
  allowed: 'true, false or { level } with log, warn or error',
  accepts: (value) =>
    typeof value === 'boolean' ||
    (isObject(value) &&
      Object.keys(value).join() === 'level' &&
      ['log', 'warn', 'error'].includes(value['level'] as string)),
};
const moment: Check = {
  allowed: 'a Date, milliseconds since 1970, or a date as in ISO 8601 such as 2026-01-31T02:00:00Z',
  accepts: (value) =>
    value instanceof Date
      ? !Number.isNaN(value.getTime())
      : typeof value === 'number'
        ? Math.abs(value) <= 8.64e15
        : typeof value === 'string' &&
          /^\d{4}-\d\d-\d\d(T|$)/.test(value) &&
          !Number.isNaN(Date.parse(value)),
};
const timeOfDay: Check = {
  allowed: 'a time of day such as 02:00 (00:00 to 23:59)',
  accepts: (value) => typeof value === 'string' && /^([01]\d|2[0-3]):[0-5]\d$/.test(value),
};

const common: Shape = {
  name: text,
  severity: oneOf(SEVERITIES),
  forSeconds: number(0, DAY_SECONDS),
  keepFiringSeconds: number(0, DAY_SECONDS),
  hysteresis: number(0, 1),
  labels,
};
const ofOperations: Shape = {
  operation: text,
  type,
  window: oneOf(['minute', 'hour']),
  minCount: whole(1, 1_000_000),
};
const finding: Shape = { operation: text, thresholdMs: milliseconds, withinMinutes: number(0.1, 1440) };

/** The options of each kind of rule, in addition to the common ones. */
const KINDS: Readonly<Record<AlertRuleOptions['kind'], Shape>> = {
  slow_percentage: { ...ofOperations, threshold: required(number(0, 100)) },
  latency: {
    ...ofOperations,
    percentile: required(oneOf(['p50', 'p95', 'p99'])),
    thresholdMs: required(milliseconds),
  },
  error_rate: { ...ofOperations, threshold: required(number(0, 100)), perOperation: boolean },
  missing_traffic: {
    operation: text,
    type,
    withinMinutes: number(1, 60),
    minCount: whole(1, 1_000_000),
  },
  heap_used: { threshold: required(number(0, 100)) },
  event_loop_delay: { thresholdMs: required(milliseconds) },
  event_loop_utilization: { threshold: required(number(0, 1)) },
  leak: { state: oneOf(['suspect', 'confirmed']), memory: oneOf(LEAKING_MEMORIES) },
  regression: {
    operation: text,
    metric: oneOf(REGRESSION_METRICS),
    minChangePercent: number(0, 100_000),
  },
  n_plus_one: finding,
  event_loop_block: finding,
  overlapping_runs: finding,
  missed_runs: finding,
};
const kind = required(oneOf(Object.keys(KINDS)));

const SLO: Shape = {
  name: text,
  operation: required(text),
  type,
  objective: required(number(0.5, 0.99999)),
  thresholdMs: milliseconds,
};

const SILENCE: Shape = {
  rule: text,
  subject: text,
  from: moment,
  until: moment,
  daily: { from: required(timeOfDay), to: required(timeOfDay) },
};

export const ALERT_OPTION_TABLE: OptionTable<AlertOptions> = {
  enabled: option(boolean, { default: true }),
  intervalMs: option(whole(100, 3_600_000), { default: 5000 }),
  slowPercentage: {
    threshold: option(number(0, 100), { default: 5 }),
    minCount: option(whole(1, 1_000_000), { default: 20 }),
  },
  errorRate: {
    threshold: option(number(0, 100), { default: MOST_PERCENT }),
    minCount: option(whole(1, 1_000_000), { default: MIN_JUDGED }),
  },
  heapUsed: { threshold: option(number(0, 100), { default: 90 }) },
  defaultRules: option(boolean, { default: true }),
  rules: { max: MAX_RULES, shapeOf: ruleShape },
  slos: { max: MAX_SLOS, shapeOf: () => SLO },
  silences: { max: MAX_SILENCES, shapeOf: () => SILENCE },
  maxNotificationsPerHour: option(whole(1, 10_000), { default: 60 }),
  repeatIntervalSeconds: option(number(60, 30 * DAY_SECONDS), { defaultText: 'never' }),
  notifiers: {
    log: option(logLevel, { default: true }),
    webhook: {
      // A URL may contain a password, and for many services the URL itself is the secret.
      url: required({ ...httpAddress('https://example.com/alerts'), secret: true }),
      secret: longSecret,
      headers: option(httpHeaders, { default: {} }),
      timeoutMs: option(number(100, 60_000), { default: 5000 }),
      maxRetries: option(whole(0, 20), { default: 5 }),
      maxQueue: option(whole(1, 10_000), { default: 100 }),
    },
    alertmanager: {
      url: required({ ...httpAddress('http://localhost:9093'), secret: true }),
      token: secret,
      generatorUrl: httpAddress('https://example.com/performance'),
    },
    openTelemetry: option(boolean, { default: false }),
  },
};

/** Adds faults across options: duplicate names, silences that never apply. */
export function checkAlerts(alerts: unknown, faults: OptionFault[]): void {
  if (!isObject(alerts) || faults.some(({ path }) => path.startsWith('alerts'))) return;
  const { rules = [], slos = [], silences = [] } = alerts as Record<string, Record<string, unknown>[]>;
  const reserved = BURN_POLICIES.map(({ name }) => name);
  const names = rules.map((rule) => ruleName(rule as unknown as AlertRuleOptions));
  checkNames(names, reserved, 'alerts.rules', 'rule', faults);
  checkNames(
    slos.map(({ name, operation }) => String(name ?? operation)),
    [],
    'alerts.slos',
    'objective',
    faults,
  );
  for (const [index, silence] of silences.entries()) checkTimes(silence, `alerts.silences[${index}]`, faults);
}

/** The faults of one silence. */
export function silenceFaults(silence: unknown): OptionFault[] {
  const faults: OptionFault[] = [];
  if (!isObject(silence)) return [{ path: 'silence', received: formatValue(silence), allowed: 'an object' }];
  checkShape(silence, SILENCE, 'silence.', faults);
  if (faults.length === 0) checkTimes(silence, 'silence', faults);
  return faults;
}

function isKind(name: unknown): name is AlertRuleOptions['kind'] {
  return typeof name === 'string' && Object.hasOwn(KINDS, name);
}

/** The options of a rule by its kind. Without a valid kind, only that is reported. */
function ruleShape(rule: Record<string, unknown>): Shape {
  const name = rule['kind'];
  const own = isKind(name)
    ? KINDS[name]
    : Object.fromEntries(Object.keys(rule).map((key) => [key, { allowed: '', accepts: () => true }]));
  return { ...own, ...common, kind };
}

function checkNames(
  names: readonly string[],
  reserved: readonly string[],
  path: string,
  what: string,
  faults: OptionFault[],
): void {
  const seen = new Set(reserved);
  for (const [index, name] of names.entries()) {
    if (seen.has(name)) {
      faults.push({
        path: `${path}[${index}].name`,
        received: formatValue(name),
        allowed: `a unique ${what} name`,
      });
    }
    seen.add(name);
  }
}

function checkTimes(silence: SilenceOptions, path: string, faults: OptionFault[]): void {
  const { from, until, daily } = silence;
  if (Object.values(silence).every((value) => value === undefined)) {
    const names = Object.keys(SILENCE).join(', ');
    faults.push({ path, received: 'none of its fields', allowed: `at least one of ${names}` });
  }
  if (from !== undefined && until !== undefined && new Date(from) >= new Date(until)) {
    faults.push({ path: `${path}.until`, received: formatValue(until), allowed: 'a moment after from' });
  }
  if (daily !== undefined && daily.from === daily.to) {
    faults.push({
      path: `${path}.daily.to`,
      received: formatValue(daily.to),
      allowed: 'a time other than from',
    });
  }
}
