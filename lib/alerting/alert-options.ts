import type { RegressionMetric } from '../baseline/regression.js';
import type { Severity } from '../explain/finding.js';
import type { LeakingMemory } from '../leaks/leak.js';
import type { NotifierOptions, ResolvedNotifierOptions } from './notifier-options.js';

/** What alerts, and whom it tells. */
export interface AlertOptions {
  /** Default true. */
  enabled?: boolean | undefined;
  /** Milliseconds between two evaluations. Default 5000. */
  intervalMs?: number | undefined;
  /** Percent of slow operations of a type above which it alerts, once there are `minCount`. Default 5 and 20. */
  slowPercentage?: { threshold?: number | undefined; minCount?: number | undefined } | undefined;
  /**
   * Percent of failures above which it alerts, once there are `minCount` operations: of a type, and of one operation.
   * Default 50 and 20: more than half fails.
   */
  errorRate?: { threshold?: number | undefined; minCount?: number | undefined } | undefined;
  /** Percent of the heap limit in use above which it alerts. Default 90. */
  heapUsed?: { threshold?: number | undefined } | undefined;
  /**
   * The default rules: `slow_percentage`, `error_rate` (after 30 seconds; critical for incoming requests), `heap_used`,
   * `leak` (a confirmed one) and `regression`. A rule of yours with one of these names stands in its place. Default true.
   */
  defaultRules?: boolean | undefined;
  /** Rules of your own. */
  rules?: AlertRuleOptions[] | undefined;
  /** Objectives; each alerts when its error budget is spent too fast. */
  slos?: SloOptions[] | undefined;
  /** When what is not told. `monitor.silence()` adds one while the application runs. */
  silences?: SilenceOptions[] | undefined;
  /**
   * What is beyond it waits, and what is over before it was told is counted in the next notification. That something
   * told is resolved is always told. Default 60.
   */
  maxNotificationsPerHour?: number | undefined;
  /** Seconds after which what still fires is told again. Default: never. */
  repeatIntervalSeconds?: number | undefined;
  notifiers?: NotifierOptions | undefined;
}

/** What every rule can be given. */
export interface AlertRuleCommon {
  /** Unique among the rules. Default: the kind, with what it is about where that is given: `error_rate GET /orders`. */
  name?: string | undefined;
  /** Default `warning`; of `heap_used` `critical`. */
  severity?: Severity | undefined;
  /** Seconds that it must hold before it fires. Default 0; of `event_loop_utilization` 60. */
  forSeconds?: number | undefined;
  /** Seconds that it must be gone before it is resolved. Default 0; of the kinds about the event loop 60. */
  keepFiringSeconds?: number | undefined;
  /** It resolves when its figure is that share below the threshold. Default 0.2; of `heap_used` 0.1. */
  hysteresis?: number | undefined;
  /** Given along with its alerts. */
  labels?: Record<string, string> | undefined;
}

/** Which operations: one by its name (`GET /orders`), all of a type, one name of one type; else each type by itself. */
interface OfOperations {
  operation?: string | undefined;
  type?: string | undefined;
  /** Default `minute`. */
  window?: 'minute' | 'hour' | undefined;
  /** Operations in the window below which it does not begin. Default 20; of the p99 100. */
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
 * Percent of operations that failed. Expected errors are not counted: 4xx answers to outgoing calls, exceptions that Nest
 * answers with 4xx, and work for a client that has gone away.
 */
export interface ErrorRateRuleOptions extends AlertRuleCommon, OfOperations {
  kind: 'error_rate';
  threshold: number;
  /**
   * Also evaluates each operation of the type, or of each type, by itself. An operation does not begin to fire while
   * its type exceeds the threshold. Not with `operation`. Default false.
   */
  perOperation?: boolean;
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
  /** `suspect`: from the first suspicion on. Default `confirmed`. */
  state?: 'suspect' | 'confirmed' | undefined;
  /** Default: each. */
  memory?: LeakingMemory | undefined;
}

/** Regressions that are open. */
export interface RegressionRuleOptions extends AlertRuleCommon {
  kind: 'regression';
  operation?: string | undefined;
  metric?: RegressionMetric | undefined;
  /** The least change in percent. Default 0: each that the test accepts. */
  minChangePercent?: number | undefined;
}

/** Findings that were seen within the last minutes. */
export interface FindingRuleOptions extends AlertRuleCommon {
  kind: 'n_plus_one' | 'event_loop_block';
  /** The operation within which it was seen. Default: each. */
  operation?: string | undefined;
  /** Milliseconds of the worst time above which it alerts. Default 0. */
  thresholdMs?: number | undefined;
  /** Default 5. */
  withinMinutes?: number | undefined;
}

export type AlertRuleOptions =
  | SlowPercentageRuleOptions
  | LatencyRuleOptions
  | ErrorRateRuleOptions
  | HeapUsedRuleOptions
  | EventLoopDelayRuleOptions
  | EventLoopUtilizationRuleOptions
  | LeakRuleOptions
  | RegressionRuleOptions
  | FindingRuleOptions;

/**
 * What share of an operation is to be good. An operation is bad when it fails or takes longer than `thresholdMs`. It
 * alerts when the error budget burns 14.4 times too fast (in 1 h and 5 min, `slo_burn_fast`), 6 times (6 h and 30 min,
 * `slo_burn_medium`), or at all (3 d and 6 h, `slo_burn_slow`, a warning): with 3 bad ones at least, and more than chance
 * makes of an operation that spends its budget exactly.
 */
export interface SloOptions {
  /** Unique. Default: the operation. */
  name?: string | undefined;
  /** The name of an operation: `GET /orders`, `OrdersService.place`. */
  operation: string;
  /** Only when it is of that type. */
  type?: string | undefined;
  /** The share that is to be good, 0.5 to 0.99999. */
  objective: number;
  /** Milliseconds. Without it only failures are bad. */
  thresholdMs?: number | undefined;
}

/** What is not told, and when. All that is given must fit; at least one must be given. */
export interface SilenceOptions {
  /** The name of a rule, where `*` stands for anything. */
  rule?: string | undefined;
  /** What the alert is about, such as `GET /reports/*`. */
  subject?: string | undefined;
  /** Moments: a `Date`, milliseconds since 1970, or a date as in ISO 8601. */
  from?: Date | number | string | undefined;
  until?: Date | number | string | undefined;
  /** Times of day on the clock of the process (`TZ`), such as 02:00 to 04:00; over midnight when `to` is earlier. */
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
