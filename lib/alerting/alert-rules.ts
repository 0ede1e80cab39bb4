import type { AlertRule } from './alert.js';

/** The name of the rule on the heap. */
export const HEAP_USED = 'heap_used';

/** A rule resolves once its figure is a fifth below the threshold. */
const HYSTERESIS = 0.8;

/** The share of slow operations of a type within the last minute. */
export function slowPercentageRule(
  limits: { threshold: number; minCount: number },
  lastMinute: () => { type: string; count: number; slowPercentage: number }[],
): AlertRule {
  return {
    name: 'slow_percentage',
    unit: '%',
    threshold: limits.threshold,
    resolveBelow: limits.threshold * HYSTERESIS,
    minCount: limits.minCount,
    read: () =>
      lastMinute().map(({ type, count, slowPercentage }) => ({
        subject: type,
        value: slowPercentage,
        count,
      })),
    describe: ({ subject, value, count }) =>
      `${percent(value)} of the ${count ?? 0} ${subject} operations of the last minute were slow (limit ${percent(limits.threshold)})`,
  };
}

/** The share of the heap limit that is in use. Resolves a tenth below the threshold: a heap hovers by more. */
export function heapUsedRule(
  limits: { threshold: number },
  heap: () => { used: number; limit: number },
): AlertRule {
  return {
    name: HEAP_USED,
    unit: '%',
    threshold: limits.threshold,
    resolveBelow: limits.threshold * 0.9,
    read: () => {
      const { used, limit } = heap();
      return [{ value: Math.round((used / limit) * 1000) / 10 }];
    },
    describe: ({ value }) =>
      `${percent(value)} of the heap limit is in use (limit ${percent(limits.threshold)})`,
  };
}

function percent(value: number): string {
  return `${Math.round(value * 10) / 10} %`;
}
