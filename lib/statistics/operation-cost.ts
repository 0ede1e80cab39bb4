import { type OperationType, OTHER } from '../operation/operation.js';
import { round } from '../text/round.js';
import type { LatencySummary, OperationStatistics } from './operation-statistics.js';

/** What an operation costs. */
export interface OperationCost {
  type: OperationType;
  name: string;
  /** What the last one was compared with, in milliseconds; absent where with nothing. */
  thresholdMs?: number;
  lifetime: LatencySummary;
  minute: LatencySummary;
  hour: LatencySummary;
  /** Time spent in it altogether, in milliseconds. */
  totalMs: number;
  /** By how much the slow ones exceeded their threshold, added up, in milliseconds. */
  excessMs: number;
  /**
   * The mean duration within each of the last 60 minutes, in milliseconds, the oldest first; null where nothing ended.
   * Minutes that are over are known by tens, and each of these has their mean.
   */
  sparkline: (number | null)[];
}

/** The length of a sparkline. */
const MINUTES = 60;

/** Sums up one operation at `now`. */
export function costOf(
  type: OperationType,
  name: string,
  statistics: OperationStatistics,
  now: number,
): OperationCost {
  const { limitMs, totalMs, excessMs } = statistics;
  const { lifetime, minute, hour } = statistics.summaries(now);
  // Operations that are counted as one may have a threshold each.
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
