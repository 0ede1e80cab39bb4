import { isLeading, keysOf, nameIn, needed, suggest } from './index-advice.js';
import { nodesOf, type PlanNode } from './plan-node.js';
import type { PlanReader } from './plan-reader.js';
import type { SuggestedIndex } from './statement-plan.js';
import type { TableFact } from './table-facts.js';

/** A sentence about a plan, without its full stop. */
export interface Remark {
  readonly text: string;
  readonly index?: SuggestedIndex | undefined;
}

/** Smaller tables are read as fast as an index. */
export const MIN_ROWS = 1000;
/** A table of which more is kept is read as a whole for good reason. */
const MAX_KEPT = 0.1;

const ESTIMATED: ReadonlySet<string> = new Set(['equal', 'join', 'null']);

/** What a scan of a whole table shows that has to keep few of its rows. Undefined for nothing. */
export function judgeScan(
  scan: PlanNode,
  above: readonly PlanNode[],
  table: TableFact,
  reader: PlanReader,
): Remark | undefined {
  if (table.rows < MIN_ROWS || scan.conditions.length === 0) return undefined;
  const keys = keysOf(scan, table, reader);
  if (keys === undefined) return undefined;
  const reads = `Reads ${canStop(above) ? 'up to' : 'all'} ${rowCount(table.rows)} rows of ${table.name}${eachTime(scan, above)}`;
  if (keys.length === 0) return judgeOthers(scan, table, reader, reads);
  const byKeys = keys.reduce((rows, { share }) => rows * share, table.rows);
  // Of a function of a column, planners guess how many rows it keeps.
  const rows = keys.some(({ isFunction }) => isFunction) ? 0 : (scan.rows ?? 0);
  const kept = Math.max(byKeys, rows);
  if (kept > table.rows * MAX_KEPT) return undefined;
  const chosen = needed(keys, table.rows);
  const readByIndex = chosen.reduce((rows, { share }) => rows * share, table.rows);
  const index = chosen.every(({ isCertain }) => isCertain)
    ? suggest(
        table,
        chosen.map(({ text }) => text),
        Math.max(readByIndex, rows),
        reader,
      )
    : undefined;
  const about = scan.rows === undefined ? 'at most' : 'about';
  // Of other conditions, planners guess how many rows they keep.
  const isKnown = rows > 0 && scan.conditions.every(({ kind }) => ESTIMATED.has(kind));
  const shown = rowCount(isKnown ? rows : byKeys);
  return { text: `${reads} to keep ${about} ${shown}; ${missing(chosen, table)}`, index };
}

/** Conditions that are no equality. */
function judgeOthers(
  scan: PlanNode,
  table: TableFact,
  reader: PlanReader,
  reads: string,
): Remark | undefined {
  const kinds = new Set(scan.conditions.map(({ kind }) => kind));
  const pattern = scan.conditions.find(({ kind }) => kind === 'pattern');
  if (pattern?.kind === 'pattern' && !isIndexed(table, pattern.column.column))
    return { text: `${reads}; an ordinary index does not serve its pattern on ${pattern.column.column}` };
  // The statistics say how many rows it keeps.
  const isKnown = scan.rows !== undefined && scan.rows <= table.rows * MAX_KEPT;
  if (!isKnown || kinds.has('pattern')) return undefined;
  const keeps = `${reads} to keep about ${rowCount(scan.rows)}`;
  if (kinds.has('either'))
    return { text: `${keeps}; its conditions are joined by OR, which no single index serves` };
  const [range, ...more] = scan.conditions;
  if (range?.kind !== 'range' || scan.isBound === true) return undefined;
  if (more.some((one) => one.kind !== 'range' || one.column.column !== range.column.column)) return undefined;
  const name = nameIn(table, range.column.column);
  const text = name === undefined ? undefined : reader.quote(name);
  if (name === undefined || text === undefined || isLeading(table, name) || range.column.asText)
    return undefined;
  return {
    text: `${keeps}; ${missing([{ text, column: name }], table)}`,
    index: suggest(table, [text], scan.rows, reader),
  };
}

function isIndexed(table: TableFact, column: string): boolean {
  for (const key of table.indexed) if (key.toLowerCase().includes(column.toLowerCase())) return true;
  return false;
}

/** `no index has album_id`, also where one has it behind another column. */
export function missing(keys: readonly { text: string; column: string }[], table: TableFact): string {
  const has = keys.some(({ column }) => table.indexed.has(column) || table.indexed.has(column.toLowerCase()));
  return `no index ${has ? 'begins with' : 'has'} ${keys.map(({ text }) => text).join(' and ')}`;
}

/** Whether a limit ends the scan as soon as enough rows are found. */
function canStop(above: readonly PlanNode[]): boolean {
  for (const { kind } of above) {
    if (kind === 'limit') return true;
    if (kind !== 'single') return false;
  }
  return false;
}

/** The table for each of whose rows a scan runs again. */
function eachTime(scan: PlanNode, above: readonly PlanNode[]): string {
  if (scan.perRow !== true) return '';
  const root = above.at(-1);
  const joined = scan.conditions.find(({ kind }) => kind === 'join');
  if (root !== undefined && joined?.kind === 'join') {
    const { table: alias } = joined.column.table === scan.alias ? joined.other : joined.column;
    for (const { node } of nodesOf(root))
      if (node.alias === alias && node.table !== undefined && node !== scan)
        return ` for each row of ${node.table.name}`;
  }
  for (const node of above) {
    const outer = node.kind === 'join' ? tableBelow(node.children[0]) : node.table?.name;
    if (outer !== undefined && outer !== scan.table?.name) return ` for each row of ${outer}`;
  }
  return ' for each row of another table';
}

function tableBelow(node: PlanNode | undefined): string | undefined {
  for (let at = node, depth = 0; at !== undefined && depth < 50; at = at.children[0], depth++)
    if (at.table !== undefined) return at.table.name;
  return undefined;
}

/** `15,000` */
export function rowCount(rows: number): string {
  return Math.max(1, Math.round(rows)).toLocaleString('en-US');
}
