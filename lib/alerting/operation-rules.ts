import { type Failures, failureCountOf, failurePercentage, MIN_JUDGED } from '../statistics/failures.js';
import { type LatencySummary, timedCountOf } from '../statistics/latency-summary.js';
import type { WindowName } from '../statistics/operation-statistics.js';
import { milliseconds, percent } from '../text/quantities.js';
import type { AlertRule, RuleReading } from './alert.js';
import type { ErrorRateRuleOptions, LatencyRuleOptions, SlowPercentageRuleOptions } from './alert-options.js';
import type { AlertSources } from './alert-sources.js';
import { commonOf } from './rule-common.js';

type OperationRuleOptions = SlowPercentageRuleOptions | LatencyRuleOptions | ErrorRateRuleOptions;

/** The p99 of fewer than 100 operations is the slowest one. */
const MIN_COUNT_P99 = 100;

/** A rule on the latency or the errors of operations: of one operation, of one type, or of each type. */
export function operationRule(options: OperationRuleOptions, sources: AlertSources): AlertRule {
  const { operation, type, window = 'minute' } = options;
  const isP99 = options.kind === 'latency' && options.percentile === 'p99';
  const limit = options.kind === 'latency' ? options.thresholdMs : options.threshold;
  const reading = (
    subject: string,
    summary: LatencySummary | undefined,
    labels: { operation?: string; type?: string },
  ): RuleReading[] => {
    const value = summary === undefined ? undefined : figureOf(options, summary);
    if (value === undefined) return [];
    return [{ subject, value, count: countOf(options, summary), ...quietness(sources, labels), labels }];
  };
  const rule: Omit<AlertRule, 'read'> = {
    ...commonOf(options, limit),
    unit: options.kind === 'latency' ? 'ms' : '%',
    minCount: options.minCount ?? (isP99 ? MIN_COUNT_P99 : MIN_JUDGED),
    describe: ({ subject, value, count = 0, explanation = '' }) => {
      if (count === 0) return `No ${subject} operations in the last ${window}`;
      const operations = `${count} ${subject} operations in the last ${window}`;
      if (options.kind === 'slow_percentage')
        return `${percent(value / 100)} of ${operations} were slow (threshold ${percent(limit / 100)})`;
      if (options.kind === 'error_rate')
        return `${percent(value / 100)} of ${operations} failed (threshold ${percent(limit / 100)})${explanation}`;
      return `The ${options.percentile} of ${operations} is ${milliseconds(value)} (threshold ${milliseconds(limit)})`;
    },
  };
  const perOperation = options.kind === 'error_rate' && options.perOperation === true;
  return {
    ...rule,
    read(): RuleReading[] {
      if (operation !== undefined) {
        const labels = type === undefined ? { operation } : { operation, type };
        return reading(operation, sources.operation(operation, window, type), labels);
      }
      const types = type === undefined ? sources.types() : [type];
      const readings: RuleReading[] = types.flatMap((each) =>
        reading(each, sources.type(each, window), { type: each }),
      );
      return perOperation
        ? [...readings, ...failingOperations(rule, readings, sources, window, type)]
        : readings;
    },
  };
}

/**
 * Readings of single operations that fail. While a whole type fails, that is one alert: its operations neither begin nor
 * resolve alerts of their own.
 */
function failingOperations(
  { threshold, resolveBelow, minCount = 0 }: Omit<AlertRule, 'read'>,
  ofTypes: readonly RuleReading[],
  sources: AlertSources,
  window: WindowName,
  type: string | undefined,
): RuleReading[] {
  const failing = sources.failing(window);
  const failingTypes = new Map<string | undefined, RuleReading>();
  for (const reading of ofTypes) {
    const { subject, value, count = 0 } = reading;
    if (value <= threshold || count < minCount) continue;
    failingTypes.set(subject, reading);
    const worst = mostFailures(failing.filter((one) => one.type === subject));
    if (worst !== undefined)
      reading.explanation = `, most often ${worst.name} (${worst.failureCount} of ${worst.count})`;
  }
  const readings: RuleReading[] = [];
  for (const one of failing) {
    const value = failurePercentage(one) ?? 0;
    if (value <= resolveBelow || (type !== undefined && one.type !== type)) continue;
    const labels = { operation: one.name, type: one.type };
    readings.push({
      subject: one.name,
      key: `${one.type}\n${one.name}`,
      value,
      count: one.count,
      ...(failingTypes.has(one.type) ? { isCoveredByType: true } : {}),
      ...quietness(sources, labels),
      labels,
    });
  }
  return readings;
}

function quietness(
  sources: AlertSources,
  { type, operation }: { operation?: string; type?: string },
): Pick<RuleReading, 'quietMs'> {
  return sources.quietMs === undefined ? {} : { quietMs: () => sources.quietMs?.(type, operation) ?? 0 };
}

function mostFailures(failing: readonly Failures[]): Failures | undefined {
  let worst = failing[0];
  for (const one of failing) if (one.failureCount > (worst?.failureCount ?? 0)) worst = one;
  return worst;
}

/** The operations that the figure is about. */
function countOf({ kind }: OperationRuleOptions, summary: LatencySummary | undefined): number {
  if (summary === undefined) return 0;
  return kind === 'error_rate' ? summary.count : timedCountOf(summary);
}

/** undefined without data; a share of no operations is 0, so that its alert resolves. */
function figureOf(options: OperationRuleOptions, summary: LatencySummary): number | undefined {
  switch (options.kind) {
    case 'slow_percentage':
      return summary.slowPercentage;
    case 'error_rate':
      return failurePercentage({ count: summary.count, failureCount: failureCountOf(summary) }) ?? 0;
    case 'latency':
      return summary[options.percentile];
  }
}
