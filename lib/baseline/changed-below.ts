import { holm } from '../inference/holm.js';
import { rateRatioUpper } from '../inference/rate-ratio.js';
import { type ComparedSides, judgeOperations } from './compare-operation.js';
import type { ChangeOptions, MeasureChange } from './operation-change.js';
import type { OperationPeriod } from './operation-periods.js';
import { type ComparedPeriods, isSingle } from './release-periods.js';
import type { ChangedBelow } from './release-verdict.js';

/** The greatest number that is listed. */
const MAX_LISTED = 20;
/** The least factor by which something is executed more often. */
const MIN_RATIO = 1.5;
/** How much more the number of executions varies than that of independent ones: they come together. */
const DISPERSION = 3;

/** An operation with both sides, and the periods that they consist of. */
export interface PeriodSides extends ComparedSides {
  readonly type: string;
  readonly name: string;
  readonly compared: ComparedPeriods;
}

/** What got slower, or is executed more often for each of the incoming operations; the greatest change first. */
export function changedBelow(
  operations: readonly PeriodSides[],
  incoming: readonly PeriodSides[],
  options: ChangeOptions,
): ChangedBelow[] {
  const judged = judgeOperations(operations, options);
  const more = moreOften(operations, incoming, options.alpha);
  return operations
    .map(({ type, name }, index) => {
      const median = judged[index]?.measures.find(({ measure }) => measure === 'median') as MeasureChange;
      const perRequest = more[index];
      const slower = median.verdict === 'worse' ? 1 + (median.percent ?? 0) / 100 : 1;
      return {
        factor: slower * (perRequest === undefined ? 1 : perRequest.after / perRequest.before),
        changed: {
          type,
          name,
          ...(median.verdict === 'worse' ? { median } : {}),
          ...(perRequest === undefined ? {} : { perRequest }),
        },
      };
    })
    .filter(({ factor }) => factor > 1)
    .sort((one, other) => other.factor - one.factor)
    .slice(0, MAX_LISTED)
    .map(({ changed }) => changed);
}

/** Executions for each incoming operation, of those that have more of them; in the same order. */
function moreOften(
  operations: readonly PeriodSides[],
  incoming: readonly PeriodSides[],
  alpha = 0.01,
): (ChangedBelow['perRequest'] | undefined)[] {
  const [requestsBefore, requestsAfter] = [
    countsByPeriod(incoming, 'before'),
    countsByPeriod(incoming, 'after'),
  ];
  const [allBefore, allAfter] = [totalOf(requestsBefore), totalOf(requestsAfter)];
  if (!(allBefore > 0 && allAfter > 0)) return [];
  const counts = operations.map(({ compared }) => ({
    before: countIn(compared.before, requestsBefore),
    after: countIn(compared.after, requestsAfter),
  }));
  const pValues = holm(
    counts.map(({ before, after }) =>
      rateRatioUpper(after / DISPERSION, allAfter, before / DISPERSION, allBefore),
    ),
  );
  return counts.map((count, index) => {
    const [before, after] = [count.before / allBefore, count.after / allAfter];
    return (pValues[index] as number) <= alpha && after >= MIN_RATIO * before ? { before, after } : undefined;
  });
}

/** Executions by the start of the period, of periods that are kept one by one. */
function countsByPeriod(operations: readonly PeriodSides[], side: 'before' | 'after'): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { compared } of operations)
    for (const { startedAt, side: one } of compared[side].filter(isSingle))
      counts.set(startedAt, (counts.get(startedAt) ?? 0) + one.count);
  return counts;
}

function totalOf(counts: ReadonlyMap<number, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Executions in the periods of others: those of earlier times have no executions of the others to be compared with. */
function countIn(periods: readonly OperationPeriod[], others: ReadonlyMap<number, number>): number {
  return periods
    .filter((period) => isSingle(period) && others.has(period.startedAt))
    .reduce((sum, { side }) => sum + side.count, 0);
}
