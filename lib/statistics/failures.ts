import type { LatencySummary } from './operation-statistics.js';

/** Failures of one operation within a window. */
export interface Failures {
  readonly type: string;
  readonly name: string;
  /** Operations that ended. */
  readonly count: number;
  /** Those that failed, expected errors left out. */
  readonly failureCount: number;
}

/**
 * Above this percentage most operations fail. A share that everybody calls broken, whatever the service does: retries
 * that succeed at the second attempt, a flaky dependency or validation errors stay below it.
 */
export const MOST_PERCENT = 50;

/** A percentage of fewer operations is not judged: a handful of errors may be chance. */
export const MIN_JUDGED = 20;

/** How many of them failed, expected errors left out. */
export function failureCountOf({
  errorCount,
  expectedErrorCount = 0,
}: Pick<LatencySummary, 'errorCount' | 'expectedErrorCount'>): number {
  return errorCount - expectedErrorCount;
}

/** The percentage that failed; undefined where there are fewer than `minCount`, or none. */
export function failurePercentage(
  { count, failureCount }: Pick<Failures, 'count' | 'failureCount'>,
  minCount = 1,
): number | undefined {
  return count >= Math.max(1, minCount) ? (failureCount / count) * 100 : undefined;
}

/** Whether there is enough of it to judge, and most of it failed. */
export function mostFail(failures: Pick<Failures, 'count' | 'failureCount'>): boolean {
  return (failurePercentage(failures, MIN_JUDGED) ?? 0) > MOST_PERCENT;
}

/** Whether people wait for operations of this type. */
export function isServedType(type: string | undefined): boolean {
  return type === 'http' || type === 'rpc';
}
