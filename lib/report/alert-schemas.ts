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

const rule = text("The rule's name");
const subject = optional(text('What it is about within the rule'));

export const activeAlert = object<ActiveAlert>('ActiveAlert', {
  rule,
  subject,
  firedAt: moment('When it began to fire'),
});

export const recentAlert = object<PerformanceAlert>('Alert', {
  id: text('The same for the firing and the resolved event of one episode'),
  state: oneOf(['firing', 'resolved']),
  rule,
  severity: oneOf(SEVERITIES),
  subject,
  value: number('The figure that the rule looks at, in unit'),
  threshold: number('What it was held against, in unit'),
  unit: oneOf(['%', 'ms', 'ratio', 'MB/h']),
  firedAt: moment('When it began to fire'),
  timestamp: moment('When it changed'),
  labels: texts('Those of the rule, and what tells subjects apart'),
  flapping: optional(flag('It fires again and again within an hour', true)),
  summary: text('One sentence for a person'),
});

const burnCount: Schema<BurnCount> = object<BurnCount>('BurnCount', {
  total: count('Operations'),
  bad: count('Those that failed, or took longer than the objective allows'),
  rate: optional(ratio('bad / total as a multiple of what the objective allows')),
});

export const slo = object<BurnRate>('Objective', {
  slo: text(),
  operation: operationName,
  type: optional(operationType),
  objective: share('Of the operations that are to be good'),
  thresholdMs: optional(milliseconds('What a good one takes at the most')),
  windows: object<BurnRate['windows']>(
    'BurnWindows',
    Object.fromEntries(
      (Object.keys(BURN_WINDOWS) as BurnWindow[]).map((name) => [name, burnCount]),
    ) as PropertySchemas<Record<BurnWindow, BurnCount>>,
  ),
  coveredMinutes: ratio('How long there have been figures, in minutes'),
  budgetRemaining: optional(
    number('What is left of the budget of three days; below 0 it is overspent', { maximum: 1 }),
  ),
});
