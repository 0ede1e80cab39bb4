import { required, whole } from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { type OptionTable, option } from '../validation/option-table.js';

/** Plans of slow and repeated statements, from the database that executed them. */
export interface PlanOptions {
  /**
   * Runs one statement on the database, such as `(statement) => pool.query(statement)`, and returns its rows, or what the
   * driver returns. It receives EXPLAIN without ANALYZE and queries of the catalogue, one at a time.
   */
  query: PlanQuery;
  /** Milliseconds after which an answer is no longer waited for. */
  timeoutMs?: number | undefined;
  /** Milliseconds between two statements that are explained. */
  intervalMs?: number | undefined;
  /** Statements whose plans are kept. The one that was slow least recently is dropped first. */
  maxPlans?: number | undefined;
}

/** Runs one statement without values. Returns its rows, or an object with `rows`. */
export type PlanQuery = (statement: string) => unknown;

export type ResolvedPlanOptions = Complete<PlanOptions>;

export const PLAN_OPTIONS: OptionTable<PlanOptions> = {
  query: required({
    allowed: 'a function that runs one statement',
    accepts: (value) => typeof value === 'function',
  }),
  timeoutMs: option(whole(10, 60_000), { default: 2000 }),
  intervalMs: option(whole(10, 3_600_000), { default: 1000 }),
  maxPlans: option(whole(1, 10_000), { default: 200 }),
};
