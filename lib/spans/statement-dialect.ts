import type { Attributes } from '@opentelemetry/api';

/** What quotes, comments and unquoted words mean in a language of statements. */
export interface Dialect {
  /** Its index in the cache of statements. */
  readonly id: number;
  /** A backslash escapes the next character of a string. In `E'..'` it always does. */
  readonly escapes: boolean;
  /** What double quotes enclose. `either` is decided for each statement, see `hideQuotedValues`. */
  readonly doubleQuotes: 'names' | 'strings' | 'either';
  /** `[name]`; `maybe` if what it encloses looks like a name. */
  readonly brackets: 'names' | 'maybe' | 'operators';
  /** `# to the end of the line` */
  readonly hashComments: boolean;
  /** `// to the end of the line` */
  readonly slashComments: boolean;
  /** `--` begins a comment only before white space. */
  readonly spacedDashes: boolean;
  readonly nestedComments: boolean;
  /** `q'[..]'` */
  readonly alternativeQuotes: boolean;
  /** `'''..'''` and `"""..."""` */
  readonly tripleQuotes: boolean;
  /** `EXEC procedure word`: the word is a string. */
  readonly unquotedArguments: boolean;
  /** Statements may begin with other words than those of SQL. */
  readonly isSql: boolean;
  /** How the server reads the same text with another setting of strings. */
  readonly otherwise?: Dialect;
}

let count = 0;

const STANDARD: Omit<Dialect, 'id'> = {
  escapes: false,
  doubleQuotes: 'names',
  brackets: 'operators',
  hashComments: false,
  slashComments: false,
  spacedDashes: false,
  nestedComments: false,
  alternativeQuotes: false,
  tripleQuotes: false,
  unquotedArguments: false,
  isSql: true,
};

function dialect(differences: Partial<Dialect>): Dialect {
  return { ...STANDARD, ...differences, id: count++ };
}

// standard_conforming_strings = off
const OLD_POSTGRES = dialect({ nestedComments: true, escapes: true });
export const POSTGRES = dialect({ nestedComments: true, otherwise: OLD_POSTGRES });
const MYSQL_FEATURES: Partial<Dialect> = { doubleQuotes: 'strings', hashComments: true, spacedDashes: true };
export const MYSQL = dialect({
  ...MYSQL_FEATURES,
  escapes: true,
  // NO_BACKSLASH_ESCAPES
  otherwise: dialect(MYSQL_FEATURES),
});
const ORACLE = dialect({ alternativeQuotes: true });
export const SQLITE = dialect({ doubleQuotes: 'either', brackets: 'maybe' });
const SQL_SERVER = dialect({
  doubleQuotes: 'either',
  brackets: 'names',
  nestedComments: true,
  unquotedArguments: true,
});
const CASSANDRA = dialect({ slashComments: true });
const BIGQUERY = dialect({
  escapes: true,
  doubleQuotes: 'strings',
  hashComments: true,
  tripleQuotes: true,
});
const SPARK = dialect({ escapes: true, doubleQuotes: 'strings', nestedComments: true });
const CLICKHOUSE = dialect({ escapes: true, hashComments: true, nestedComments: true });
const SNOWFLAKE = dialect({ escapes: true, slashComments: true });
const CYPHER = dialect({ escapes: true, doubleQuotes: 'strings', slashComments: true, isSql: false });
const ANSI = dialect({});

/** The dialect of a statement whose system is not stated. */
export const UNKNOWN = dialect({
  doubleQuotes: 'either',
  brackets: 'maybe',
  unquotedArguments: true,
  isSql: false,
});

/** A text that dialects may read differently: where strings and comments begin and end. */
export const AMBIGUOUS = /\\['"`]|#|\/\/|--\S|\/\*[\s\S]*?\/\*|q'|'''|"""|\[[^\]]{0,130}['"`]/i;

/** The readings of an ambiguous text: between them, all differences of the dialects. */
export const READINGS: readonly Dialect[] = [
  POSTGRES,
  OLD_POSTGRES,
  MYSQL,
  ORACLE,
  SQL_SERVER,
  BIGQUERY,
  CASSANDRA,
];

/** The values of `db.system.name` and `db.system`, and the names that mappers give. */
const SYSTEMS = new Map<unknown, Dialect>(
  (
    [
      [
        POSTGRES,
        'postgresql postgres pg cockroachdb cockroach redshift aws.redshift greenplum timescaledb yugabytedb edb vertica materialize',
      ],
      [
        MYSQL,
        'mysql mysql2 mariadb tidb memsql singlestore vitess planetscale doris starrocks oceanbase aurora-mysql',
      ],
      [ORACLE, 'oracle oracle.db oracledb'],
      [SQLITE, 'sqlite sqlite3 better-sqlite3 libsql turso d1 expo sqljs'],
      [SQL_SERVER, 'mssql microsoft.sql_server sqlserver tedious sybase azure.sql'],
      [CASSANDRA, 'cassandra scylladb azure.cosmosdb.cassandra'],
      [BIGQUERY, 'bigquery gcp.bigquery spanner gcp.spanner'],
      [SPARK, 'spark hive databricks impala couchbase'],
      [CLICKHOUSE, 'clickhouse'],
      [SNOWFLAKE, 'snowflake'],
      [CYPHER, 'neo4j memgraph'],
      [
        ANSI,
        'db2 ibm.db2 ibm.informix informix hanadb sap.hana teradata firebird firebirdsql h2 h2database hsqldb derby trino presto ibm.netezza netezza ingres actian.ingres',
      ],
    ] as const
  ).flatMap(([of, names]) => names.split(' ').map((name) => [name, of] as const)),
);

/** The dialect of the statements of a span, by its database system. */
export function dialectOf(attributes: Attributes): Dialect {
  return SYSTEMS.get(attributes['db.system.name'] ?? attributes['db.system']) ?? UNKNOWN;
}
