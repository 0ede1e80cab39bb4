import type { OperationType } from '../operation/operation.js';
import type { LatencySummary } from './latency-summary.js';
import type { OperationStatistics, WindowName } from './operation-statistics.js';

/** The figures of one type, for each window and its lifetime. */
export interface TypeStatistics extends LatencySummary {
  windows: Record<WindowName, LatencySummary>;
}

/** The figures of one operation, for each window and its lifetime. */
export interface NamedStatistics extends TypeStatistics {
  type: OperationType;
  name: string;
  /** Total time spent in it, in milliseconds. */
  totalMs: number;
  /**
   * The part of `totalMs` in which no operation below it ran, in milliseconds. Calls without a span have no such figure; absent
   * if none has it.
   */
  selfMs?: number;
  /** Total time above the threshold, in milliseconds. */
  excessMs: number;
}

/** The figures of a type or an operation, for each window. @param now milliseconds on the monotonic clock */
export function withWindows(statistics: OperationStatistics, now: number): TypeStatistics {
  const { lifetime, minute, hour, day } = statistics.summaries(now);
  return Object.assign(lifetime, { windows: { minute, hour, day } });
}
