import { BUCKETS, bucketStart } from '../inference/latency-histogram.js';
import type { OperationStatistics } from './operation-statistics.js';

/** How the latencies of an operation are distributed over time, on a logarithmic scale. */
export interface LatencyHeatmap {
  /** The periods, the oldest first, in milliseconds on the clock of the statistics. */
  readonly periods: readonly { readonly from: number; readonly to: number }[];
  /** The bounds of the rows in milliseconds, ascending: one more than there are rows. */
  readonly boundsMs: readonly number[];
  /** For each period the operations in each row. */
  readonly counts: readonly (readonly number[])[];
}

const MAX_ROWS = 24;
/** An octave has 32 buckets: a row is a quarter of an octave, or a half, or whole ones. */
const MIN_BUCKETS = 8;

/** Undefined while no latency was recorded. */
export function latencyHeatmap(statistics: OperationStatistics): LatencyHeatmap | undefined {
  const periods: { from: number; to: number; latencies: Float64Array }[] = [];
  let first = BUCKETS;
  let last = -1;
  statistics.eachPeriod((from, to, _, latencies) => {
    periods.push({ from, to, latencies: Float64Array.from(latencies) });
    const least = latencies.findIndex((count) => count > 0);
    if (least < 0) return;
    first = Math.min(first, least);
    last = Math.max(
      last,
      latencies.findLastIndex((count) => count > 0),
    );
  });
  if (last < 0) return undefined;
  let width = MIN_BUCKETS;
  const rowOf = (bucket: number): number => Math.floor(bucket / width);
  while (rowOf(last) - rowOf(first) >= MAX_ROWS) width *= 2;
  const lowest = rowOf(first);
  const rows = rowOf(last) - lowest + 1;
  return {
    periods: periods.map(({ from, to }) => ({ from, to })),
    boundsMs: Array.from({ length: rows + 1 }, (_, row) => bucketStart((lowest + row) * width)),
    counts: periods.map(({ latencies }) => {
      const counts = new Array<number>(rows).fill(0);
      for (let bucket = first; bucket <= last; bucket++)
        (counts[rowOf(bucket) - lowest] as number) += latencies[bucket] as number;
      return counts;
    }),
  };
}
