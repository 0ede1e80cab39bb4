import { own } from '../validation/own.js';
import { nodesOf, PlanBounds, type PlanNode, type TableName } from './plan-node.js';
import {
  type Explainable,
  firstValue,
  literal,
  numberIn,
  type PlanReader,
  quoted,
  type ReadPlan,
  type Row,
  type Run,
  textIn,
} from './plan-reader.js';
import { readPostgresNode } from './postgres-plan.js';
import { placeholdersReplaced } from './sendable.js';
import { type ColumnFact, KnownTables, type TableFact, type TableFacts } from './table-facts.js';

/** The first version with GENERIC_PLAN, which plans a statement without the values of `$1`. */
const GENERIC = 160_000;
/** Longer answers are not read. */
const MAX_PLAN = 1_000_000;
const MAX_TABLES = 20;
const PLAIN = /^[a-z_][a-z0-9_]*$/;

interface Server {
  readonly database: string | undefined;
  readonly version: number;
}

/** Postgres. Redshift, CockroachDB and others that speak its protocol are not asked. */
export class PostgresReader implements PlanReader {
  readonly indexesFunctions = true;
  private server: Server | undefined;

  async read(statement: Explainable, run: Run): Promise<ReadPlan | undefined> {
    this.server ??= await serverOf(run);
    const { version, database } = this.server;
    if (statement.database !== undefined && database !== undefined && statement.database !== database)
      return undefined;
    const text = withDollars(statement);
    const isBound = /\$\d/.test(text);
    if (version === 0 || (isBound && version < GENERIC)) return undefined;
    const generic = isBound ? 'GENERIC_PLAN, ' : '';
    const [row] = await run(`EXPLAIN (${generic}VERBOSE, FORMAT JSON) ${text}`);
    const root = planIn(firstValue(row));
    return root === undefined ? undefined : { root, facts: await factsOf(root, run) };
  }

  async schema(run: Run): Promise<string> {
    const [row] = await run(SCHEMA);
    return String(firstValue(row));
  }

  createIndex(table: string, schema: string | undefined, columns: readonly string[]): string | undefined {
    const name = this.quote(table);
    const space = schema === undefined || schema === 'public' ? '' : this.quote(schema);
    if (name === undefined || space === undefined) return undefined;
    return `CREATE INDEX ON ${space === '' ? name : `${space}.${name}`} (${columns.join(', ')})`;
  }

  quote(name: string): string | undefined {
    return quoted(name, '"', PLAIN);
  }
}

/** What the driver reported without literals has `?`; what it sent has `$1`. */
function withDollars({ text }: Explainable): string {
  if (!text.includes('?') || /\$\d/.test(text)) return text;
  return placeholdersReplaced(text, (index) => `$${index + 1}`);
}

async function serverOf(run: Run): Promise<Server> {
  const [row = {}] = await run(
    "SELECT version() AS version, current_setting('server_version_num') AS number, current_database() AS database",
  );
  const version = textIn(own(row, 'version')) ?? '';
  const isPostgres =
    version.startsWith('PostgreSQL ') && !/redshift|greenplum|yugabyte|materialize/i.test(version);
  return {
    version: isPostgres ? (numberIn(own(row, 'number')) ?? 0) : 0,
    database: textIn(own(row, 'database')),
  };
}

function planIn(value: unknown): PlanNode | undefined {
  if (typeof value === 'string' && value.length > MAX_PLAN) return undefined;
  const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  const first: unknown = Array.isArray(parsed) ? parsed[0] : undefined;
  if (typeof first !== 'object' || first === null) return undefined;
  const plan = own(first as Record<string, unknown>, 'Plan');
  return plan === undefined ? undefined : readPostgresNode(plan, new PlanBounds());
}

/** Tables, indexes and columns of the application, and the size of what was added and removed. */
const SCHEMA = `SELECT count(*) || ':' || coalesce(sum(c.oid::bigint * 31 + c.relnatts), 0) AS schema FROM pg_catalog.pg_class c
 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

const FACTS = `SELECT n.nspname AS schema, c.relname AS name, c.reltuples::float8 AS rows, c.relispartition AS partition,
 pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem'))::float8 AS memory,
 pg_catalog.current_setting('hash_mem_multiplier', true) AS multiplier,
 (SELECT json_agg(json_build_object('name', i.relname, 'columns', (SELECT json_agg(
    pg_catalog.pg_get_indexdef(x.indexrelid, at, true) ORDER BY at) FROM generate_series(1, x.indnatts::int) at)))
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid) AS indexes,
 (SELECT json_agg(json_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, NULL),
   'distinct', s.n_distinct, 'nulls', s.null_frac, 'width', s.avg_width))
  FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_stats s
   ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND (n.nspname, c.relname) IN`;

async function factsOf(root: PlanNode, run: Run): Promise<TableFacts> {
  const pairs = new Set<string>();
  for (const { node } of nodesOf(root)) {
    const pair = node.kind === 'scan' ? pairOf(node.table) : undefined;
    if (pair !== undefined && pairs.size < MAX_TABLES) pairs.add(pair);
  }
  // Memory for sorts and hashes is known with the tables, of which one is enough.
  if (pairs.size === 0) return new KnownTables([]);
  const rows = await run(`${FACTS} (${[...pairs].join(', ')})`);
  const memory = numberIn(own(rows[0] ?? {}, 'memory'));
  const multiplier = numberIn(own(rows[0] ?? {}, 'multiplier')) ?? 1;
  return new KnownTables(rows.map(factOf), memory, memory === undefined ? undefined : memory * multiplier);
}

function pairOf(table: TableName | undefined): string | undefined {
  const schema = literal(table?.schema ?? '');
  const name = literal(table?.name ?? '');
  return schema === undefined || name === undefined ? undefined : `(${schema}, ${name})`;
}

function factOf(row: Row): TableFact {
  const rows = Math.max(0, numberIn(own(row, 'rows')) ?? 0);
  const indexes = listIn(own(row, 'indexes'));
  const keys = indexes.map((index) => {
    const columns: unknown = own(index, 'columns');
    return Array.isArray(columns) ? columns.map((column) => String(column).replace(/^"(.*)"$/, '$1')) : [];
  });
  return {
    name: textIn(own(row, 'name')) ?? '',
    schema: textIn(own(row, 'schema')),
    rows,
    isPartition: own(row, 'partition') === true,
    leading: new Set(keys.flatMap((columns) => columns.slice(0, 1))),
    indexed: new Set(keys.flat()),
    indexes: new Set(indexes.map((index) => String(own(index, 'name')))),
    columns: new Map(
      listIn(own(row, 'columns')).map((column) => [String(own(column, 'name')), columnFact(column, rows)]),
    ),
  };
}

function columnFact(column: Row, rows: number): ColumnFact {
  // A negative number is a share of the rows.
  const given = numberIn(own(column, 'distinct'));
  const distinct = given === undefined || given === 0 ? undefined : given > 0 ? given : -given * rows;
  const nulls = numberIn(own(column, 'nulls')) ?? 0;
  return {
    type: textIn(own(column, 'type')) ?? '',
    share: distinct === undefined ? undefined : (1 - nulls) / Math.max(1, distinct),
    width: numberIn(own(column, 'width')),
  };
}

function listIn(value: unknown): Row[] {
  const parsed: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  return Array.isArray(parsed) ? parsed.filter((item) => typeof item === 'object' && item !== null) : [];
}
