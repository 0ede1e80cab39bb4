import { firstInOrder } from './first-in-order.js';
import type { OperationStatistics } from './operation-statistics.js';

/** An operation with its statistics. */
export interface NamedOperation {
  readonly type: string;
  readonly name: string;
  readonly statistics: OperationStatistics;
}

/** The operations with the most total time, up to `limit`. */
export function mostTime(all: readonly NamedOperation[], limit: number): NamedOperation[] {
  return firstInOrder(all, limit, ({ statistics: a }, { statistics: b }) => b.totalMs - a.totalMs);
}

/**
 * The operations with the most excess time, then those with the most total time, up to `limit`.
 * @param certain operations among them whatever they cost, at most `limit`
 */
export function mostCost(
  all: readonly NamedOperation[],
  limit: number,
  certain: ReadonlySet<OperationStatistics>,
): NamedOperation[] {
  const listed: NamedOperation[] = [];
  const others: NamedOperation[] = [];
  for (const one of all) (certain.has(one.statistics) ? listed : others).push(one);
  listed.push(...firstInOrder(others, limit - listed.length, byCost));
  return listed.sort(byCost);
}

function byCost({ statistics: a }: NamedOperation, { statistics: b }: NamedOperation): number {
  return b.excessMs - a.excessMs || b.totalMs - a.totalMs;
}
