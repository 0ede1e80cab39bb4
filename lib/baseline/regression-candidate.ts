import type { ChangedPart, RegressionMetric } from './regression.js';

/** A change for the worse that a test of one operation found, before it is believed. */
export interface Candidate {
  readonly metric: RegressionMetric;
  readonly against: 'baseline' | 'version';
  /** The number of the first window that is different, see `WindowRing`; and when it began. */
  readonly split: number;
  readonly since: number;
  /** When the last window ended. */
  readonly at: number;
  /** As in `Regression`. */
  readonly before: number;
  readonly now: number;
  readonly change: number;
  readonly interval: readonly [number, number];
  readonly pValue: number;
  readonly count: number;
  readonly windows: number;
  readonly parts: readonly ChangedPart[];
  /** What `before` and `now` are of. */
  readonly of: 'median' | 'mean' | 'p90' | 'p99' | 'error_rate' | 'queries';
  readonly queries: readonly [before: number, now: number];
}
