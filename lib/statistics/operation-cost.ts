import { type OperationType, OTHER } from '../operation/operation.js';
import { round } from '../text/round.js';
import type { LatencySummary } from './latency-summary.js';
import type { OperationStatistics } from './operation-statistics.js';

/** What one operation cost since the start or the last reset. Times in milliseconds. */
export interface OperationTotals {
  readonly type: OperationType;
  readonly name: string;
  readonly count: number;
  readonly slowCount: number;
  readonly totalMs: number;
  /** Total time above the threshold. */
  readonly excessMs: number;
  /** `UsersController.findOne`, where it is known. */
  readonly handler?: string;
}

/** The cost of one operation. */
export interface OperationCost {
  type: OperationType;
  name: string;
  /** The threshold of its latest execution, in milliseconds; absent if it has none. */
  thresholdMs?: number;
  lifetime: LatencySummary;
  minute: LatencySummary;
  hour: LatencySummary;
  /** Total time spent in it, in milliseconds. */
  totalMs: number;
  /** Total time above the threshold, in milliseconds. */
  excessMs: number;
  /**
   * The mean duration of each of the last 60 minutes, in milliseconds, the oldest first; null for a minute in which nothing
   * ended. Past minutes are stored ten at a time, so all ten have the same mean.
   */
  sparkline: (number | null)[];
}

const MINUTES = 60;

/** Summarises one operation at `now`. */
export function costOf(
  type: OperationType,
  name: string,
  statistics: OperationStatistics,
  now: number,
): OperationCost {
  const { limitMs, totalMs, excessMs } = statistics;
  const { lifetime, minute, hour } = statistics.summaries(now);
  // The operations counted as `(other)` may have different thresholds.
  const compared = name !== OTHER && limitMs !== Number.POSITIVE_INFINITY;
  return {
    type,
    name,
    ...(compared ? { thresholdMs: round(limitMs) } : {}),
    lifetime,
    minute,
    hour,
    totalMs: round(totalMs),
    excessMs: round(excessMs),
    sparkline: statistics.minuteMeans(MINUTES, now),
  };
}
