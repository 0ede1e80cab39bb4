import type { Condition } from './conditions.js';

/** A table as a plan names it. */
export interface TableName {
  /** Absent where the server does not state it: the default schema. */
  readonly schema?: string | undefined;
  readonly name: string;
}

/** A column or expression of an order, and `''`, `DESC`, `NULLS FIRST` or both. */
export interface SortColumn {
  readonly alias: string | undefined;
  readonly column: string;
  readonly direction: string;
}

/** One step of a plan, of whichever server. */
export interface PlanNode {
  /** `scan` reads a whole table; `index` a part of one, by an index; `single` passes on the rows of its one child. */
  readonly kind: 'scan' | 'index' | 'join' | 'sort' | 'limit' | 'group' | 'hash' | 'single' | 'other';
  readonly table?: TableName | undefined;
  /** The name of the table within the statement. */
  readonly alias?: string | undefined;
  /** Estimated rows that it returns; undefined where the server does not know. */
  readonly rows?: number | undefined;
  /** Estimated bytes of a row. */
  readonly width?: number | undefined;
  /** Of a table, what its rows have to fulfil; of a join, what joins them. */
  readonly conditions: readonly Condition[];
  /** Its conditions contain bound values: estimates of anything but equality are guesses. */
  readonly isBound?: boolean;
  readonly sort?: readonly SortColumn[] | undefined;
  /** Of a join, whether the rows of its first and second child are kept without a match. */
  readonly keeps?: readonly [boolean, boolean];
  /** It runs again for each row of another table. */
  readonly perRow?: boolean;
  /** It changes rows, or its number of rows is otherwise not that of the result. */
  readonly hasNoResult?: boolean;
  /** The server plans to write a part of it to disk. */
  readonly spills?: boolean;
  readonly children: readonly PlanNode[];
}

const MAX_NODES = 500;
const MAX_DEPTH = 50;

/** A plan that is too large to be read. */
export class TooLarge extends Error {}

/** Limits how much of a plan is read. */
export class PlanBounds {
  private nodes = 0;

  /** @throws TooLarge */
  enter(depth: number): void {
    if (++this.nodes > MAX_NODES || depth > MAX_DEPTH) throw new TooLarge('The plan is too large to be read');
  }
}

/** All nodes of a plan, each with those above it, the nearest first. */
export function* nodesOf(
  node: PlanNode,
  above: readonly PlanNode[] = [],
): Generator<{ node: PlanNode; above: readonly PlanNode[] }> {
  yield { node, above };
  const next = [node, ...above];
  for (const child of node.children) yield* nodesOf(child, next);
}
