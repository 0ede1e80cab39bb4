import type { LatencySummary } from '../monitor/operation-statistics.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';

/** An operation with what it costs. */
export interface CostlyOperation {
  type: string;
  name: string;
  thresholdMs?: number;
  lifetime: LatencySummary;
  minute: LatencySummary;
  hour: LatencySummary;
  totalMs: number;
  lostMs: number;
  sparkline: (number | null)[];
}

const SPARKLINE_MINUTES = 60;

/**
 * INTERIM, until the monitor tells it itself: replace the one call of this by `monitor.operationsByCost(limit)` and
 * remove this file. What was lost is not known here, nor what the last hour was like minute by minute.
 */
export function operationsByCostInterim(monitor: PerformanceMonitor, limit: number): CostlyOperation[] {
  return monitor
    .getStats({ operations: limit })
    .operations.map(({ type, name, totalMs, windows, ...lifetime }) => {
      const thresholdMs =
        type === 'http' ? monitor.thresholds.ofRoute(name) : monitor.thresholds.ofType(type);
      return {
        type,
        name,
        // That of a stream is infinite, which JSON does not know.
        ...(thresholdMs === undefined || !Number.isFinite(thresholdMs) ? {} : { thresholdMs }),
        lifetime,
        minute: windows.minute,
        hour: windows.hour,
        totalMs,
        lostMs: 0,
        sparkline: new Array<null>(SPARKLINE_MINUTES).fill(null),
      };
    });
}
