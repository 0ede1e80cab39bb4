import { Inject, Injectable } from '@nestjs/common';
import { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { Complete } from '../options/complete.js';
import { show } from '../options/options-error.js';

/** The limits of a check. A figure above its limit is unhealthy; one without data is not looked at. */
export interface PerformanceHealthLimits {
  /** Percent of slow operations within the last minute, over all types. Default 20. */
  slowPercentage?: number | undefined;
  /** Operations there must be within the last minute for that. Default 20. */
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
  minCount: 20,
  heapUsedPercentage: 90,
  eventLoopUtilization: 0.98,
  eventLoopDelayMs: 1000,
  severity: 'degraded',
};

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
    const exceeded = Object.entries(figures)
      .filter(([name, value]) => value !== undefined && value > merged[name as keyof typeof figures])
      .map(([name, value]) => `${name} is ${value}, the limit is ${merged[name as keyof typeof figures]}`);
    const data = { ...figures, ...(exceeded.length === 0 ? {} : { exceeded }) };
    if (exceeded.length === 0) return session.up(data) as PerformanceHealthResult<Key>;
    const degraded = merged.severity === 'degraded' && session.degraded !== undefined;
    return (degraded ? session.degraded?.(data) : session.down(data)) as PerformanceHealthResult<Key>;
  }

  private figures(minCount: number): {
    slowPercentage?: number;
    heapUsedPercentage?: number;
    eventLoopUtilization?: number;
    eventLoopDelayMs?: number;
  } {
    const { memory, eventLoop } = this.monitor.resources.current();
    let count = 0;
    let slow = 0;
    for (const type of this.monitor.lastMinute()) {
      count += type.count;
      slow += (type.count * type.slowPercentage) / 100;
    }
    return {
      slowPercentage: count >= minCount ? Math.round((slow / count) * 1000) / 10 : undefined,
      heapUsedPercentage: Math.round((memory.heapUsed / memory.heapLimit) * 1000) / 10,
      eventLoopUtilization: eventLoop.utilization,
      eventLoopDelayMs: eventLoop.delayMaxMs,
    };
  }
}

function withoutUndefined(limits: PerformanceHealthLimits): PerformanceHealthLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    const allowed =
      name === 'severity'
        ? value === 'degraded' || value === 'down'
        : name in DEFAULTS && typeof value === 'number' && value >= 0;
    if (allowed) continue;
    const what = name === 'severity' ? "'degraded' or 'down'" : 'a number of at least 0';
    throw new RangeError(
      name in DEFAULTS
        ? `isHealthy: ${name} is ${show(value)}, which is not allowed: give ${what}`
        : `isHealthy: ${name} is not a limit: give one of ${Object.keys(DEFAULTS).join(', ')}`,
    );
  }
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
