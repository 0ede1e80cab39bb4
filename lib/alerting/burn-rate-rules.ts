import { figure } from '../text/quantities.js';
import type { AlertRule, RuleReading } from './alert.js';
import type { SloOptions } from './alert-options.js';
import type { AlertSources } from './alert-sources.js';
import {
  BURN_POLICIES,
  type BurnPolicy,
  type BurnRate,
  chanceOf,
  chanceOfFewer,
  factorFor,
  MAX_CHANCE_OF_FEWER,
  MIN_BAD,
} from './burn-rate.js';

/** Resolves 20 % below the burn rate at which it fires. */
const RESOLVE_SHARE = 0.8;
const KEEP_FIRING_MS = 300_000;

/** One rule per pair of windows for all objectives, so that objectives that burn together share a notification. */
export function burnRateRules(
  slos: readonly SloOptions[],
  sources: Pick<AlertSources, 'burnRates'>,
): AlertRule[] {
  if (slos.length === 0) return [];
  return BURN_POLICIES.map((policy) => ({
    name: policy.name,
    severity: policy.severity,
    unit: 'ratio',
    threshold: policy.factor,
    resolveBelow: policy.factor * RESOLVE_SHARE,
    minCount: MIN_BAD,
    forMs: 0,
    keepFiringMs: KEEP_FIRING_MS,
    labels: { long_window: policy.long, short_window: policy.short },
    read: (now) => sources.burnRates(now).flatMap((burn) => readingOf(policy, burn, now)),
    describe: ({ subject, value, explanation }) => explanation ?? `${subject}: burn rate ${value}`,
  }));
}

function readingOf(policy: BurnPolicy, burn: BurnRate, now: number): RuleReading[] {
  if (burn.coveredMinutes < policy.minCoveredMinutes) return [];
  const long = burn.windows[policy.long];
  const short = burn.windows[policy.short];
  const value = Math.min(long.rate ?? 0, short.rate ?? 0);
  const threshold = factorFor(policy, burn.objective);
  const resolveBelow = threshold * RESOLVE_SHARE;
  const { operation, type, objective } = burn;
  const isWithinNoise =
    value > threshold
      ? chanceOf(long, objective) > policy.maxChance
      : value <= resolveBelow &&
        (long.rate ?? 0) > resolveBelow &&
        chanceOfFewer(policy, burn.windows) > MAX_CHANCE_OF_FEWER;
  return [
    {
      subject: burn.slo,
      value: Math.round(value * 100) / 100,
      count: long.bad,
      quietMs: () => now - (burn.lastOperationAt ?? Number.NEGATIVE_INFINITY),
      ...(isWithinNoise ? { isWithinNoise } : {}),
      limits: { threshold, resolveBelow },
      labels: { slo: burn.slo, operation, ...(type === undefined ? {} : { type }) },
      get explanation() {
        return explain(policy, burn);
      },
    },
  ];
}

function explain(
  policy: BurnPolicy,
  { slo, objective, thresholdMs, windows, budgetRemaining }: BurnRate,
): string {
  const { total, bad, rate = 0 } = windows[policy.long];
  const slow = thresholdMs === undefined ? '' : ` or exceeded ${thresholdMs} ms`;
  const left = Math.round((budgetRemaining ?? 0) * 100);
  return (
    `${slo}: ${bad} of ${total} operations failed${slow} in ${policy.long}, ${figure(rate)} times the rate that ` +
    `the objective of ${Math.round(objective * 1e5) / 1e3} % allows; ${left} % of the 3-day error budget is left`
  );
}
