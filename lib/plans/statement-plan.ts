import type { Dialect } from '../spans/statement-dialect.js';

/** What the plan of a statement shows. Plain data, fit for JSON; without literals and values. */
export interface StatementPlan {
  /** In words: `Reads all 15,000 rows of track to keep about 10; no index has album_id.` */
  explanation: string;
  /** Only where filter, join and order of the plan make it certain. */
  suggestedIndex?: SuggestedIndex;
  /** When the database explained it, in milliseconds since 1970. */
  explainedAt: number;
}

/** An index that the plan lacks. */
export interface SuggestedIndex {
  /** The statement that creates it. */
  statement: string;
  table: string;
  /** Columns or expressions, in the order of the index. */
  columns: string[];
  /** Rows that one execution reads now, by the statistics of the database. */
  rowsRead: number;
  /** Rows that it would read by the index; absent where a bound value decides it. */
  rowsReadWithIndex?: number;
}

/** A statement that was executed. */
export interface ExecutedStatement {
  /** As it was executed, or, where the driver did not report that, without its literals. */
  readonly text: string;
  readonly dialect: Dialect;
  /** The name of its database, where the driver reports it. */
  readonly database: string | undefined;
  /** How many rows came, where the driver reports it. */
  readonly rows: number | undefined;
}
