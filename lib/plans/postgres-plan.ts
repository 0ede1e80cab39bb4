import { POSTGRES } from '../spans/statement-dialect.js';
import { own } from '../validation/own.js';
import { type Condition, readConditions } from './conditions.js';
import type { PlanBounds, PlanNode, SortColumn } from './plan-node.js';
import { numberIn, textIn } from './plan-reader.js';

/** Steps that pass on the rows of their child. */
const SINGLE: ReadonlySet<string> = new Set([
  'Gather',
  'Gather Merge',
  'Materialize',
  'Memoize',
  'Result',
  'LockRows',
]);
const JOINS: ReadonlySet<string> = new Set(['Hash Join', 'Merge Join', 'Nested Loop']);
const INDEXES: ReadonlySet<string> = new Set([
  'Index Scan',
  'Index Only Scan',
  'Bitmap Heap Scan',
  'Bitmap Index Scan',
  'Tid Scan',
]);
/** Conditions by which an index, a join or a scan reads. */
const CONDITIONS = ['Filter', 'Hash Cond', 'Merge Cond', 'Join Filter'] as const;

/** Reads one step of a plan of Postgres, `EXPLAIN (VERBOSE, FORMAT JSON)`, and those below. */
export function readPostgresNode(
  given: unknown,
  bounds: PlanBounds,
  depth = 0,
  isRepeated = false,
  sharers = 1,
): PlanNode {
  bounds.enter(depth);
  const step = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
  const get = (name: string): unknown => own(step, name);
  const type = textIn(get('Node Type')) ?? '';
  const relation = textIn(get('Relation Name'));
  const plans = get('Plans');
  const kind = kindOf(type);
  const texts = CONDITIONS.map((name) => textIn(get(name)) ?? '');
  const shared = sharersOf(numberIn(get('Workers Planned'))) ?? sharers;
  const children = (Array.isArray(plans) ? plans : []).map((child: unknown, index) =>
    readPostgresNode(child, bounds, depth + 1, isRepeated || repeats(child, type, index), shared),
  );
  const rows = numberIn(get('Plan Rows'));
  return {
    kind,
    table: relation === undefined ? undefined : { schema: textIn(get('Schema')), name: relation },
    alias: textIn(get('Alias')) ?? relation,
    rows: rows === undefined ? undefined : rows * sharers,
    width: numberIn(get('Plan Width')),
    conditions: texts.flatMap((text): Condition[] => (text === '' ? [] : readConditions(text, POSTGRES))),
    isBound: texts.some((text) => /\$\d/.test(text)),
    ...(kind === 'sort' && { sort: sortOf(get('Sort Key')) }),
    ...(kind === 'join' && { keeps: keptBy(textIn(get('Join Type')) ?? '') }),
    perRow: isRepeated,
    hasNoResult: type === 'ModifyTable',
    spills: (numberIn(get('Planned Partitions')) ?? 0) > 0,
    children,
  };
}

function kindOf(type: string): PlanNode['kind'] {
  if (type === 'Seq Scan') return 'scan';
  if (INDEXES.has(type)) return 'index';
  if (JOINS.has(type)) return 'join';
  if (SINGLE.has(type)) return 'single';
  if (type === 'Sort') return 'sort';
  if (type === 'Limit') return 'limit';
  if (type === 'Hash') return 'hash';
  return type === 'Aggregate' ? 'group' : 'other';
}

/** Below a Gather, a plan states the rows of one process. The one that gathers them reads less, the more workers there are. */
function sharersOf(workers: number | undefined): number | undefined {
  return workers === undefined ? undefined : workers + Math.max(0, 1 - 0.3 * workers);
}

/** A correlated subquery runs for each row; so does the inner side of a nested loop. */
function repeats(child: unknown, parent: string, index: number): boolean {
  const relation = textIn(own((child ?? {}) as Record<string, unknown>, 'Parent Relationship'));
  return relation === 'SubPlan' || (parent === 'Nested Loop' && index === 1);
}

function keptBy(join: string): readonly [boolean, boolean] {
  if (join === 'Inner' || join === 'Semi') return [false, false];
  if (join === 'Left') return [true, false];
  return join === 'Right' ? [false, true] : [true, true];
}

/** `track.seconds DESC NULLS LAST` */
const SORT_KEY =
  /^(?:(?<alias>"[^"]+"|[\w$]+)\.)?(?<column>"[^"]+"|[\w$]+)(?<direction>(?: DESC)?(?: NULLS (?:FIRST|LAST))?)$/u;

/** The columns of an order; undefined if one is an expression. */
function sortOf(keys: unknown): SortColumn[] | undefined {
  if (!Array.isArray(keys) || keys.length === 0) return undefined;
  const columns = keys.map((key: unknown): SortColumn | undefined => {
    const { alias, column, direction } = SORT_KEY.exec(String(key))?.groups ?? {};
    if (column === undefined) return undefined;
    return {
      alias: alias?.replaceAll('"', ''),
      column: column.replaceAll('"', ''),
      direction: (direction ?? '').trim(),
    };
  });
  return columns.every((column) => column !== undefined) ? columns : undefined;
}
