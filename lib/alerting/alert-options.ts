import type { RegressionMetric } from '../baseline/regression.js';
import type { Severity } from '../explain/finding.js';
import type { LeakingMemory } from '../leaks/leak.js';
import type { NotifierOptions, ResolvedNotifierOptions } from './notifier-options.js';

/** Alert rules, objectives and notification channels. */
export interface AlertOptions {
  /** Default true. */
  enabled?: boolean | undefined;
  /** Milliseconds between two evaluations. Default 5000. */
  intervalMs?: number | undefined;
  /** Fires if more than `threshold` percent of at least `minCount` operations of a type are slow. Default 5 and 20. */
  slowPercentage?: { threshold?: number | undefined; minCount?: number | undefined } | undefined;
  /**
   * Fires if more than `threshold` percent of at least `minCount` operations fail: of a type, or of one operation. Default 50
   * and 20: more than half fails.
   */
  errorRate?: { threshold?: number | undefined; minCount?: number | undefined } | undefined;
  /** Fires if more than this percentage of the heap limit is used. Default 90. */
  heapUsed?: { threshold?: number | undefined } | undefined;
  /**
   * The default rules: `slow_percentage`, `error_rate` (after 30 seconds; critical for incoming requests), `heap_used`,
   * `leak` (a confirmed one) and `regression`. A rule of your own with one of these names replaces it. Default true.
   */
  defaultRules?: boolean | undefined;
  /** Rules of your own. */
  rules?: AlertRuleOptions[] | undefined;
  /** Objectives (SLOs). An objective fires if its error budget burns too fast. */
  slos?: SloOptions[] | undefined;
  /** Alerts without notifications. `monitor.silence()` adds a silence at runtime. */
  silences?: SilenceOptions[] | undefined;
  /**
   * Alerts beyond the limit wait. Those resolved before their notification are counted in the next one. Notifications of
   * resolved alerts are not limited. Default 60.
   */
  maxNotificationsPerHour?: number | undefined;
  /** Seconds after which the notification of a firing alert is repeated. Default: never. */
  repeatIntervalSeconds?: number | undefined;
  notifiers?: NotifierOptions | undefined;
}

/** The options common to all rules. */
export interface AlertRuleCommon {
  /** Unique among the rules. Default: the kind and its subject, such as `error_rate GET /orders`. */
  name?: string | undefined;
  /** Default `warning`; for `heap_used` `critical`. */
  severity?: Severity | undefined;
  /** Seconds for which the condition must hold before the alert fires. Default 0; for `event_loop_utilization` 60. */
  forSeconds?: number | undefined;
  /** Seconds for which the condition must be gone before the alert resolves. Default 0; for `event_loop_*` 60. */
  keepFiringSeconds?: number | undefined;
  /** The alert resolves once the value is this share below the threshold. Default 0.2 (20 %); for `heap_used` 0.1. */
  hysteresis?: number | undefined;
  /** Added to its alerts. */
  labels?: Record<string, string> | undefined;
}

/** Selects one operation by name (`GET /orders`), all of a type, or one name of one type. Default: each type. */
interface OfOperations {
  operation?: string | undefined;
  type?: string | undefined;
  /** Default `minute`. */
  window?: 'minute' | 'hour' | undefined;
  /** The least number of operations in the window. Default 20; for the p99 100. */
  minCount?: number | undefined;
}

/** Percent of slow operations. */
export interface SlowPercentageRuleOptions extends AlertRuleCommon, OfOperations {
  kind: 'slow_percentage';
  threshold: number;
}

export interface LatencyRuleOptions extends AlertRuleCommon, OfOperations {
  kind: 'latency';
  percentile: 'p50' | 'p95' | 'p99';
  thresholdMs: number;
}

/**
 * Percent of failed operations. Expected errors do not count: 4xx responses to outgoing calls, exceptions that Nest answers
 * with 4xx, and work for a client that has disconnected.
 */
export interface ErrorRateRuleOptions extends AlertRuleCommon, OfOperations {
  kind: 'error_rate';
  threshold: number;
  /**
   * Also evaluates each operation separately. An operation does not fire while its type exceeds the threshold. Not allowed
   * with `operation`. Default false.
   */
  perOperation?: boolean;
}

/** No operation for a while, where there were many in the hour before. */
export interface MissingTrafficRuleOptions extends AlertRuleCommon {
  kind: 'missing_traffic';
  /** The name of an operation: `GET /orders`. Default: all of the type. */
  operation?: string | undefined;
  /** Default: that of the operation; without one `http`, incoming requests. */
  type?: string | undefined;
  /** Fires without an operation for this long. Default 5. */
  withinMinutes?: number | undefined;
  /** The least number of operations in the last hour. Default: as many as make 20 within `withinMinutes`. */
  minCount?: number | undefined;
}

/** Percent of the heap limit. */
export interface HeapUsedRuleOptions extends AlertRuleCommon {
  kind: 'heap_used';
  threshold: number;
}

/** The longest delay of a timer within the last second. */
export interface EventLoopDelayRuleOptions extends AlertRuleCommon {
  kind: 'event_loop_delay';
  thresholdMs: number;
}

/** The share of the last second in which the event loop was busy, 0 to 1. */
export interface EventLoopUtilizationRuleOptions extends AlertRuleCommon {
  kind: 'event_loop_utilization';
  threshold: number;
}

export interface LeakRuleOptions extends AlertRuleCommon {
  kind: 'leak';
  /** `suspect` also includes leaks that are not confirmed. Default `confirmed`. */
  state?: 'suspect' | 'confirmed' | undefined;
  /** Default: all. */
  memory?: LeakingMemory | undefined;
}

/** Open regressions. */
export interface RegressionRuleOptions extends AlertRuleCommon {
  kind: 'regression';
  operation?: string | undefined;
  metric?: RegressionMetric | undefined;
  /** The smallest change in percent. Default 0: every significant regression. */
  minChangePercent?: number | undefined;
}

/** Findings of the last minutes. */
export interface FindingRuleOptions extends AlertRuleCommon {
  kind: 'n_plus_one' | 'event_loop_block' | 'overlapping_runs' | 'missed_runs';
  /** The operation in which it was found. Default: all. */
  operation?: string | undefined;
  /** Fires if the worst occurrence took more than this, in milliseconds. Default 0. */
  thresholdMs?: number | undefined;
  /** Default 5. */
  withinMinutes?: number | undefined;
}

export type AlertRuleOptions =
  | SlowPercentageRuleOptions
  | LatencyRuleOptions
  | ErrorRateRuleOptions
  | MissingTrafficRuleOptions
  | HeapUsedRuleOptions
  | EventLoopDelayRuleOptions
  | EventLoopUtilizationRuleOptions
  | LeakRuleOptions
  | RegressionRuleOptions
  | FindingRuleOptions;

/**
 * An objective for the share of good executions of an operation. An execution is bad if it fails or takes longer than
 * `thresholdMs`. It fires at a burn rate above 14.4 (in 1 h and 5 min, `slo_burn_fast`), 6 (6 h and 30 min,
 * `slo_burn_medium`) or 1 (3 d and 6 h, `slo_burn_slow`, a warning), with at least 3 bad executions, and only if a service
 * meeting its objective would not show that many by chance.
 */
export interface SloOptions {
  /** Unique. Default: the operation. */
  name?: string | undefined;
  /** The name of an operation: `GET /orders`, `OrdersService.place`. */
  operation: string;
  /** Counts only operations of this type. */
  type?: string | undefined;
  /** The required share of good executions, 0.5 to 0.99999. */
  objective: number;
  /** In milliseconds. Without it, only failures are bad. */
  thresholdMs?: number | undefined;
}

/** Suppresses notifications of alerts. All given criteria must match; at least one is required. */
export interface SilenceOptions {
  /** The name of a rule; `*` matches any characters. */
  rule?: string | undefined;
  /** The subject of the alert, such as `GET /reports/*`. */
  subject?: string | undefined;
  /** A `Date`, milliseconds since 1970, or an ISO 8601 date. */
  from?: Date | number | string | undefined;
  until?: Date | number | string | undefined;
  /** Times of day in the time zone of the process (`TZ`), such as 02:00 to 04:00; past midnight if `to` is earlier. */
  daily?: { from: string; to: string } | undefined;
}

export interface ResolvedAlertOptions {
  readonly enabled: boolean;
  readonly intervalMs: number;
  readonly slowPercentage: { readonly threshold: number; readonly minCount: number };
  readonly errorRate: { readonly threshold: number; readonly minCount: number };
  readonly heapUsed: { readonly threshold: number };
  readonly defaultRules: boolean;
  readonly rules: readonly AlertRuleOptions[];
  readonly slos: readonly SloOptions[];
  readonly silences: readonly SilenceOptions[];
  readonly maxNotificationsPerHour: number;
  readonly repeatIntervalSeconds: number | undefined;
  readonly notifiers: ResolvedNotifierOptions;
}
