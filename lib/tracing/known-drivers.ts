import type { Span } from '@opentelemetry/api';
import { setParameters, setRowCount } from './work-tracking.js';

/** A driver with an OpenTelemetry instrumentation. */
export interface KnownDriver {
  /** The npm package. */
  readonly driver: string;
  /** The instrumentation's npm package and its class. */
  readonly instrumentation: string;
  readonly className: string;
  /** Part of this package. Any other instrumentation is used if the application has installed it. */
  readonly bundled?: boolean;
  /** Listed only if the application's package.json lists it: the exporters of this package load it, too. */
  readonly declaredOnly?: boolean;
  /** The configuration of the instrumentation. */
  readonly config?: () => object;
  /** From the exports of the driver, a function that an instrumentation wraps. */
  readonly patched?: (exports: Record<string, unknown>) => unknown;
}

type Prototype = { prototype?: Record<string, unknown> } | undefined;
const method = (of: unknown, name: string): unknown => (of as Prototype)?.prototype?.[name];

/** The drivers, in the order in which they are listed. */
export const KNOWN_DRIVERS: readonly KnownDriver[] = [
  {
    driver: 'pg',
    instrumentation: '@opentelemetry/instrumentation-pg',
    className: 'PgInstrumentation',
    bundled: true,
    config: () => ({
      requestHook: (span: Span, { query }: { query: { values?: unknown } }) =>
        setParameters(span, query.values),
      responseHook: (span: Span, { data }: { data?: { rowCount?: unknown } }) =>
        setRowCount(span, data?.rowCount),
    }),
    patched: (exports) => method(exports['Client'], 'query'),
  },
  {
    driver: 'mysql2',
    instrumentation: '@opentelemetry/instrumentation-mysql2',
    className: 'MySQL2Instrumentation',
    patched: (exports) => method(exports['Connection'], 'query'),
  },
  {
    driver: 'mysql',
    instrumentation: '@opentelemetry/instrumentation-mysql',
    className: 'MySQLInstrumentation',
    patched: (exports) => exports['createConnection'],
  },
  {
    driver: 'ioredis',
    instrumentation: '@opentelemetry/instrumentation-ioredis',
    className: 'IORedisInstrumentation',
    patched: (exports) => method(exports['Redis'] ?? exports['default'], 'sendCommand'),
  },
  {
    driver: '@redis/client',
    instrumentation: '@opentelemetry/instrumentation-redis',
    className: 'RedisInstrumentation',
    patched: (exports) => exports['createClient'],
  },
  {
    driver: 'mongoose',
    instrumentation: '@opentelemetry/instrumentation-mongoose',
    className: 'MongooseInstrumentation',
    patched: (exports) => method(exports['Model'], 'save'),
  },
  {
    driver: 'mongodb',
    instrumentation: '@opentelemetry/instrumentation-mongodb',
    className: 'MongoDBInstrumentation',
  },
  {
    driver: 'tedious',
    instrumentation: '@opentelemetry/instrumentation-tedious',
    className: 'TediousInstrumentation',
    patched: (exports) => method(exports['Connection'], 'execSql'),
  },
  {
    driver: 'oracledb',
    instrumentation: '@opentelemetry/instrumentation-oracledb',
    className: 'OracleInstrumentation',
  },
  {
    driver: 'cassandra-driver',
    instrumentation: '@opentelemetry/instrumentation-cassandra-driver',
    className: 'CassandraDriverInstrumentation',
    patched: (exports) => method(exports['Client'], '_execute'),
  },
  {
    driver: 'memcached',
    instrumentation: '@opentelemetry/instrumentation-memcached',
    className: 'MemcachedInstrumentation',
  },
  {
    driver: '@prisma/client',
    instrumentation: '@prisma/instrumentation',
    className: 'PrismaInstrumentation',
  },
  {
    driver: 'kafkajs',
    instrumentation: '@opentelemetry/instrumentation-kafkajs',
    className: 'KafkaJsInstrumentation',
  },
  {
    driver: 'amqplib',
    instrumentation: '@opentelemetry/instrumentation-amqplib',
    className: 'AmqplibInstrumentation',
  },
  {
    driver: '@grpc/grpc-js',
    instrumentation: '@opentelemetry/instrumentation-grpc',
    className: 'GrpcInstrumentation',
    declaredOnly: true,
    patched: (exports) => method(exports['Server'], 'register'),
  },
];

/** Drivers without a known instrumentation. */
export const UNSEEN_DRIVERS: readonly string[] = [
  'better-sqlite3',
  'sqlite3',
  'neo4j-driver',
  '@elastic/elasticsearch',
  'nats',
];
