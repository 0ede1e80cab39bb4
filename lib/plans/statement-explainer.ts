import { type Dialect, MYSQL, POSTGRES, SQLITE } from '../spans/statement-dialect.js';
import { MAX_TEXT } from '../spans/statement-text.js';
import { judgePlan } from './judge-plan.js';
import { MysqlReader } from './mysql-reader.js';
import { TooLarge } from './plan-node.js';
import type { PlanReader, Run } from './plan-reader.js';
import { PostgresReader } from './postgres-reader.js';
import { sendable } from './sendable.js';
import { SqliteReader } from './sqlite-reader.js';
import type { ExecutedStatement, StatementPlan } from './statement-plan.js';

/** Asks a database for the plan of a statement, and says what it shows. */
export class StatementExplainer {
  private readonly readers: ReadonlyMap<Dialect, PlanReader> = new Map<Dialect, PlanReader>([
    [POSTGRES, new PostgresReader()],
    [MYSQL, new MysqlReader()],
    [SQLITE, new SqliteReader()],
  ]);

  constructor(private readonly run: Run) {}

  /** Undefined where the statement cannot be explained, and where there is nothing to say. */
  async explain(executed: ExecutedStatement): Promise<Omit<StatementPlan, 'explainedAt'> | undefined> {
    const { text, dialect, database, rows } = executed;
    const reader = this.readers.get(dialect);
    const statement = text.length === MAX_TEXT ? undefined : sendable(text, dialect);
    if (reader === undefined || statement === undefined) return undefined;
    try {
      const plan = await reader.read({ ...statement, database }, this.run);
      return plan === undefined ? undefined : judgePlan(plan, reader, rows);
    } catch (error) {
      if (error instanceof TooLarge) return undefined;
      throw error;
    }
  }

  /** A text that changes when the tables or indexes of the database change. */
  async schema(dialect: Dialect): Promise<string | undefined> {
    return this.readers.get(dialect)?.schema(this.run);
  }
}
