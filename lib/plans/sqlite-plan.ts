import type { ColumnName } from './operands.js';
import type { PlanBounds, PlanNode } from './plan-node.js';
import { type Row, textIn } from './plan-reader.js';
import { field } from './sampled-facts.js';
import type { StatementParts } from './statement-parts.js';

/** `SCAN t`, `SCAN t USING COVERING INDEX i`, `SEARCH t USING INDEX i (a=?)`; before 3.36 with the word TABLE. */
const TABLE = /^(?<how>SCAN|SEARCH) (?:TABLE )?(?<name>"[^"]+"|[^\s(]+)(?: AS (?<alias>\S+))?(?<rest>.*)$/;
/** An index that SQLite builds for one execution, because none exists. */
const AUTOMATIC = /USING AUTOMATIC (?:PARTIAL )?(?:COVERING )?INDEX \((?<columns>[^)]+)\)/;

/** Reads the rows of `EXPLAIN QUERY PLAN`. What rows have to fulfil, order and limit stand in the statement alone. */
export function readSqlitePlan(
  rows: readonly Row[],
  parts: StatementParts,
  bounds: PlanBounds,
): PlanNode | undefined {
  const tables: PlanNode[] = [];
  let isSorted = false;
  for (const row of rows) {
    bounds.enter(0);
    const detail = textIn(field(row, 'detail')) ?? '';
    if (detail === 'USE TEMP B-TREE FOR ORDER BY') isSorted = true;
    const table = tableOf(detail, parts);
    if (table !== undefined) tables.push(table);
  }
  const [only] = tables;
  if (only === undefined) return undefined;
  const { order, hasLimit, isSimple, isGrouped } = parts;
  const isOrdered = isSimple && isSorted && hasLimit && !isGrouped && order !== undefined;
  if (!isOrdered || tables.length > 1) return { kind: 'other', conditions: [], children: tables };
  const sort: PlanNode = { kind: 'sort', conditions: [], sort: order, children: [only] };
  return { kind: 'limit', conditions: [], children: [sort] };
}

function tableOf(detail: string, parts: StatementParts): PlanNode | undefined {
  const { how, name = '', alias: second, rest = '' } = TABLE.exec(detail)?.groups ?? {};
  if (how === undefined) return undefined;
  const alias = (second ?? name).replaceAll('"', '');
  const table = parts.tables.get(alias) ?? parts.tables.get(alias.toLowerCase());
  const automatic = AUTOMATIC.exec(rest)?.groups?.['columns'];
  if (automatic !== undefined) {
    const column = columnIn(automatic, alias);
    const conditions = column === undefined ? [] : [{ kind: 'equal' as const, column, isList: false }];
    return { kind: 'scan', table, alias, conditions, perRow: true, children: [] };
  }
  const conditions = parts.conditions.filter((condition) => concerns(condition, alias, parts.isSimple));
  return { kind: how === 'SCAN' ? 'scan' : 'index', table, alias, conditions, isBound: true, children: [] };
}

/** `album_id=? AND kind=?`: undefined for several. */
function columnIn(text: string, alias: string): ColumnName | undefined {
  const column = /^(?<name>[\w$]+)=\?$/.exec(text)?.groups?.['name'];
  return column === undefined ? undefined : { table: alias, column, asText: false };
}

function concerns(
  condition: StatementParts['conditions'][number],
  alias: string,
  isSimple: boolean,
): boolean {
  if (isSimple) return true;
  if (!('column' in condition) || condition.kind === 'join') return false;
  return condition.column.table?.toLowerCase() === alias.toLowerCase();
}
