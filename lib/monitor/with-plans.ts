import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { Plans } from '../plans/plans.js';
import type { StatementPlan } from '../plans/statement-plan.js';
import type { SlowOperations } from './slow-operations.js';

/**
 * Adds the plans of the statements behind slow operations: of the statement itself, of what was repeated, or of the slowest
 * statement of the same trace that was slow itself.
 */
export function operationsWithPlans<T extends SlowOperation>(
  operations: readonly T[],
  plans: Plans | undefined,
  slow: SlowOperations,
): T[] {
  if (plans === undefined || plans.size === 0) return [...operations];
  let byTrace: ReadonlyMap<string, SlowOperation> | undefined;
  return operations.map((operation) => {
    const [own, ofTrace] = statementsOf(operation, () => {
      byTrace ??= slowestStatements(slow);
      return byTrace;
    });
    return withPlan(operation, plans.of(own) ?? plans.of(ofTrace()));
  });
}

/** The fingerprints of the statements whose plan {@link operationsWithPlans} adds to an operation, the first one first. */
export function plannedStatements(operation: SlowOperation, slow: SlowOperations): string[] {
  const [own, ofTrace] = statementsOf(operation, () => slowestStatements(slow));
  return [own, ofTrace()].filter((statement) => statement !== undefined);
}

function statementsOf(
  { statement, nPlusOne, traceId, cause }: SlowOperation,
  byTrace: () => ReadonlyMap<string, SlowOperation>,
): [string | undefined, () => string | undefined] {
  const isOfTrace = statement === undefined && cause === 'database';
  return [
    statement ?? nPlusOne?.statement,
    () => (isOfTrace ? byTrace().get(traceId)?.statement : undefined),
  ];
}

function slowestStatements(slow: SlowOperations): Map<string, SlowOperation> {
  const slowest = new Map<string, SlowOperation>();
  for (const one of slow.list()) {
    const { statement, traceId, durationMs } = one;
    if (statement === undefined || traceId === '') continue;
    if (durationMs > (slowest.get(traceId)?.durationMs ?? 0)) slowest.set(traceId, one);
  }
  return slowest;
}

export function findingsWithPlans<T extends Finding>(findings: T[], plans: Plans | undefined): T[] {
  if (plans === undefined) return findings;
  return findings.map((finding) =>
    finding.type === 'errors' ? finding : withPlan(finding, plans.of(finding.fingerprint)),
  );
}

export function queriesWithPlans(queries: SlowQuery[], plans: Plans | undefined): SlowQuery[] {
  return plans === undefined ? queries : queries.map((query) => withPlan(query, plans.of(query.fingerprint)));
}

function withPlan<T extends object>(one: T, plan: StatementPlan | undefined): T {
  return plan === undefined ? one : { ...one, plan };
}
