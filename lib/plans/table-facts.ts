import type { TableName } from './plan-node.js';

/** What the catalogue of a database knows of the tables of one plan. */
export interface TableFacts {
  table(name: TableName): TableFact | undefined;
  /** Bytes that one sort, and one hash, may use; absent where the server does not say. */
  readonly sortBytes?: number | undefined;
  readonly hashBytes?: number | undefined;
}

export interface TableFact {
  readonly name: string;
  readonly schema: string | undefined;
  /** Rows, by its statistics. */
  readonly rows: number;
  /** A part of a larger table: what it lacks, the larger table lacks. */
  readonly isPartition: boolean;
  /** The leading column, or expression, of each index. */
  readonly leading: ReadonlySet<string>;
  /** All columns and expressions of its indexes. */
  readonly indexed: ReadonlySet<string>;
  /** The names of its indexes. */
  readonly indexes: ReadonlySet<string>;
  readonly columns: ReadonlyMap<string, ColumnFact>;
}

export interface ColumnFact {
  /** Its type in lower case, as the server names it. */
  readonly type: string;
  /** The share of all rows that have one value on average, at most; undefined where that is unknown. */
  readonly share: number | undefined;
  /** Average bytes, where they are known. */
  readonly width?: number | undefined;
}

/** Keys tables by schema and name. Those without a schema are found by name, if no two have the same. */
export class KnownTables implements TableFacts {
  private readonly facts = new Map<string, TableFact | undefined>();

  constructor(
    tables: readonly TableFact[],
    readonly sortBytes?: number | undefined,
    readonly hashBytes?: number | undefined,
    /** Names that differ in their case alone are the same. */
    private readonly ignoresCase = false,
  ) {
    for (const table of tables) {
      const key = this.keyOf(table);
      this.facts.set(key, this.facts.has(key) ? undefined : table);
    }
  }

  table(name: TableName): TableFact | undefined {
    return this.facts.get(this.keyOf(name));
  }

  private keyOf({ schema, name }: TableName): string {
    const key = `${schema ?? ''}\n${name}`;
    return this.ignoresCase ? key.toLowerCase() : key;
  }
}
