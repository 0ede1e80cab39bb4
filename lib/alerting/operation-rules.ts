import type { LatencySummary } from '../monitor/operation-statistics.js';
import type {
  ErrorRateRuleOptions,
  LatencyRuleOptions,
  SlowPercentageRuleOptions,
} from '../options/alert-options.js';
import type { AlertRule, RuleReading } from './alert.js';
import type { AlertSources } from './alert-sources.js';
import { commonOf, inMs, percent } from './rule-name.js';

type OperationRuleOptions = SlowPercentageRuleOptions | LatencyRuleOptions | ErrorRateRuleOptions;

/** Below that a figure is an accident; a p99 of fewer than a hundred is the slowest one. */
const MIN_COUNT = 20;
const MIN_COUNT_P99 = 100;

/** Rules on the latencies and errors of operations: of one, of a type, or of each type by itself. */
export function operationRule(options: OperationRuleOptions, sources: AlertSources): AlertRule {
  const { operation, type, window = 'minute' } = options;
  const isP99 = options.kind === 'latency' && options.percentile === 'p99';
  const limit = options.kind === 'latency' ? options.thresholdMs : options.threshold;
  const reading = (subject: string, summary: LatencySummary | undefined, labels: Record<string, string>) => {
    const value = summary === undefined ? undefined : figureOf(options, summary);
    return value === undefined ? [] : [{ subject, value, count: summary?.count ?? 0, labels }];
  };
  return {
    ...commonOf(options, limit),
    unit: options.kind === 'latency' ? 'ms' : '%',
    minCount: options.minCount ?? (isP99 ? MIN_COUNT_P99 : MIN_COUNT),
    read(): RuleReading[] {
      if (operation !== undefined) {
        const labels: Record<string, string> = type === undefined ? { operation } : { operation, type };
        return reading(operation, sources.operation(operation, window, type), labels);
      }
      const types = type === undefined ? sources.types() : [type];
      return types.flatMap((each) => reading(each, sources.type(each, window), { type: each }));
    },
    describe: ({ subject, value, count }) => {
      const of = `the ${count ?? 0} ${subject} operations of the last ${window}`;
      if (options.kind === 'slow_percentage')
        return `${percent(value)} of ${of} were slow (limit ${percent(limit)})`;
      if (options.kind === 'error_rate') return `${percent(value)} of ${of} failed (limit ${percent(limit)})`;
      return `The ${options.percentile} of ${of} is ${inMs(value)} (limit ${inMs(limit)})`;
    },
  };
}

/** The figure, or nothing without operations; a share of none is 0, so that a rule on it resolves. */
function figureOf(options: OperationRuleOptions, summary: LatencySummary): number | undefined {
  switch (options.kind) {
    case 'slow_percentage':
      return summary.slowPercentage;
    case 'error_rate':
      return summary.count === 0 ? 0 : (summary.errorCount / summary.count) * 100;
    case 'latency':
      return summary[options.percentile];
  }
}
