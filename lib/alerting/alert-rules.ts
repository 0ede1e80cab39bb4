import { isServedType } from '../statistics/failures.js';
import type { AlertRule } from './alert.js';
import type { AlertRuleOptions, ResolvedAlertOptions } from './alert-options.js';
import type { AlertSources } from './alert-sources.js';
import { burnRateRules } from './burn-rate-rules.js';
import { findingRule, leakRule, regressionRule } from './finding-rules.js';
import { operationRule } from './operation-rules.js';
import { eventLoopDelayRule, eventLoopUtilizationRule, heapUsedRule } from './process-rules.js';
import { ruleName } from './rule-name.js';

/** Every rule that the options ask for: those to begin with, those of the objectives, and the user's. */
export function alertRules(options: ResolvedAlertOptions, sources: AlertSources): AlertRule[] {
  const own = new Set(options.rules.map(ruleName));
  const rules = defaultRules(options).filter((rule) => !own.has(ruleName(rule)));
  return [
    ...rules.map((rule) => defaultRule(rule, sources)),
    ...options.rules.map((rule) => alertRule(rule, sources)),
    ...burnRateRules(options.slos, sources),
  ];
}

/** A deployment or a dependency that restarts makes requests fail for some seconds, and nobody can act on that. */
const ERRORS_FOR_SECONDS = 30;

/** Few and quiet: each speaks of what costs users something and needs somebody. */
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

/** Failures of what nobody waits for are a warning: a statement may be expected to fail, and a dependency have a substitute. */
function defaultRule(options: AlertRuleOptions, sources: AlertSources): AlertRule {
  const rule = alertRule(options, sources);
  if (options.kind !== 'error_rate') return rule;
  return {
    ...rule,
    severityOf: ({ labels = {} }) => (isServedType(labels['type']) ? 'critical' : 'warning'),
  };
}

/** A rule that can be held against figures. */
export function alertRule(options: AlertRuleOptions, sources: AlertSources): AlertRule {
  switch (options.kind) {
    case 'slow_percentage':
    case 'latency':
    case 'error_rate':
      return operationRule(options, sources);
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
      return findingRule(options, sources);
  }
}
