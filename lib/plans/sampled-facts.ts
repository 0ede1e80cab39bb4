import { own } from '../validation/own.js';
import type { Condition } from './conditions.js';
import { nodesOf, type PlanNode } from './plan-node.js';
import { literal, numberIn, type PlanReader, type Row, type Run, textIn } from './plan-reader.js';
import { type ColumnFact, KnownTables, type TableFact, type TableFacts } from './table-facts.js';

/** Rows of a table from which the number of different values is known to be at least so large. */
export const SAMPLED = 1000;
const MAX_TABLES = 5;
const MAX_COLUMNS = 6;

/** The columns with which the tables of a plan are compared, by the name of the table. */
function comparedColumns(root: PlanNode): Map<string, Set<string>> {
  const tables = new Map<string, Set<string>>();
  for (const { node } of nodesOf(root)) {
    if (node.kind !== 'scan' || node.table === undefined || node.table.schema !== undefined) continue;
    const { name } = node.table;
    let columns = tables.get(name);
    if (columns === undefined) {
      if (tables.size >= MAX_TABLES) continue;
      columns = new Set();
      tables.set(name, columns);
    }
    for (const condition of node.conditions) add(columns, condition, node.alias);
  }
  return tables;
}

function add(columns: Set<string>, condition: Condition, alias: string | undefined): void {
  if (columns.size >= MAX_COLUMNS) return;
  if (condition.kind === 'equal' || condition.kind === 'function') columns.add(condition.column.column);
  if (condition.kind === 'join')
    columns.add(condition.column.table === alias ? condition.column.column : condition.other.column);
}

/**
 * The facts of tables from rows of a catalogue: `kind` is `i` for a column of an index with its position in `at`, and `c` for a
 * column of a table with its type in `detail`.
 */
export function factsFrom(rows: readonly Row[], schema: string | undefined): TableFact[] {
  const tables = new Map<
    string,
    TableFact & {
      leading: Set<string>;
      indexed: Set<string>;
      indexes: Set<string>;
      columns: Map<string, ColumnFact>;
    }
  >();
  for (const row of rows) {
    const name = textIn(field(row, 'name'));
    const column = textIn(field(row, 'col'));
    const detail = textIn(field(row, 'detail')) ?? '';
    if (name === undefined) continue;
    let table = tables.get(name);
    if (table === undefined) {
      const empty = {
        leading: new Set<string>(),
        indexed: new Set<string>(),
        indexes: new Set<string>(),
        columns: new Map<string, ColumnFact>(),
      };
      table = { name, schema, rows: 0, isPartition: false, ...empty };
      tables.set(name, table);
    }
    if (field(row, 'kind') === 'c') {
      if (column !== undefined) table.columns.set(column, { type: detail.toLowerCase(), share: undefined });
      continue;
    }
    table.indexes.add(detail);
    if (column === undefined) continue;
    table.indexed.add(column.toLowerCase());
    if (numberIn(field(row, 'at')) === 0) table.leading.add(column.toLowerCase());
  }
  return [...tables.values()];
}

/**
 * The facts of the tables of a plan, where the catalogue knows nothing of the values of columns.
 * @param catalogue reads the rows of {@link factsFrom} for tables, whose names are given in lower case as literals
 * @param rowsOf how many rows a table has
 */
export async function sampledFacts(
  root: PlanNode,
  reader: PlanReader,
  run: Run,
  catalogue: (names: string) => Promise<readonly Row[]>,
  rowsOf: (table: string) => number | Promise<number>,
): Promise<TableFacts> {
  const compared = comparedColumns(root);
  const names = [...compared.keys()].map(literal).filter((name) => name !== undefined);
  if (names.length === 0) return new KnownTables([]);
  const tables: TableFact[] = [];
  for (const fact of factsFrom(await catalogue(names.join(', ').toLowerCase()), undefined)) {
    const columns = compared.get(fact.name) ?? compared.get(fact.name.toLowerCase());
    const table = { ...fact, rows: await rowsOf(fact.name) };
    tables.push(columns === undefined ? table : await withShares(table, columns, reader, run));
  }
  return new KnownTables(tables, undefined, undefined, true);
}

/** A field by its name, in whichever case the driver returns it. */
export function field(row: Row, name: string): unknown {
  return own(row, name) ?? own(row, name.toUpperCase());
}

/**
 * Reads the first rows of a table to learn how many different values its columns have at least, and so how many rows have one
 * of them on average at most. The values stay in the database.
 */
async function withShares(
  table: TableFact,
  compared: ReadonlySet<string>,
  reader: PlanReader,
  run: Run,
): Promise<TableFact> {
  const names = [...table.columns.keys()].filter(
    (name) => compared.has(name) || compared.has(name.toLowerCase()),
  );
  const from = reader.quote(table.name);
  const columns = names.map((name) => reader.quote(name));
  if (from === undefined || columns.length === 0 || columns.includes(undefined)) return table;
  const counts = columns.map((column, index) => `COUNT(DISTINCT ${column}) AS c${index}`);
  const [row = {}] = await run(
    `SELECT ${counts.join(', ')} FROM (SELECT ${columns.join(', ')} FROM ${from} LIMIT ${SAMPLED}) AS sampled`,
  );
  const known = new Map(table.columns);
  for (const [index, name] of names.entries()) {
    const distinct = numberIn(field(row, `c${index}`)) ?? 0;
    const fact = known.get(name) as ColumnFact;
    if (distinct > 0) known.set(name, { ...fact, share: 1 / distinct });
  }
  return { ...table, columns: known };
}
