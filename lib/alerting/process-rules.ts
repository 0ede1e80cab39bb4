import type { AlertRule } from './alert.js';
import type {
  EventLoopDelayRuleOptions,
  EventLoopUtilizationRuleOptions,
  HeapUsedRuleOptions,
} from './alert-options.js';
import type { AlertSources } from './alert-sources.js';
import { commonOf, inMs, percent } from './rule-name.js';

/** The share of the heap limit that is in use. Resolves a tenth below the threshold: a heap hovers by more. */
export function heapUsedRule(options: HeapUsedRuleOptions, sources: Pick<AlertSources, 'heap'>): AlertRule {
  return {
    ...commonOf(options, options.threshold, { severity: 'critical', hysteresis: 0.1 }),
    unit: '%',
    read: () => {
      const { used, limit } = sources.heap();
      return [{ value: Math.round((used / limit) * 1000) / 10 }];
    },
    describe: ({ value }) =>
      `${percent(value)} of the heap limit is in use (limit ${percent(options.threshold)})`,
  };
}

/** How late timers are: one stall is told of at once, and held for a minute, since they come in bunches. */
export function eventLoopDelayRule(
  options: EventLoopDelayRuleOptions,
  sources: Pick<AlertSources, 'eventLoop'>,
): AlertRule {
  return {
    ...commonOf(options, options.thresholdMs, { keepFiringSeconds: 60 }),
    unit: 'ms',
    read: () => {
      const { delayMaxMs } = sources.eventLoop();
      return delayMaxMs === undefined ? [] : [{ value: delayMaxMs }];
    },
    describe: ({ value }) =>
      `The event loop was late by ${inMs(value)} within the last second (limit ${inMs(options.thresholdMs)})`,
  };
}

/** How busy the loop is. One busy second is no matter, a busy minute is. */
export function eventLoopUtilizationRule(
  options: EventLoopUtilizationRuleOptions,
  sources: Pick<AlertSources, 'eventLoop'>,
): AlertRule {
  return {
    ...commonOf(options, options.threshold, { forSeconds: 60, keepFiringSeconds: 60 }),
    unit: 'ratio',
    read: () => {
      const { utilization } = sources.eventLoop();
      return utilization === undefined ? [] : [{ value: utilization }];
    },
    describe: ({ value }) =>
      `The event loop is busy ${percent(value * 100)} of the time (limit ${percent(options.threshold * 100)})`,
  };
}
