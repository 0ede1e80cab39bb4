import { PlanBounds, type PlanNode } from './plan-node.js';
import {
  type Explainable,
  namedIndex,
  numberIn,
  type PlanReader,
  quoted,
  type ReadPlan,
  type Run,
} from './plan-reader.js';
import { field, SAMPLED, sampledFacts } from './sampled-facts.js';
import { readSqlitePlan } from './sqlite-plan.js';
import { partsOf } from './statement-parts.js';
import type { TableFacts } from './table-facts.js';

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** SQLite, which plans a statement without the values of its placeholders. */
export class SqliteReader implements PlanReader {
  readonly indexesFunctions = true;
  async read({ text, tokens }: Explainable, run: Run): Promise<ReadPlan | undefined> {
    const rows = await run(`EXPLAIN QUERY PLAN ${text}`);
    const root = readSqlitePlan(rows, partsOf(tokens), new PlanBounds());
    return root === undefined ? undefined : { root, facts: await this.factsOf(root, run) };
  }

  async schema(run: Run): Promise<string> {
    const [row = {}] = await run('PRAGMA schema_version');
    return String(field(row, 'schema_version'));
  }

  createIndex(
    table: string,
    _schema: string | undefined,
    columns: readonly string[],
    name: string,
  ): string | undefined {
    return namedIndex(this.quote(table), columns, name);
  }

  quote(name: string): string | undefined {
    return quoted(name, '"', PLAIN);
  }

  private factsOf(root: PlanNode, run: Run): Promise<TableFacts> {
    const rowsOf = (table: string): Promise<number> => this.rowsOf(table, run);
    return sampledFacts(root, this, run, (names) => run(catalogue(names)), rowsOf);
  }

  /** The last row ID, where there are at least as many rows as are sampled: counting them would read all of them. */
  private async rowsOf(table: string, run: Run): Promise<number> {
    const from = this.quote(table);
    if (from === undefined) return 0;
    const [{ least = 0 } = {}] = (
      await run(`SELECT COUNT(*) AS least FROM (SELECT 1 FROM ${from} LIMIT ${SAMPLED})`)
    ).map((row) => ({ least: numberIn(field(row, 'least')) }));
    if (least < SAMPLED) return least;
    // A table WITHOUT ROWID has none.
    const rows = await run(`SELECT MAX(rowid) AS most FROM ${from}`).catch(() => []);
    return Math.max(least, ...rows.map((row) => numberIn(field(row, 'most')) ?? 0));
  }
}

/** @param names in lower case, as literals */
function catalogue(names: string): string {
  const tables = `FROM sqlite_master m, pragma_table_info(m.name) t WHERE m.type = 'table' AND LOWER(m.name) IN (${names})`;
  return `SELECT 'i' AS kind, m.name AS name, i.name AS col, l.name AS detail, i.seqno AS at
  FROM sqlite_master m, pragma_index_list(m.name) l, pragma_index_info(l.name) i
  WHERE m.type = 'table' AND LOWER(m.name) IN (${names})
 UNION ALL SELECT 'i', m.name, t.name, 'rowid', 0 ${tables} AND t.pk = 1
 UNION ALL SELECT 'c', m.name, t.name, t.type, t.cid ${tables}`;
}
