import type { Condition } from './conditions.js';
import type { ColumnName } from './operands.js';
import type { PlanNode, SortColumn } from './plan-node.js';
import type { PlanReader } from './plan-reader.js';
import type { SuggestedIndex } from './statement-plan.js';
import type { ColumnFact, TableFact } from './table-facts.js';

/** A part of a condition that an index may have as its column. */
export interface IndexKey {
  /** A column, or `lower(column)`. */
  readonly text: string;
  readonly isFunction: boolean;
  readonly column: string;
  /** The share of rows that it keeps on average. */
  readonly share: number;
  /** An ordinary index serves it, as far as its type shows. */
  readonly isCertain: boolean;
}

/** A list has about so many values; the planner of Postgres assumes the same. */
const LISTED = 10;
/** Columns that an index needs to keep so few rows. */
const FEW_ROWS = 100;
const MAX_COLUMNS = 3;
/** Types without an ordinary index, or with one of a prefix only. */
const NOT_INDEXED =
  /^(?:json|jsonb|xml|bytea|point|polygon|box|circle|line|path|lseg|geometry|geography|tsvector|\w*text|\w*blob)$/;
const POSTGRES_TEXT = /^(?:text|character varying|name|citext)$/;
/** Longer values do not fit into an index for sure. */
const MAX_WIDTH = 200;

/** The keys of a scan: what its rows have to equal. Undefined if an index begins with one, or if too little is known. */
export function keysOf(scan: PlanNode, table: TableFact, reader: PlanReader): IndexKey[] | undefined {
  const keys: IndexKey[] = [];
  for (const condition of scan.conditions) {
    const found = keyOf(condition, scan.alias);
    if (found === undefined) continue;
    const { column, call, isList } = found;
    const name = nameIn(table, column.column);
    const fact = name === undefined ? undefined : table.columns.get(name);
    if (name === undefined || fact?.share === undefined) return undefined;
    const quotedName = reader.quote(name);
    if (isLeading(table, name, call) || quotedName === undefined) return undefined;
    if (keys.some((key) => key.column === name)) continue;
    keys.push({
      text: call === undefined ? quotedName : `${call}(${quotedName})`,
      isFunction: call !== undefined,
      column: name,
      // A plan with estimates has counted the values of a list.
      share: Math.min(1, fact.share * (isList && scan.rows === undefined ? LISTED : 1)),
      isCertain: isIndexable(fact, column, reader) && (call === undefined || reader.indexesFunctions),
    });
  }
  return keys.sort((a, b) => a.share - b.share);
}

function keyOf(
  condition: Condition,
  alias: string | undefined,
): { column: ColumnName; call?: string; isList?: boolean } | undefined {
  const isOwn = ({ table }: ColumnName): boolean => table === undefined || table === alias;
  switch (condition.kind) {
    case 'equal':
      return isOwn(condition.column) ? { column: condition.column, isList: condition.isList } : undefined;
    case 'function':
      return isOwn(condition.column) ? { column: condition.column, call: condition.name } : undefined;
    case 'join':
      // Of another table around this one: its value is known for each execution.
      if (condition.column.table === alias) return { column: condition.column };
      return condition.other.table === alias ? { column: condition.other } : undefined;
    default:
      return undefined;
  }
}

/** The name of a column as the catalogue has it. */
export function nameIn(table: TableFact, column: string): string | undefined {
  if (table.columns.has(column)) return column;
  for (const name of table.columns.keys()) if (name.toLowerCase() === column.toLowerCase()) return name;
  return undefined;
}

/** Whether an index begins with a column, or with a function of it. */
export function isLeading(table: TableFact, column: string, call?: string): boolean {
  if (call === undefined) return table.leading.has(column) || table.leading.has(column.toLowerCase());
  for (const key of table.leading) if (key.startsWith(`${call}(`) && key.includes(column)) return true;
  return false;
}

export function isIndexable(fact: ColumnFact, column: ColumnName, reader: PlanReader): boolean {
  const isPostgres = fact.width !== undefined;
  if (column.asText && !POSTGRES_TEXT.test(fact.type)) return false;
  if (isPostgres && POSTGRES_TEXT.test(fact.type)) return fact.width <= MAX_WIDTH;
  return !NOT_INDEXED.test(fact.type) || (reader.indexesFunctions && !isPostgres);
}

/** Those keys that an index needs, the one that keeps the fewest rows first. */
export function needed(keys: readonly IndexKey[], rows: number): IndexKey[] {
  const chosen: IndexKey[] = [];
  let kept = rows;
  for (const key of keys) {
    if (chosen.length >= MAX_COLUMNS || (chosen.length > 0 && kept <= FEW_ROWS)) break;
    chosen.push(key);
    kept *= key.share;
  }
  return chosen;
}

/** The columns of an order as those of an index: one that is read backwards serves an order that only descends. */
export function orderKeys(
  sort: readonly SortColumn[],
  table: TableFact,
  reader: PlanReader,
): string[] | undefined {
  const isPlain = sort.every(
    ({ direction }) => direction === sort[0]?.direction && !direction.includes('NULLS'),
  );
  const keys = sort.map(({ column, direction }) => {
    const name = nameIn(table, column);
    const text = name === undefined ? undefined : reader.quote(name);
    return text === undefined ? undefined : isPlain || direction === '' ? text : `${text} ${direction}`;
  });
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

/** @param columns as they stand in the statement. @returns undefined if its names cannot be written, or are those of a part */
export function suggest(
  table: TableFact,
  columns: readonly string[],
  rowsReadWithIndex: number | undefined,
  reader: PlanReader,
): SuggestedIndex | undefined {
  if (table.isPartition) return undefined;
  const plain = [table.name, ...columns]
    .join('_')
    .replace(/["`]/g, '')
    .replace(/\W+/g, '_')
    .replace(/_+$/, '')
    .toLowerCase()
    .slice(0, 58);
  const name = table.indexes.has(plain) ? `${plain}_2` : plain;
  const statement = reader.createIndex(table.name, table.schema, columns, name);
  if (statement === undefined) return undefined;
  const rowsRead = Math.round(table.rows);
  return {
    statement,
    table: table.name,
    columns: [...columns],
    rowsRead,
    ...(rowsReadWithIndex === undefined
      ? {}
      : { rowsReadWithIndex: Math.min(rowsRead, Math.max(1, Math.round(rowsReadWithIndex))) }),
  };
}
