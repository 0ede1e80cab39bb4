import { isServedType } from '../statistics/failures.js';
import type { AlertRule } from './alert.js';
import type { AlertRuleOptions, ResolvedAlertOptions } from './alert-options.js';
import type { AlertSources } from './alert-sources.js';
import { burnRateRules } from './burn-rate-rules.js';
import { findingRule, leakRule, regressionRule } from './finding-rules.js';
import { missingTrafficRule } from './missing-traffic-rule.js';
import { operationRule } from './operation-rules.js';
import { eventLoopDelayRule, eventLoopUtilizationRule, heapUsedRule } from './process-rules.js';
import { ruleName } from './rule-common.js';

/** All rules of the options: default rules, the user's rules, and those of objectives. */
export function alertRules(options: ResolvedAlertOptions, sources: AlertSources): AlertRule[] {
  const own = new Set(options.rules.map(ruleName));
  const rules = defaultRules(options).filter((rule) => !own.has(ruleName(rule)));
  return [
    ...rules.map((rule) => defaultRule(rule, sources)),
    ...options.rules.map((rule) => alertRule(rule, sources)),
    ...burnRateRules(options.slos, sources),
  ];
}

/** Failures of some seconds, during a deployment or the restart of a dependency, need no action. */
const ERRORS_FOR_SECONDS = 30;

/** Few rules, each for something that affects users and needs action. */
function defaultRules(options: ResolvedAlertOptions): AlertRuleOptions[] {
  if (!options.defaultRules) return [];
  return [
    { kind: 'slow_percentage', ...options.slowPercentage },
    {
      kind: 'error_rate',
      ...options.errorRate,
      perOperation: true,
      severity: 'critical',
      forSeconds: ERRORS_FOR_SECONDS,
    },
    { kind: 'heap_used', ...options.heapUsed },
    { kind: 'leak' },
    { kind: 'regression' },
  ];
}

/** Failures are critical for incoming requests only: the application may handle those of a statement or a dependency. */
function defaultRule(options: AlertRuleOptions, sources: AlertSources): AlertRule {
  const rule = alertRule(options, sources);
  if (options.kind !== 'error_rate') return rule;
  return {
    ...rule,
    severityOf: ({ labels = {} }) => (isServedType(labels['type']) ? 'critical' : 'warning'),
  };
}

/** Creates the rule of one option. */
export function alertRule(options: AlertRuleOptions, sources: AlertSources): AlertRule {
  switch (options.kind) {
    case 'slow_percentage':
    case 'latency':
    case 'error_rate':
      return operationRule(options, sources);
    case 'missing_traffic':
      return missingTrafficRule(options, sources);
    case 'heap_used':
      return heapUsedRule(options, sources);
    case 'event_loop_delay':
      return eventLoopDelayRule(options, sources);
    case 'event_loop_utilization':
      return eventLoopUtilizationRule(options, sources);
    case 'leak':
      return leakRule(options, sources);
    case 'regression':
      return regressionRule(options, sources);
    case 'n_plus_one':
    case 'event_loop_block':
    case 'overlapping_runs':
    case 'missed_runs':
      return findingRule(options, sources);
  }
}
