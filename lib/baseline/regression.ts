import type { PartName } from '../statistics/operation-window.js';

/** What can get worse: the middle of the latencies (median or mean), their tail, errors, statements per operation. */
export const REGRESSION_METRICS = ['latency', 'tail_latency', 'error_rate', 'queries'] as const;
export type RegressionMetric = (typeof REGRESSION_METRICS)[number];

/** One part of the time of an operation, in milliseconds per operation, before the change and since. */
export interface ChangedPart {
  readonly part: PartName;
  readonly beforeMs: number;
  readonly nowMs: number;
}

/** The size of a change and its statistical evidence. */
interface ChangeFigures {
  readonly metric: RegressionMetric;
  /** What it is compared with: the operation's baseline, or the previous `service.version`. */
  readonly against: 'baseline' | 'version';
  /** When it began, as precisely as its windows allow, in milliseconds since 1970. */
  readonly since: number;
  /** In milliseconds (`latency`: the median; `tail_latency`: the p99), as a share of 0 to 1, or statements per operation. */
  readonly before: number;
  readonly now: number;
  /**
   * The relative change from `before` to `now` (0.2: 20 % more) and its 95 % confidence interval. For `error_rate` the
   * difference of the two shares.
   */
  readonly change: number;
  readonly interval: readonly [number, number];
  /** The probability of a change this great if nothing changed. */
  readonly pValue: number;
  /** Operations behind `now`. */
  readonly count: number;
  /** The parts that grew, the greatest growth first; empty if unknown. */
  readonly parts: readonly ChangedPart[];
}

/** A significant change for the worse. Plain data, fit for JSON; moments in milliseconds since 1970. */
export interface Regression extends ChangeFigures {
  /** The same for the same operation, metric and start. */
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly previousVersion?: string;
  /** `over`: the figures came back, or became the new baseline after a day. */
  readonly state: 'open' | 'over';
  /** When it was certain, and when it was over. */
  readonly detectedAt: number;
  readonly overAt?: number;
  /** Statements, calls and the like that got worse at the same time: possible causes. */
  readonly alongside?: readonly Pick<Regression, 'type' | 'name' | 'metric' | 'change' | 'since'>[];
  /** One or two sentences for a person. */
  readonly explanation: string;
}

/** A change for the worse in one operation that is not confirmed yet. */
export interface Candidate extends ChangeFigures {
  /** The number of the first window of the change, see `WindowRing`. */
  readonly split: number;
  /** Milliseconds from the middle of the first window of the change to that of the last. */
  readonly lastedMs: number;
  /** The standard deviation of the statistic between the windows of the change. */
  readonly spread: number;
  /** The change in standard deviations of the noise that lasts, see `lastingNoise`. */
  readonly deviations: number;
  /** The change in each third of its time, and in the middle window, as shares of the whole change: about 1 if it lasts. */
  readonly thirds: readonly number[];
  /** When the last window ended, in milliseconds since 1970. */
  readonly at: number;
  readonly windows: number;
  /** The statistic that `before` and `now` are values of. */
  readonly statistic: 'median' | 'mean' | 'p90' | 'p99' | 'error_rate' | 'queries';
  /** Statements per operation; NaN if unknown. */
  readonly queries: readonly [before: number, now: number];
}
