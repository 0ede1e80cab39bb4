import type { PerformanceAlert } from '../alerting/alert.js';
import { BURN_WINDOWS, type BurnCount, type BurnRate, type BurnWindow } from '../alerting/burn-rate.js';
import { SEVERITIES } from '../explain/finding.js';
import {
  flag,
  number,
  object,
  oneOf,
  optional,
  type PropertySchemas,
  type Schema,
  text,
  texts,
} from './json-schema.js';
import { operationName, operationType } from './operation-schemas.js';
import { count, milliseconds, moment, ratio, share } from './quantity-schemas.js';
import type { ActiveAlert } from './report.js';

const rule = text('The name of the rule');
const subject = optional(text('The operation or type that the alert concerns'));

export const activeAlert = object<ActiveAlert>('ActiveAlert', {
  rule,
  subject,
  firedAt: moment('Start of firing'),
});

export const recentAlert = object<PerformanceAlert>('Alert', {
  id: text('Shared by the firing and the resolved event of one episode'),
  state: oneOf(['firing', 'resolved']),
  rule,
  severity: oneOf(SEVERITIES),
  subject,
  value: number('The value that the rule evaluates, in unit'),
  threshold: number('The threshold, in unit'),
  unit: oneOf(['%', 'ms', 'ratio', 'MB/h']),
  firedAt: moment('Start of firing'),
  timestamp: moment('Time of the event'),
  labels: texts('The labels of the rule and of the subject'),
  flapping: optional(flag('The alert fires repeatedly within an hour', true)),
  summary: text('One readable sentence'),
});

const burnCount: Schema<BurnCount> = object<BurnCount>('BurnCount', {
  total: count('Operations'),
  bad: count('Operations that failed or exceeded the threshold of the objective'),
  rate: optional(ratio('bad / total as a multiple of the allowed share')),
});

export const slo = object<BurnRate>('Objective', {
  slo: text(),
  operation: operationName,
  type: optional(operationType),
  objective: share('The target share of good operations'),
  thresholdMs: optional(milliseconds('Maximum duration of a good operation')),
  windows: object<BurnRate['windows']>(
    'BurnWindows',
    Object.fromEntries(
      (Object.keys(BURN_WINDOWS) as BurnWindow[]).map((name) => [name, burnCount]),
    ) as PropertySchemas<Record<BurnWindow, BurnCount>>,
  ),
  coveredMinutes: ratio('Length of the recorded data, in minutes'),
  lastOperationAt: optional(moment('When its latest operation was counted')),
  budgetRemaining: optional(
    number('Remaining share of the three-day error budget; negative if overspent', { maximum: 1 }),
  ),
});
