import type { AlertRule } from './alert.js';
import type { AlertRuleCommon, AlertRuleOptions } from './alert-options.js';

/** The name of the rule on the heap. */
export const HEAP_USED = 'heap_used';

/** A rule resolves once its figure is a fifth below the threshold, where nothing else is said. */
const HYSTERESIS = 0.2;

/** What a rule is called where it has no name: its kind, its percentile, and what it is about. */
export function ruleName(rule: AlertRuleOptions): string {
  if (rule.name !== undefined) return rule.name;
  const { type, operation, percentile } = rule as { type?: string; operation?: string; percentile?: string };
  return [rule.kind, percentile, type, operation].filter((part) => part !== undefined).join(' ');
}

/** What every rule has, with the kind's own defaults beneath the options and those of all kinds beneath both. */
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

/** A figure and its unit, as a sentence has it. */
export function percent(value: number): string {
  return `${Math.round(value * 10) / 10} %`;
}

/** The same for milliseconds. */
export function inMs(value: number): string {
  return `${Math.round(value * 10) / 10} ms`;
}
