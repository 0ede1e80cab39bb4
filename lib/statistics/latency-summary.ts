import { percentilesOf } from '../inference/latency-histogram.js';
import { round } from '../text/round.js';
import type { Totals } from './totals.js';

/** The figures of a group of operations. Durations are milliseconds; a figure without data is absent. */
export interface LatencySummary {
  /** Operations that ended. */
  count: number;
  /** Operations whose duration exceeded their threshold. */
  slowCount: number;
  /** `slowCount` in percent of those with a duration; 0 if there is none. */
  slowPercentage: number;
  /** Operations that failed. */
  errorCount: number;
  /**
   * Errors among them that do not mean that the service is broken, such as an outgoing call answered with 404. Neither
   * health nor alerts count them. Absent if 0.
   */
  expectedErrorCount?: number;
  /**
   * Streams, and calls that wait by design: they count with their outcome, and no figure of durations includes them.
   * Absent if 0.
   */
  untimedCount?: number;
  avgDuration?: number;
  minDuration?: number;
  maxDuration?: number;
  /** The median. All percentiles are at most 2 % off. */
  p50?: number;
  p95?: number;
  p99?: number;
}

const PERCENTILES = [0.5, 0.95, 0.99] as const;

/** The operations that the figures of durations are about. */
export function timedCountOf({
  count,
  untimedCount = 0,
}: Pick<LatencySummary, 'count' | 'untimedCount'>): number {
  return count - untimedCount;
}

/** The figures of totals and latency counts, of one instance or of several added. @param buckets {@link BUCKETS} numbers */
export function summarize(totals: Totals, buckets: Float64Array): LatencySummary {
  const { count, expected, untimed } = totals;
  const timed = count - untimed;
  // No spread syntax: V8 before that of Node 22 takes microseconds for it, and thousands of these are made for one page.
  const summary = timed === 0 ? withoutDurations(totals) : withDurations(totals, timed, buckets);
  if (expected > 0) summary.expectedErrorCount = expected;
  if (untimed > 0) summary.untimedCount = untimed;
  return summary;
}

function withoutDurations({ count, slow, errors }: Totals): LatencySummary {
  return { count, slowCount: slow, slowPercentage: 0, errorCount: errors };
}

function withDurations(
  { count, slow, errors, sum, min, max }: Totals,
  timed: number,
  buckets: Float64Array,
): LatencySummary {
  const [p50, p95, p99] = percentilesOf(buckets, timed, PERCENTILES, min, max) as [number, number, number];
  return {
    count,
    slowCount: slow,
    slowPercentage: round((slow / timed) * 100),
    errorCount: errors,
    avgDuration: round(sum / timed),
    minDuration: round(min),
    maxDuration: round(max),
    p50: round(Math.max(min, p50)),
    p95: round(Math.max(min, p95)),
    p99: round(Math.max(min, p99)),
  };
}
