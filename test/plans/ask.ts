import { rowsIn } from '../../lib/plans/query-runner.js';
import { StatementExplainer } from '../../lib/plans/statement-explainer.js';
import type { StatementPlan } from '../../lib/plans/statement-plan.js';
import type { Dialect } from '../../lib/spans/statement-dialect.js';

export type Answer = Omit<StatementPlan, 'explainedAt'> | undefined;

/** Explains statements by a real server. */
export interface Asking {
  (text: string, more?: { rows?: number; database?: string }): Promise<Answer>;
  /** All statements that were sent to the server. */
  readonly sent: string[];
}

export function askBy(query: (statement: string) => unknown, dialect: Dialect): Asking {
  const sent: string[] = [];
  const explainer = new StatementExplainer(async (statement) => {
    sent.push(statement);
    return rowsIn(await query(statement));
  });
  const ask = (
    text: string,
    { rows, database }: { rows?: number; database?: string } = {},
  ): Promise<Answer> => explainer.explain({ text, dialect, database, rows });
  return Object.assign(ask, { sent });
}
