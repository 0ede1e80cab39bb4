import type { AlertRule } from './alert.js';
import type { AlertRuleCommon, AlertRuleOptions } from './alert-options.js';

/** The name of the default rule on the heap. */
export const HEAP_USED = 'heap_used';

/** By default, a rule resolves 20 % below its threshold. */
const HYSTERESIS = 0.2;

/** The name of a rule. Default: its kind, its percentile and its subject. */
export function ruleName(rule: AlertRuleOptions): string {
  if (rule.name !== undefined) return rule.name;
  const { type, operation, percentile } = rule as { type?: string; operation?: string; percentile?: string };
  return [rule.kind, percentile, type, operation].filter((part) => part !== undefined).join(' ');
}

/** The common properties of a rule: from its options, else from the defaults of its kind, else from those of all kinds. */
export function commonOf(
  options: AlertRuleOptions,
  threshold: number,
  defaults: AlertRuleCommon = {},
): Pick<AlertRule, 'name' | 'severity' | 'threshold' | 'resolveBelow' | 'forMs' | 'keepFiringMs' | 'labels'> {
  const of = <K extends keyof AlertRuleCommon>(key: K): AlertRuleCommon[K] => options[key] ?? defaults[key];
  return {
    name: ruleName(options),
    severity: of('severity') ?? 'warning',
    threshold,
    resolveBelow: threshold * (1 - (of('hysteresis') ?? HYSTERESIS)),
    forMs: (of('forSeconds') ?? 0) * 1000,
    keepFiringMs: (of('keepFiringSeconds') ?? 0) * 1000,
    labels: of('labels') ?? {},
  };
}
