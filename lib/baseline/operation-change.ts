import type { Sample } from '../inference/welch.js';

/**
 * What is compared: the median; the tail (the geometric mean of the slowest 5 %); the share of failures; statements per
 * operation; and CPU (the time of the own code with a busy event loop, per operation).
 */
export const CHANGE_MEASURES = ['median', 'tail', 'errors', 'statements', 'cpu'] as const;
export type ChangeMeasure = (typeof CHANGE_MEASURES)[number];

export const CHANGE_VERDICTS = ['worse', 'better', 'same', 'not enough data'] as const;
export type ChangeVerdict = (typeof CHANGE_VERDICTS)[number];

/**
 * One operation on one side of a comparison. Each sample is over windows of about a minute: `n` is their number. Values of
 * `median`, `tail` and `cpu` are natural logarithms of milliseconds. A measure that is unknown is absent.
 */
export interface OperationSide {
  /** Executions, and failures among them. */
  readonly count: number;
  readonly errors: number;
  readonly median?: Sample;
  readonly tail?: Sample;
  readonly statements?: Sample;
  readonly cpu?: Sample;
}

/** The noise of windows: see `BlockVariances`, which is one. */
export interface WindowNoise {
  /** The variance of the mean of neighbouring windows, as a share of the variance of one. */
  varianceOfMean(windows: number): number;
  /** The degrees of freedom of {@link varianceOfMean}. */
  degrees(windows: number): number;
}

export interface ChangeOptions {
  /** The smallest change of the median that matters, in percent. That of the tail and of CPU is twice as great. Default 10. */
  readonly minEffectPercent?: number;
  /** The smallest change of a latency that matters, in milliseconds. That of CPU is half of it. Default 2. */
  readonly minEffectMs?: number;
  /** The probability of any wrong `worse` or `better` among all that is judged together. Default 0.01. */
  readonly alpha?: number;
  /** What is known of the operation's noise. By default an assumption. */
  readonly noise?: WindowNoise;
  /**
   * The standard deviation of a difference for reasons other than the change, such as the time of the day, as a natural
   * logarithm. Default 0.01.
   */
  readonly drift?: number;
  /** The factor by which the number of failures varies more than independent ones would. Default 1.5. */
  readonly errorDispersion?: number;
}

/**
 * The change of one measure. Plain data, fit for JSON. `before`, `after`, `difference` and its 95 % confidence interval are
 * in milliseconds (`median`, `tail`, `cpu`), a share of 0 to 1 (`errors`), or a number per operation (`statements`).
 */
export interface MeasureChange {
  readonly measure: ChangeMeasure;
  readonly verdict: ChangeVerdict;
  readonly before?: number;
  readonly after?: number;
  readonly difference?: number;
  readonly interval?: readonly [number, number];
  /** The difference and its interval in percent of `before`; absent if that is 0. */
  readonly percent?: number;
  readonly percentInterval?: readonly [number, number];
  /** Two-sided, corrected for everything that is judged together (Holm). */
  readonly pValue?: number;
}

/** The change of one operation. */
export interface OperationChange {
  /**
   * `worse` or `better` if a measure is; `same` if the interval of each known measure excludes a change that matters;
   * otherwise `not enough data`.
   */
  readonly verdict: ChangeVerdict;
  readonly before: { readonly count: number };
  readonly after: { readonly count: number };
  /** In the order of {@link CHANGE_MEASURES}, those without data included. */
  readonly measures: readonly MeasureChange[];
}
