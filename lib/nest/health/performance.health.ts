import { Inject, Injectable } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { liveSpanOf } from '../../spans/live-span.js';
import { failureCountOf, failurePercentage, MIN_JUDGED, MOST_PERCENT } from '../../statistics/failures.js';
import { timedCountOf } from '../../statistics/latency-summary.js';
import type { Complete } from '../../validation/complete.js';
import { formatValue, invalid } from '../../validation/options-error.js';

/** The limits of a check. A value above its limit is unhealthy; a value without data is skipped. */
export interface PerformanceHealthLimits {
  /** Slow operations of all types in the last minute, in percent. Default 20. */
  slowPercentage?: number | undefined;
  /**
   * Failed operations in the last minute, in percent, of the type with the highest failure rate (`http`: incoming
   * requests, `database`: statements). Types are not summed, since all queries of a failed request may succeed.
   * Default 50: more than half is an outage for any service, while operations that succeed on their second attempt stay
   * below.
   *
   * Incoming requests fail with 5xx responses. Expected errors do not count: 4xx responses to outgoing calls,
   * exceptions that Nest answers with 4xx, and work for disconnected clients.
   */
  errorPercentage?: number | undefined;
  /**
   * The same for the single operation with the highest failure rate, such as one route or one statement. In
   * `errorPercentage` the traffic of other routes hides a route that always fails. Default 50. 100 disables this limit,
   * so that one broken route does not take an instance with `severity: 'down'` out of rotation.
   */
  operationErrorPercentage?: number | undefined;
  /** The minimum number of operations in the last minute for each of these percentages. Default 20. */
  minCount?: number | undefined;
  /** Used heap in percent of the heap limit. Default 90. */
  heapUsedPercentage?: number | undefined;
  /** The share of the last second in which the event loop was busy, 0 to 1. Default 0.98. */
  eventLoopUtilization?: number | undefined;
  /** The maximum timer delay in the last second, in milliseconds. Default 1000. */
  eventLoopDelayMs?: number | undefined;
  /** The status above a limit: `degraded` (terminus 12: still HTTP 200) or `down`. Default `degraded`. */
  severity?: 'degraded' | 'down' | undefined;
}

// Terminus 11 has no `degraded`. The comment below remains in the declaration file and permits the import if terminus is
// not installed; the type is then an error type, whose keys are those of `any`.
// biome-ignore lint/suspicious/noTsIgnore: it is installed here, so there is no error to expect.
/** @ts-ignore terminus is optional */
type TerminusStatus = import('@nestjs/terminus').HealthIndicatorStatus;

/** The status of the indicator. `degraded` requires terminus 12. */
export type PerformanceHealthStatus = symbol extends keyof TerminusStatus
  ? 'up' | 'down' | 'degraded'
  : TerminusStatus;

/** The result of the indicator, as the installed version of terminus expects it. */
export type PerformanceHealthResult<Key extends string> = Record<
  Key,
  { status: PerformanceHealthStatus } & Record<string, unknown>
>;

interface Session {
  up(data: object): unknown;
  down(data: object): unknown;
  /** Since terminus 12. */
  degraded?(data: object): unknown;
}

const DEFAULTS: Complete<PerformanceHealthLimits> = {
  slowPercentage: 20,
  errorPercentage: MOST_PERCENT,
  operationErrorPercentage: MOST_PERCENT,
  minCount: MIN_JUDGED,
  heapUsedPercentage: 90,
  eventLoopUtilization: 0.98,
  eventLoopDelayMs: 1000,
  severity: 'degraded',
};

const FIGURES = [
  'slowPercentage',
  'errorPercentage',
  'operationErrorPercentage',
  'heapUsedPercentage',
  'eventLoopUtilization',
  'eventLoopDelayMs',
] as const satisfies readonly (keyof PerformanceHealthLimits)[];

/**
 * A health indicator for @nestjs/terminus 11 and 12: `health.check([() => performance.isHealthy('performance')])`.
 * Terminus is loaded on first use, so that it is optional.
 */
@Injectable()
export class PerformanceHealthIndicator {
  constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

  /**
   * Compares the current values with the limits.
   * @param key the name of the indicator in the response of the health check
   * @throws RangeError for an unknown or invalid limit
   */
  async isHealthy<const Key extends string>(
    key: Key,
    limits: PerformanceHealthLimits = {},
  ): Promise<PerformanceHealthResult<Key>> {
    const merged = { ...DEFAULTS, ...withoutUndefined(limits) };
    const { HealthIndicatorService } = await import('@nestjs/terminus');
    const session = new HealthIndicatorService().check(key) as Session;
    const figures = this.figures(merged.minCount);
    const exceeded = FIGURES.filter((name) => (figures[name] ?? 0) > merged[name]).map(
      (name) => `${name} is ${figures[name]}, the limit is ${merged[name]}`,
    );
    const data = { ...figures, ...(exceeded.length === 0 ? {} : { exceeded }) };
    if (exceeded.length === 0) return session.up(data) as PerformanceHealthResult<Key>;
    const degraded = merged.severity === 'degraded' && session.degraded !== undefined;
    if (!degraded) expectError();
    return (degraded ? session.degraded?.(data) : session.down(data)) as PerformanceHealthResult<Key>;
  }

  private figures(minCount: number): {
    slowPercentage?: number;
    errorPercentage?: number;
    operationErrorPercentage?: number;
    heapUsedPercentage?: number;
    eventLoopUtilization?: number;
    eventLoopDelayMs?: number;
  } {
    const { memory, eventLoop } = this.monitor.resources.current();
    let timed = 0;
    let slow = 0;
    let errorPercentage: number | undefined;
    for (const type of this.monitor.lastMinute()) {
      timed += timedCountOf(type);
      slow += type.slowCount;
      const failures = { count: type.count, failureCount: failureCountOf(type) };
      errorPercentage = greater(errorPercentage, failurePercentage(failures, minCount));
    }
    let operationErrorPercentage: number | undefined;
    for (const operation of this.monitor.failing()) {
      operationErrorPercentage = greater(operationErrorPercentage, failurePercentage(operation, minCount));
    }
    return {
      slowPercentage: timed > 0 && timed >= minCount ? rounded((slow / timed) * 100) : undefined,
      errorPercentage: rounded(errorPercentage),
      operationErrorPercentage: rounded(operationErrorPercentage),
      heapUsedPercentage: rounded((memory.heapUsed / memory.heapLimit) * 100),
      eventLoopUtilization: eventLoop.utilization,
      eventLoopDelayMs: eventLoop.delayMaxMs,
    };
  }
}

function greater(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

function rounded(percentage: number): number;
function rounded(percentage: number | undefined): number | undefined;
function rounded(percentage: number | undefined): number | undefined {
  return percentage === undefined ? undefined : Math.round(percentage * 10) / 10;
}

/**
 * Marks the current request's 503 response as expected. If it counted as a failure, health checks alone would keep a
 * service without other traffic down.
 */
function expectError(): void {
  const root = liveSpanOf(trace.getActiveSpan())?.root;
  if (root?.isWaitedFor === true) root.expectsError = true;
}

function withoutUndefined(limits: PerformanceHealthLimits): PerformanceHealthLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    const allowed =
      name === 'severity'
        ? value === 'degraded' || value === 'down'
        : Object.hasOwn(DEFAULTS, name) && typeof value === 'number' && value >= 0;
    if (allowed) continue;
    const what = name === 'severity' ? "'degraded' or 'down'" : 'a number of at least 0';
    throw new RangeError(
      Object.hasOwn(DEFAULTS, name)
        ? `isHealthy: ${invalid(name, formatValue(value), what)}`
        : `isHealthy: ${invalid(name, 'an unknown limit', `one of ${Object.keys(DEFAULTS).join(', ')}`)}`,
    );
  }
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
