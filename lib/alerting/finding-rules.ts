import type { AlertRule, RuleReading } from './alert.js';
import type { FindingRuleOptions, LeakRuleOptions, RegressionRuleOptions } from './alert-options.js';
import type { AlertSources } from './alert-sources.js';
import { commonOf } from './rule-name.js';

const MB = 1024 * 1024;
const MINUTE_MS = 60_000;
/** Something that there was none of before grew by more than any number: JSON has none for that. */
const MAX_CHANGE = 1000;

/** These hold while their subject is told of: what found it has decided already, so there is no band to hover in. */
const DECIDED = { hysteresis: 0 } as const;

/** Memory that leaks, in MB an hour. */
export function leakRule(options: LeakRuleOptions, sources: Pick<AlertSources, 'leaks'>): AlertRule {
  const { state = 'confirmed', memory } = options;
  return {
    ...commonOf(options, 0, DECIDED),
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

/** What got worse and has not got better since, in percent. */
export function regressionRule(
  options: RegressionRuleOptions,
  sources: Pick<AlertSources, 'regressions'>,
): AlertRule {
  const { operation, metric, minChangePercent = 0 } = options;
  return {
    ...commonOf(options, minChangePercent, DECIDED),
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

/** What a detector saw within the last minutes: the milliseconds of the worst time. */
export function findingRule(options: FindingRuleOptions, sources: Pick<AlertSources, 'findings'>): AlertRule {
  const { operation, thresholdMs = 0, withinMinutes = 5 } = options;
  return {
    ...commonOf(options, thresholdMs, DECIDED),
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
