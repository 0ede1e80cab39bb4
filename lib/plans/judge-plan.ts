import { isIndexable, isLeading, nameIn, orderKeys, suggest } from './index-advice.js';
import { judgeScan, MIN_ROWS, missing, type Remark, rowCount } from './judge-scan.js';
import { nodesOf, type PlanNode } from './plan-node.js';
import type { PlanReader, ReadPlan } from './plan-reader.js';
import type { StatementPlan } from './statement-plan.js';
import type { TableFacts } from './table-facts.js';

/** A join of so few rows to so many is faster by an index. */
const FEW_OUTER = 0.01;
const FEW_JOINED = 0.05;
/** Of a limit with a bound value, planners assume this share of the rows. */
const LIMITED = 0.1;
/** From so many times the memory a sort or hash is said to spill. */
const SPILLS = 2;
/** Bytes that a row in memory needs beside its values. */
const OVERHEAD = 48;
/** An estimate is far off from this factor and number of rows. */
const FAR = 10;
const FAR_ROWS = 1000;
const MAX_SENTENCES = 4;

/**
 * What a plan shows, in sentences. Undefined where there is nothing to say.
 * @param seenRows how many rows came, where the driver reports it
 */
export function judgePlan(
  { root, facts }: ReadPlan,
  reader: PlanReader,
  seenRows?: number,
): Omit<StatementPlan, 'explainedAt'> | undefined {
  const remarks: Remark[] = [];
  for (const { node, above } of nodesOf(root)) {
    const remark = judgeNode(node, above, facts, reader);
    if (remark !== undefined && !remarks.some(({ text }) => text === remark.text)) remarks.push(remark);
  }
  const far = judgeEstimate(root, seenRows);
  if (far !== undefined) remarks.push(far);
  if (remarks.length === 0) return undefined;
  const indexes = remarks.flatMap(({ index }) => (index === undefined ? [] : [index]));
  const [best] = indexes.sort((a, b) => b.rowsRead - a.rowsRead);
  return {
    explanation: remarks
      .slice(0, MAX_SENTENCES)
      .map(({ text }) => `${text}.`)
      .join(' '),
    ...(best === undefined ? {} : { suggestedIndex: best }),
  };
}

function judgeNode(
  node: PlanNode,
  above: readonly PlanNode[],
  facts: TableFacts,
  reader: PlanReader,
): Remark | undefined {
  switch (node.kind) {
    case 'scan': {
      const table = node.table === undefined ? undefined : facts.table(node.table);
      return table === undefined ? undefined : judgeScan(node, above, table, reader);
    }
    case 'join':
      return judgeJoin(node, facts, reader);
    case 'limit':
      return judgeLimit(node, facts, reader);
    case 'sort':
      return above.some(({ kind }) => kind === 'limit') ? undefined : spill(node, 'Sorts', facts.sortBytes);
    case 'hash':
      return spill(node, 'Builds a hash table of', facts.hashBytes);
    case 'group':
      return node.spills === true
        ? {
            text: `Groups ${rowCount(node.children[0]?.rows ?? 0)} rows, more than fit into work_mem: it writes to disk`,
          }
        : undefined;
    default:
      return undefined;
  }
}

/** A table that is read as a whole to join a few of its rows. */
function judgeJoin(join: PlanNode, facts: TableFacts, reader: PlanReader): Remark | undefined {
  const [condition, ...more] = join.conditions;
  if (condition?.kind !== 'join' || more.length > 0 || join.rows === undefined) return undefined;
  for (const [side, child] of join.children.slice(0, 2).entries()) {
    const scan = scanBelow(child);
    const table = scan?.table === undefined ? undefined : facts.table(scan.table);
    const others = join.children[1 - side]?.rows;
    if (scan === undefined || table === undefined || others === undefined || scan.conditions.length > 0)
      continue;
    // The rows of this side are needed even without a match.
    if (join.keeps?.[side] !== false || table.rows < MIN_ROWS) continue;
    if (others > table.rows * FEW_OUTER || join.rows > table.rows * FEW_JOINED) continue;
    const compared = condition.column.table === scan.alias ? condition.column : condition.other;
    const name = compared.table === scan.alias ? nameIn(table, compared.column) : undefined;
    const fact = name === undefined ? undefined : table.columns.get(name);
    const text = name === undefined ? undefined : reader.quote(name);
    if (name === undefined || fact === undefined || text === undefined || isLeading(table, name)) continue;
    return {
      text: `Reads all ${rowCount(table.rows)} rows of ${table.name} to join about ${rowCount(join.rows)}; ${missing([{ text, column: name }], table)}`,
      index: isIndexable(fact, compared, reader) ? suggest(table, [text], join.rows, reader) : undefined,
    };
  }
  return undefined;
}

function scanBelow(node: PlanNode | undefined): PlanNode | undefined {
  for (let at = node, depth = 0; at !== undefined && depth < 10; at = at.children[0], depth++) {
    if (at.kind === 'scan') return at;
    if (!['single', 'hash', 'sort'].includes(at.kind)) return undefined;
  }
  return undefined;
}

/** A whole table that is sorted for its first rows. */
function judgeLimit(limit: PlanNode, facts: TableFacts, reader: PlanReader): Remark | undefined {
  let below = limit.children[0];
  while (below?.kind === 'single') below = below.children[0];
  const scan = below?.kind === 'sort' ? scanBelow(below.children[0]) : undefined;
  const table = scan?.table === undefined ? undefined : facts.table(scan.table);
  const sort = below?.sort;
  if (scan === undefined || table === undefined || sort === undefined || table.rows < MIN_ROWS)
    return undefined;
  if (scan.conditions.length > 0 || sort.some(({ alias }) => alias !== undefined && alias !== scan.alias))
    return undefined;
  if (limit.rows !== undefined && limit.rows > table.rows * LIMITED) return undefined;
  const [first] = sort;
  const name = first === undefined ? undefined : nameIn(table, first.column);
  const columns = orderKeys(sort, table, reader);
  if (name === undefined || columns === undefined || isLeading(table, name)) return undefined;
  const fact = table.columns.get(name);
  const isCertain =
    fact !== undefined && isIndexable(fact, { table: undefined, column: name, asText: false }, reader);
  const text = columns.join(', ');
  // A bound limit is planned as this share of the rows.
  const isKnown = limit.rows !== undefined && Math.abs(limit.rows - table.rows * LIMITED) > 1;
  return {
    text: `Sorts all ${rowCount(table.rows)} rows of ${table.name} for the first of them; ${missing([{ text, column: name }], table)}`,
    index: isCertain ? suggest(table, columns, isKnown ? limit.rows : undefined, reader) : undefined,
  };
}

function spill(node: PlanNode, what: string, limit: number | undefined): Remark | undefined {
  const { rows, width } = node.children[0] ?? {};
  if (limit === undefined || rows === undefined || width === undefined) return undefined;
  const bytes = rows * (width + OVERHEAD);
  if (bytes < limit * SPILLS) return undefined;
  return {
    text: `${what} about ${rowCount(rows)} rows, ${megabytes(bytes)} where ${megabytes(limit)} may be used: it writes to disk`,
  };
}

function megabytes(bytes: number): string {
  const mb = bytes / 2 ** 20;
  return `${mb >= 10 ? Math.round(mb) : Math.round(mb * 10) / 10} MB`;
}

function judgeEstimate({ rows, kind, hasNoResult }: PlanNode, seen: number | undefined): Remark | undefined {
  if (rows === undefined || seen === undefined || hasNoResult === true || kind === 'limit') return undefined;
  const [less, more] = [Math.max(1, Math.min(rows, seen)), Math.max(rows, seen)];
  if (more < FAR_ROWS || more / less < FAR) return undefined;
  return {
    text: `The planner expects about ${rowCount(rows)} rows, and ${seen === 0 ? 'none' : rowCount(seen)} came`,
  };
}
