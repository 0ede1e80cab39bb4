import { duration } from '../text/quantities.js';
import type { AlertRule } from './alert.js';
import type { MissingTrafficRuleOptions } from './alert-options.js';
import type { AlertSources } from './alert-sources.js';
import { commonOf } from './rule-common.js';

const MINUTE_MS = 60_000;
const HOUR_MINUTES = 60;
/**
 * So many operations are expected within the time without one. Where they come at random, so many stay away by chance in one
 * of 500 million such times.
 */
const EXPECTED = 20;

/** Operations that have stopped. Only this rule fires by the mere passing of time. */
export function missingTrafficRule(
  options: MissingTrafficRuleOptions,
  sources: Pick<AlertSources, 'operation' | 'type' | 'quietMs'>,
): AlertRule {
  const { operation, withinMinutes = 5 } = options;
  const type = options.type ?? (operation === undefined ? 'http' : undefined);
  const subject = operation ?? (type as string);
  const labels = {
    ...(operation === undefined ? {} : { operation }),
    ...(type === undefined ? {} : { type }),
  };
  return {
    ...commonOf(options, withinMinutes * MINUTE_MS),
    unit: 'ms',
    minCount: options.minCount ?? Math.ceil((EXPECTED * HOUR_MINUTES) / withinMinutes),
    read() {
      const value = sources.quietMs?.(type, operation) ?? 0;
      if (!Number.isFinite(value)) return [];
      const hour =
        operation === undefined ? sources.type(subject, 'hour') : sources.operation(operation, 'hour', type);
      return [{ subject, value, count: hour?.count ?? 0, labels }];
    },
    describe: ({ value, count = 0 }) =>
      value > withinMinutes * MINUTE_MS
        ? `No ${subject} operation for ${duration(value)} (threshold ${duration(withinMinutes * MINUTE_MS)}), and ${count} in the last hour`
        : `There are ${subject} operations again`,
  };
}
