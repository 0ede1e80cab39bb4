import type { PartName } from '../statistics/operation-window.js';

/** What can get worse: the middle of the latencies (median and mean), their tail, errors, statements per operation. */
export const REGRESSION_METRICS = ['latency', 'tail_latency', 'error_rate', 'queries'] as const;
export type RegressionMetric = (typeof REGRESSION_METRICS)[number];

/** A part of the operation's time, per operation, before and since. */
export interface ChangedPart {
  readonly part: PartName;
  readonly beforeMs: number;
  readonly nowMs: number;
}

/** A change for the worse that a test accepted. Plain data, fit for JSON; moments are milliseconds since 1970. */
export interface Regression {
  /** The same for the same operation, metric and beginning. */
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly metric: RegressionMetric;
  /** What it is compared with: what the operation was like before, or what the last `service.version` was like. */
  readonly against: 'baseline' | 'version';
  readonly version?: string;
  readonly previousVersion?: string;
  /** `over`: it went away, or was taken for the new normal after a day. */
  readonly state: 'open' | 'over';
  /** When it began as far as can be told, when it was certain, and when it was over. */
  readonly since: number;
  readonly detectedAt: number;
  readonly overAt?: number;
  /** In milliseconds (`latency`: the median; `tail_latency`: the p99), as a share of 0 to 1, or statements per operation. */
  readonly before: number;
  readonly now: number;
  /**
   * `now` as a share more than `before` (0.2: a fifth more), and its 95 % interval; of `error_rate` the difference of
   * the two shares.
   */
  readonly change: number;
  readonly interval: readonly [number, number];
  /** How probable a change as great as this is where nothing changed. */
  readonly pValue: number;
  /** Operations behind `now`. */
  readonly count: number;
  /** The parts that grew, the one that grew most first; empty where they are not known. */
  readonly parts: readonly ChangedPart[];
  /** Statements, calls and the like that got worse at the same time: they may be why. */
  readonly alongside?: readonly Pick<Regression, 'type' | 'name' | 'metric' | 'change' | 'since'>[];
  /** Some sentences for a person. */
  readonly explanation: string;
}
