import type { NamedStatistics } from '../statistics/named-statistics.js';
import { round } from '../text/round.js';
import { perHour } from './covered-time.js';
import type { CoveredTime, ReportedOperation } from './report.js';
import type { ReportSource } from './report-source.js';

/** Operations within the covered time: those with slow calls first, then by total time. */
export function reportedOperations(
  source: ReportSource,
  operations: readonly NamedStatistics[],
  { window, since }: CoveredTime,
  now: number,
): ReportedOperation[] {
  return operations
    .map((operation): ReportedOperation => {
      const { type, name } = operation;
      const figures = window === 'lifetime' ? operation : operation.windows[window];
      const { count, slowCount, errorCount, avgDuration, p50, p95, p99 } = figures;
      const before = source.getBaseline?.(type, name);
      return {
        type,
        name,
        count,
        slowCount,
        errorRate: count === 0 ? 0 : round(errorCount / count),
        ...(p50 === undefined ? {} : { p50Ms: p50 }),
        ...(p95 === undefined ? {} : { p95Ms: p95 }),
        ...(p99 === undefined ? {} : { p99Ms: p99 }),
        ...(avgDuration === undefined ? {} : { totalMsPerHour: perHour(avgDuration * count, since, now) }),
        ...(before === undefined
          ? {}
          : { baseline: { p50Ms: before.p50Ms, p95Ms: before.p95Ms, ...ratio(p50, before.p50Ms) } }),
      };
    })
    .filter(({ count }) => count > 0)
    .sort(
      (a, b) =>
        Number(b.slowCount > 0) - Number(a.slowCount > 0) ||
        (b.totalMsPerHour ?? 0) - (a.totalMsPerHour ?? 0),
    );
}

function ratio(now: number | undefined, before: number): { ratio?: number } {
  return now === undefined || before <= 0 ? {} : { ratio: round(now / before) };
}
