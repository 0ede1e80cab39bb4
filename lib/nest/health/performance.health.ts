import { Inject, Injectable } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { liveSpanOf } from '../../spans/live-span.js';
import { failureCountOf, failurePercentage, MIN_JUDGED, MOST_PERCENT } from '../../statistics/failures.js';
import type { Complete } from '../../validation/complete.js';
import { formatValue } from '../../validation/options-error.js';

/** The limits of a check. A figure above its limit is unhealthy; one without data is not looked at. */
export interface PerformanceHealthLimits {
  /** Percent of slow operations within the last minute, over all types. Default 20. */
  slowPercentage?: number | undefined;
  /**
   * Percent of failed operations within the last minute, of the type of which most failed: `http` are the incoming
   * requests, `database` the statements. Types are not added up, since the queries of a request that fails may all
   * succeed. Default 50: more than half fails, which is an outage for any service, while retries that succeed at the
   * second attempt stay below.
   *
   * Failures of incoming requests are 5xx answers. Expected errors do not count: 4xx answers to outgoing calls,
   * exceptions that Nest answers with 4xx, and work for a client that has gone away.
   */
  errorPercentage?: number | undefined;
  /**
   * The same of the single operation of which most failed, such as one route or one statement. A route whose requests all
   * fail is hidden in `errorPercentage` by the traffic of the others. Default 50. Where `severity: 'down'` takes an
   * instance out of rotation, 100 turns this off, so that one broken route does not take the others with it.
   */
  operationErrorPercentage?: number | undefined;
  /** Operations there must be within the last minute for each of these percentages. Default 20. */
  minCount?: number | undefined;
  /** Percent of the heap limit in use. Default 90. */
  heapUsedPercentage?: number | undefined;
  /** The share of the last second in which the event loop was busy, 0 to 1. Default 0.98. */
  eventLoopUtilization?: number | undefined;
  /** The longest delay of a timer within the last second, in milliseconds. Default 1000. */
  eventLoopDelayMs?: number | undefined;
  /** What to answer above a limit: `degraded` (terminus 12: still HTTP 200) or `down`. Default `degraded`. */
  severity?: 'degraded' | 'down' | undefined;
}

// Terminus 11 accepts no `degraded`. The comment below, which the declaration file keeps, permits the import where terminus
// is not installed; its type is then one of the compiler's errors, whose keys are those of `any`.
// biome-ignore lint/suspicious/noTsIgnore: it is installed here, so there is no error to expect.
/** @ts-ignore terminus is an optional peer */
type TerminusStatus = import('@nestjs/terminus').HealthIndicatorStatus;

/** The status of the indicator. `degraded` is possible since terminus 12. */
export type PerformanceHealthStatus = symbol extends keyof TerminusStatus
  ? 'up' | 'down' | 'degraded'
  : TerminusStatus;

/** The result of the indicator, as a health check of the installed terminus accepts it. */
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
 * Terminus is loaded when it is first asked, so that an application without it does not need it.
 */
@Injectable()
export class PerformanceHealthIndicator {
  constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

  /**
   * Holds the present figures against the limits.
   * @param key the name of the indicator in the health check's answer
   * @throws RangeError for a limit that is not a number of at least 0
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
    let count = 0;
    let slow = 0;
    let errorPercentage: number | undefined;
    for (const type of this.monitor.lastMinute()) {
      count += type.count;
      slow += type.slowCount;
      const failures = { count: type.count, failureCount: failureCountOf(type) };
      errorPercentage = greater(errorPercentage, failurePercentage(failures, minCount));
    }
    let operationErrorPercentage: number | undefined;
    for (const operation of this.monitor.failing()) {
      operationErrorPercentage = greater(operationErrorPercentage, failurePercentage(operation, minCount));
    }
    return {
      slowPercentage: count > 0 && count >= minCount ? rounded((slow / count) * 100) : undefined,
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
 * The health check is about to be answered with 503. That answer must not count as a failure: where health checks are most
 * of the traffic left, they would keep the service down for good.
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
        ? `isHealthy: ${name} is ${formatValue(value)}, which is not allowed: give ${what}`
        : `isHealthy: ${name} is not a limit: give one of ${Object.keys(DEFAULTS).join(', ')}`,
    );
  }
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
