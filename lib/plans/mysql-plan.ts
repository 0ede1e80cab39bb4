import { MYSQL } from '../spans/statement-dialect.js';
import { own } from '../validation/own.js';
import { readConditions } from './conditions.js';
import type { PlanBounds, PlanNode } from './plan-node.js';
import { numberIn, textIn } from './plan-reader.js';
import type { StatementParts } from './statement-parts.js';

type Step = Record<string, unknown>;

/** Reads a plan of MySQL or MariaDB, `EXPLAIN FORMAT=JSON`. Its order and limit stand in the statement alone. */
export function readMysqlPlan(
  given: unknown,
  parts: StatementParts,
  bounds: PlanBounds,
): PlanNode | undefined {
  const block = isStep(given) ? own(given, 'query_block') : undefined;
  if (!isStep(block)) return undefined;
  const reading = { parts, bounds, tables: [] as PlanNode[], isSorted: false };
  collect(block, reading, 0, false);
  const [only] = reading.tables;
  const { order, hasLimit, isSimple, isGrouped } = parts;
  if (only === undefined) return undefined;
  const isOrdered = isSimple && hasLimit && !isGrouped && order !== undefined && reading.isSorted;
  if (!isOrdered || reading.tables.length > 1) return node('other', reading.tables);
  return node('limit', [{ ...node('sort', [only]), sort: order }]);
}

function node(kind: PlanNode['kind'], children: readonly PlanNode[]): PlanNode {
  return { kind, conditions: [], children };
}

interface Reading {
  readonly parts: StatementParts;
  readonly bounds: PlanBounds;
  readonly tables: PlanNode[];
  isSorted: boolean;
}

function collect(step: Step, reading: Reading, depth: number, isRepeated: boolean): void {
  reading.bounds.enter(depth);
  for (const [name, value] of Object.entries(step)) {
    if (name === 'filesort' || own(step, 'using_filesort') === true) reading.isSorted = true;
    const repeats = isRepeated || /^(?:expression_cache)$/.test(name) || own(step, 'dependent') === true;
    for (const inner of Array.isArray(value) ? value : [value]) {
      if (!isStep(inner)) continue;
      if (name === 'table') reading.tables.push(tableOf(inner, reading.parts, repeats));
      collect(inner, reading, depth + 1, repeats);
    }
  }
}

function tableOf(step: Step, { tables }: StatementParts, perRow: boolean): PlanNode {
  const alias = textIn(own(step, 'table_name')) ?? '';
  const condition = textIn(own(step, 'attached_condition'));
  const isBound = true;
  return {
    kind: readsAll(step) ? 'scan' : 'index',
    table: tables.get(alias) ?? tables.get(alias.toLowerCase()),
    alias,
    conditions: condition === undefined ? [] : readConditions(condition, MYSQL),
    isBound,
    perRow,
    children: [],
  };
}

/** Every row, or every entry of an index: an UPDATE reads the primary key from its beginning to its end. */
function readsAll(step: Step): boolean {
  const type = own(step, 'access_type');
  const rows = numberIn(own(step, 'rows')) ?? numberIn(own(step, 'rows_examined_per_scan')) ?? 0;
  return rows > 0 && (type === 'ALL' || (type === 'index' && own(step, 'index_condition') === undefined));
}

function isStep(value: unknown): value is Step {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
