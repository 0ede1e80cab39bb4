import type { AlertRule, RuleReading } from './alert.js';
import type { FindingRuleOptions, LeakRuleOptions, RegressionRuleOptions } from './alert-options.js';
import type { AlertSources } from './alert-sources.js';
import { commonOf } from './rule-common.js';

const MB = 1024 * 1024;
const MINUTE_MS = 60_000;
/** The greatest relative change: growth from 0 is infinite, which JSON does not support. */
const MAX_CHANGE = 1000;

/** Detectors have a hysteresis of their own. */
const NO_HYSTERESIS = { hysteresis: 0 } as const;

/** Leaks, in MB per hour. */
export function leakRule(options: LeakRuleOptions, sources: Pick<AlertSources, 'leaks'>): AlertRule {
  const { state = 'confirmed', memory } = options;
  return {
    ...commonOf(options, 0, NO_HYSTERESIS),
    unit: 'MB/h',
    read: () =>
      sources
        .leaks()
        .filter((leak) => memory === undefined || leak.memory === memory)
        .filter((leak) => state === 'suspect' || leak.state === 'confirmed')
        .map((leak) => ({
          subject: leak.memory,
          value: leak.bytesPerHour / MB,
          labels: { memory: leak.memory, leak_state: leak.state },
          explanation: leak.explanation,
        })),
    describe: explained(options.kind),
  };
}

/** Open regressions, in percent. */
export function regressionRule(
  options: RegressionRuleOptions,
  sources: Pick<AlertSources, 'regressions'>,
): AlertRule {
  const { operation, metric, minChangePercent = 0 } = options;
  return {
    ...commonOf(options, minChangePercent, NO_HYSTERESIS),
    unit: '%',
    read: () =>
      sources
        .regressions()
        .filter((each) => each.state === 'open')
        .filter((each) => operation === undefined || each.name === operation)
        .filter((each) => metric === undefined || each.metric === metric)
        .map((each) => ({
          subject: each.name,
          key: each.id,
          value: Math.min(each.change, MAX_CHANGE) * 100,
          labels: { operation: each.name, type: each.type, metric: each.metric },
          explanation: each.explanation,
        })),
    describe: explained(options.kind),
  };
}

/** Findings of the last minutes, by the milliseconds of the worst occurrence. */
export function findingRule(options: FindingRuleOptions, sources: Pick<AlertSources, 'findings'>): AlertRule {
  const { operation, thresholdMs = 0, withinMinutes = 5 } = options;
  return {
    ...commonOf(options, thresholdMs, NO_HYSTERESIS),
    unit: 'ms',
    read: (now) =>
      sources
        .findings(options.kind, now - withinMinutes * MINUTE_MS)
        .filter((finding) => operation === undefined || finding.route === operation)
        .map((finding) => ({
          subject: finding.route,
          key: finding.id,
          value: finding.worstMs,
          labels: { operation: finding.route, finding: finding.id },
          explanation: finding.explanation,
        })),
    describe: explained(options.kind),
  };
}

function explained(kind: string): (reading: RuleReading) => string {
  return ({ subject, explanation }) => explanation ?? `${kind}: ${subject ?? ''}`;
}
