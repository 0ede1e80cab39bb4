import { type Condition, conditionsOf } from './conditions.js';
import { closeOf, columnOf, nameOf } from './operands.js';
import type { SortColumn, TableName } from './plan-node.js';

/** What the text of a statement says where the plan of its server does not. */
export interface StatementParts {
  /** Tables by their name within the statement. One that stands for two tables is absent. */
  readonly tables: ReadonlyMap<string, TableName>;
  /** It reads or changes one table, without subqueries. */
  readonly isSimple: boolean;
  /** What its rows have to fulfil. Empty unless it is simple, or a join. */
  readonly conditions: readonly Condition[];
  /** Its order; undefined without one, and where it is one of expressions. */
  readonly order: readonly SortColumn[] | undefined;
  readonly hasLimit: boolean;
  /** It groups, or combines several results. */
  readonly isGrouped: boolean;
}

const BEFORE_TABLE = /^(?:from|join|update|into)$/;
const NAME = /^(?:[\p{L}_]|["`])/u;
/** Words behind a table that are no alias. */
const NO_ALIAS = new Set(
  `where join inner left right full outer cross natural on using group order limit having union set values select window
   straight_join force use ignore indexed not for lock returning offset fetch intersect except partition as`.split(
    /\s+/,
  ),
);
const AFTER_WHERE =
  /^(?:group|order|limit|having|union|window|returning|for|offset|fetch|intersect|except|lock|on)$/;

/** Reads the parts of a statement from its tokens. */
export function partsOf(tokens: readonly string[]): StatementParts {
  const tables = tablesOf(tokens);
  const selects = tokens.filter((token) => token === 'select').length;
  const isSimple = tables.size === 1 && selects <= 1 && tokens[0] !== 'with' && tokens[0] !== 'insert';
  const order = orderOf(tokens);
  return {
    tables,
    isSimple,
    conditions: selects <= 1 && tokens[0] !== 'with' ? conditionsOf(clause(tokens, 'where')) : [],
    order,
    hasLimit: tokens.includes('limit'),
    isGrouped: /\b(?:group|distinct|union|intersect|except|having)\b/.test(tokens.join(' ')),
  };
}

function tablesOf(tokens: readonly string[]): Map<string, TableName> {
  const tables = new Map<string, TableName>();
  const ambiguous = new Set<string>();
  for (let at = 0; at < tokens.length; at++) {
    if (!BEFORE_TABLE.test(tokens[at] ?? '')) continue;
    let next = at;
    do next = addTable(tokens, next + 1, tables, ambiguous);
    while (tokens[at] === 'from' && tokens[next] === ',');
  }
  for (const alias of ambiguous) tables.delete(alias);
  return tables;
}

/** @returns where the table and its alias end */
function addTable(
  tokens: readonly string[],
  at: number,
  tables: Map<string, TableName>,
  ambiguous: Set<string>,
): number {
  if (tokens[at] === '(') return closeOf(tokens, at) + 1;
  const first = tokens[at];
  if (first === undefined || !NAME.test(first) || first === 'select') return at;
  const isQualified = tokens[at + 1] === '.' && NAME.test(tokens[at + 2] ?? '');
  const name: TableName = isQualified
    ? { schema: nameOf(first), name: nameOf(tokens[at + 2] as string) }
    : { name: nameOf(first) };
  let end = at + (isQualified ? 3 : 1);
  if (tokens[end] === 'as') end++;
  const alias = tokens[end];
  const hasAlias = alias !== undefined && NAME.test(alias) && !NO_ALIAS.has(alias);
  const key = hasAlias ? nameOf(alias) : name.name;
  const known = tables.get(key);
  if (known !== undefined && (known.name !== name.name || known.schema !== name.schema)) ambiguous.add(key);
  tables.set(key, name);
  return hasAlias ? end + 1 : end;
}

/** The tokens of a clause outside of parentheses, up to the next one. */
function clause(tokens: readonly string[], word: string): readonly string[] {
  let depth = 0;
  let from = -1;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (depth !== 0) continue;
    else if (from < 0 && token === word) from = at + 1;
    else if (from >= 0 && AFTER_WHERE.test(token)) return tokens.slice(from, at);
  }
  return from < 0 ? [] : tokens.slice(from);
}

function orderOf(tokens: readonly string[]): SortColumn[] | undefined {
  const [by, ...rest] = clause(tokens, 'order');
  if (by !== 'by' || rest.includes('(')) return undefined;
  const columns: SortColumn[] = [];
  for (const part of rest.join(' ').split(' , ')) {
    const words = part.split(' ');
    const last = words.at(-1);
    const isDirected = last === 'asc' || last === 'desc';
    const column = columnOf(isDirected ? words.slice(0, -1) : words);
    if (column === undefined) return undefined;
    columns.push({ alias: column.table, column: column.column, direction: last === 'desc' ? 'DESC' : '' });
  }
  return columns;
}
