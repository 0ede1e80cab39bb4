import type { LatencySummary } from './latency-summary.js';

/** Failures of one operation within a window. */
export interface Failures {
  readonly type: string;
  readonly name: string;
  /** Operations that ended. */
  readonly count: number;
  /** Those that failed, without expected errors. */
  readonly failureCount: number;
}

/**
 * Above this percentage most operations fail, which no service calls healthy: retries that succeed at the second attempt,
 * a flaky dependency or validation errors stay below it.
 */
export const MOST_PERCENT = 50;

/** A percentage of fewer operations is not judged: a handful of errors may be chance. */
export const MIN_JUDGED = 20;

/** The number of failed operations without expected errors. */
export function failureCountOf({
  errorCount,
  expectedErrorCount = 0,
}: Pick<LatencySummary, 'errorCount' | 'expectedErrorCount'>): number {
  return errorCount - expectedErrorCount;
}

/** The percentage that failed; undefined for fewer than `minCount` operations, or none. */
export function failurePercentage(
  { count, failureCount }: Pick<Failures, 'count' | 'failureCount'>,
  minCount = 1,
): number | undefined {
  return count >= Math.max(1, minCount) ? (failureCount / count) * 100 : undefined;
}

/** Whether more than half failed, of enough operations to judge. */
export function mostFail(failures: Pick<Failures, 'count' | 'failureCount'>): boolean {
  return (failurePercentage(failures, MIN_JUDGED) ?? 0) > MOST_PERCENT;
}

/** Whether clients wait for operations of this type. */
export function isServedType(type: string | undefined): boolean {
  return type === 'http' || type === 'rpc';
}
