import type { PlanNode } from './plan-node.js';
import type { TableFacts } from './table-facts.js';

/** Runs one statement of a reader, within its time limit. Resolves with its rows. */
export type Run = (statement: string) => Promise<readonly Row[]>;
export type Row = Readonly<Record<string, unknown>>;

/** A statement that may be explained. */
export interface Explainable {
  /** As it was executed, with its placeholders; or without its literals, where the driver reported it so. */
  readonly text: string;
  /** Its tokens without literals. */
  readonly tokens: readonly string[];
  /** The database that executed it, as far as it is known. */
  readonly database: string | undefined;
}

/** A plan, and what is known of its tables. */
export interface ReadPlan {
  readonly root: PlanNode;
  readonly facts: TableFacts;
}

/** The language of one database system: how it explains statements, and what its catalogue has. */
export interface PlanReader {
  /** Indexes may have `lower(column)`. */
  readonly indexesFunctions: boolean;
  /** Explains a statement. Undefined where that is not possible, or where nothing follows from it. */
  read(statement: Explainable, run: Run): Promise<ReadPlan | undefined>;
  /** A text that changes when tables or indexes change. */
  schema(run: Run): Promise<string>;
  /** The statement that creates an index. Undefined if a name cannot be written. */
  createIndex(
    table: string,
    schema: string | undefined,
    columns: readonly string[],
    name: string,
  ): string | undefined;
  /** A column within it. */
  quote(name: string): string | undefined;
}

/** The statement that creates a named index on a table, whose name is quoted where it can be written. */
export function namedIndex(
  table: string | undefined,
  columns: readonly string[],
  name: string,
): string | undefined {
  return table === undefined ? undefined : `CREATE INDEX ${name} ON ${table} (${columns.join(', ')})`;
}

/** The first value of a row, whatever its name. */
export function firstValue(row: Row | undefined): unknown {
  return row === undefined ? undefined : Object.values(row)[0];
}

/** A number of a row, which drivers also return as a text. */
export function numberIn(value: unknown): number | undefined {
  const number = typeof value === 'string' || typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export function textIn(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A name as a literal of a statement; undefined if it has characters that a literal may not have everywhere. */
export function literal(name: string): string | undefined {
  return NAME.test(name) ? `'${name}'` : undefined;
}

/** A name in quotes, where it needs them; undefined if it cannot be written in a statement. */
export function quoted(name: string, quote: '"' | '`', isPlain: RegExp): string | undefined {
  if (!NAME.test(name)) return undefined;
  return isPlain.test(name) && !RESERVED.has(name.toLowerCase()) ? name : quote + name + quote;
}

/** Names of tables and columns: letters, digits, and what joins them. */
const NAME = /^[\p{L}_][\p{L}\p{N}_$ .-]{0,62}$/u;
/** Words that are no names without quotes, in any of the systems. */
const RESERVED: ReadonlySet<string> = new Set(
  `all analyse analyze and any array as asc between both by case cast check collate column condition constraint create cross
   current_date current_time current_timestamp current_user default desc distinct do else end except false fetch for foreign
   freeze from full grant group groups having in index inner insert intersect interval into is join key keys kill lateral
   leading left like limit lines load lock match natural not null of offset on only option or order outer over partition
   primary range rank read references release rename repeat replace returning right row rows schema select set show similar
   some sql symmetric system table then to trailing trigger true union unique update usage user using values variadic verbose
   when where window with write`.split(/\s+/),
);
