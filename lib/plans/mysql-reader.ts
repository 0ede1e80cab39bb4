import { own } from '../validation/own.js';
import { readMysqlPlan } from './mysql-plan.js';
import { PlanBounds, type PlanNode } from './plan-node.js';
import {
  type Explainable,
  firstValue,
  namedIndex,
  numberIn,
  type PlanReader,
  quoted,
  type ReadPlan,
  type Row,
  type Run,
  textIn,
} from './plan-reader.js';
import { field, sampledFacts } from './sampled-facts.js';
import { placeholdersReplaced } from './sendable.js';
import { partsOf } from './statement-parts.js';
import type { TableFacts } from './table-facts.js';

/** Longer answers are not read. */
const MAX_PLAN = 1_000_000;
const PLAIN = /^[A-Za-z_][A-Za-z0-9_$]*$/;

/**
 * In the place of a bound value. A number, a date and a text are compared with it by an index just as with any other value. NULL
 * would not do: nothing equals NULL, and the server plans to read no table.
 */
const ANY_VALUE = "'2000-01-01'";
const ANY_COUNT = '10';
const BEFORE_COUNT = /\b(?:limit|offset)\s*$|\blimit\s+\S{1,20}\s*,\s*$/i;

/**
 * Functions of MySQL and MariaDB. A statement that calls another one is not explained: where the planner evaluates a subquery,
 * it executes what a stored function does.
 */
const FUNCTIONS: ReadonlySet<string> = new Set(
  `count sum min max avg coalesce ifnull nullif if lower upper lcase ucase concat concat_ws substring substr left right length
   char_length trim ltrim rtrim replace round floor ceil ceiling abs mod greatest least date year month day hour minute second
   dayofweek week quarter now curdate current_date current_timestamp utc_timestamp date_format date_add date_sub datediff
   timestampdiff from_unixtime unix_timestamp str_to_date cast convert group_concat json_extract json_unquote json_contains
   json_value row_number rank dense_rank lag lead md5 sha1 sha2 hex unhex instr locate field find_in_set match against exists in
   values and or not where from as on using over select any all some when then else union join returning set by distinct
   between like char varchar decimal interval case is`.split(/\s+/),
);

/** MySQL and MariaDB. TiDB and others that speak their protocol are not asked. */
export class MysqlReader implements PlanReader {
  readonly indexesFunctions = false;
  private server:
    | { readonly isKnown: boolean; readonly isMariaDb: boolean; readonly database: string | undefined }
    | undefined;

  async read(statement: Explainable, run: Run): Promise<ReadPlan | undefined> {
    if (!callsKnownFunctions(statement.tokens)) return undefined;
    this.server ??= await serverOf(run);
    const { isKnown, isMariaDb, database } = this.server;
    if (!isKnown || (statement.database !== undefined && statement.database !== database)) return undefined;
    const text = placeholdersReplaced(statement.text, (_index, before) =>
      BEFORE_COUNT.test(before) ? ANY_COUNT : ANY_VALUE,
    );
    // MariaDB evaluates small subqueries while it plans.
    const limit = isMariaDb ? 'SET STATEMENT max_statement_time=1 FOR ' : '';
    const [row] = await run(`${limit}EXPLAIN FORMAT=JSON ${text}`);
    const value = firstValue(row);
    const json = typeof value === 'object' ? value : textIn(value);
    if (typeof json === 'string' && json.length > MAX_PLAN) return undefined;
    const parsed: unknown = typeof json === 'string' ? JSON.parse(json) : json;
    const root = readMysqlPlan(parsed, partsOf(statement.tokens), new PlanBounds());
    return root === undefined ? undefined : { root, facts: await this.factsOf(root, run) };
  }

  async schema(run: Run): Promise<string> {
    const [row] = await run(
      'SELECT COALESCE(SUM(CRC32(CONCAT_WS(0, TABLE_NAME, INDEX_NAME, COLUMN_NAME, SEQ_IN_INDEX))), 0) AS hash FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()',
    );
    return String(firstValue(row));
  }

  createIndex(
    table: string,
    _schema: string | undefined,
    columns: readonly string[],
    name: string,
  ): string | undefined {
    return namedIndex(this.quote(table), columns, name);
  }

  quote(name: string): string | undefined {
    return quoted(name, '`', PLAIN);
  }

  private factsOf(root: PlanNode, run: Run): Promise<TableFacts> {
    const counts = new Map<unknown, number | undefined>();
    const read = async (names: string): Promise<Row[]> => {
      const rows = await run(catalogue(names));
      const isTable = (row: Row): boolean => field(row, 'kind') === 't';
      for (const row of rows.filter(isTable)) counts.set(field(row, 'name'), numberIn(field(row, 'at')));
      return rows.filter((row) => !isTable(row));
    };
    return sampledFacts(root, this, run, read, (table) => counts.get(table) ?? 0);
  }
}

/** @param names in lower case, as literals */
function catalogue(names: string): string {
  const where = `TABLE_SCHEMA = DATABASE() AND LOWER(TABLE_NAME) IN (${names})`;
  return `SELECT 't' AS kind, TABLE_NAME AS name, '' AS col, '' AS detail, TABLE_ROWS AS at FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ${where}
 UNION ALL SELECT 'i', TABLE_NAME, COLUMN_NAME, INDEX_NAME, SEQ_IN_INDEX - 1 FROM information_schema.STATISTICS WHERE ${where}
 UNION ALL SELECT 'c', TABLE_NAME, COLUMN_NAME, DATA_TYPE, ORDINAL_POSITION FROM information_schema.COLUMNS WHERE ${where}`;
}

async function serverOf(run: Run): Promise<NonNullable<MysqlReader['server']>> {
  const [row = {}] = await run('SELECT VERSION() AS version, DATABASE() AS db');
  const version = textIn(own(row, 'version')) ?? '';
  return {
    isKnown: /^\d/.test(version) && !/tidb|vitess|doris|starrocks|oceanbase|singlestore/i.test(version),
    isMariaDb: /mariadb/i.test(version),
    database: textIn(own(row, 'db')),
  };
}

function callsKnownFunctions(tokens: readonly string[]): boolean {
  for (let at = 1; at < tokens.length; at++) {
    if (tokens[at] !== '(') continue;
    const name = tokens[at - 1] as string;
    // `INSERT INTO table (…)`, `alias (…)` of a common table expression
    const isTable = /^(?:into|with|recursive|,)$/.test(tokens[at - 2] ?? '');
    if (/^[\p{L}_]/u.test(name) && !FUNCTIONS.has(name) && !(isTable && tokens[0] !== 'select')) return false;
  }
  return true;
}
