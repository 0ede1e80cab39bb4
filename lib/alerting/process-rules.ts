import { milliseconds, percent } from '../text/quantities.js';
import type { AlertRule } from './alert.js';
import type {
  EventLoopDelayRuleOptions,
  EventLoopUtilizationRuleOptions,
  HeapUsedRuleOptions,
} from './alert-options.js';
import type { AlertSources } from './alert-sources.js';
import { commonOf } from './rule-common.js';

/** The used share of the heap limit. Resolves 10 % below the threshold, since garbage collection moves it by that. */
export function heapUsedRule(options: HeapUsedRuleOptions, sources: Pick<AlertSources, 'heap'>): AlertRule {
  return {
    ...commonOf(options, options.threshold, { severity: 'critical', hysteresis: 0.1 }),
    unit: '%',
    read: () => {
      const { used, limit } = sources.heap();
      return [{ value: Math.round((used / limit) * 1000) / 10 }];
    },
    describe: ({ value }) =>
      `The heap uses ${percent(value / 100)} of its limit (threshold ${percent(options.threshold / 100)})`,
  };
}

/** The delay of timers. One stall fires at once and keeps firing for a minute, since stalls come in bunches. */
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
      `The event loop was delayed by ${milliseconds(value)} within the last second (threshold ${milliseconds(options.thresholdMs)})`,
  };
}

/** The utilization of the event loop. It fires for a busy minute, not for a busy second. */
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
      `The event loop is busy ${percent(value)} of the time (threshold ${percent(options.threshold)})`,
  };
}
