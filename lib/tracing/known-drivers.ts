import { own } from '../validation/own.js';
import type { InstalledModules } from './installed-modules.js';
import { isWrapped, type PatchingInstrumentation } from './late-instrumentation.js';

/** A driver with an instrumentation. */
export interface KnownDriver {
  /** The npm package, or the module of Node.js. */
  readonly driver: string;
  /** Creates an instrumentation that comes with this package. Any other is used if the application has installed it. */
  readonly create?: (modules: InstalledModules) => Promise<PatchingInstrumentation>;
  /** The npm package with an instrumentation for applications with their own tracer provider, and the class in it. */
  readonly instrumentation?: string;
  readonly className?: string;
  /** Listed only if the application's package.json lists it: the exporters of this package load it, too. */
  readonly declaredOnly?: boolean;
  /** Packages that bring it along: an application that lists one of them uses it. */
  readonly usedBy?: readonly string[];
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
    create: async () => new (await import('./driver-patches/patches.js')).PgInstrumentation(),
    usedBy: ['@prisma/adapter-pg', '@mikro-orm/postgresql', 'pg-promise', 'slonik'],
    patched: (exports) => method(exports['Client'], 'query'),
  },
  {
    driver: 'postgres',
    create: async (modules) => {
      const { PostgresJsInstrumentation } = await import('./driver-patches/patches.js');
      const instrumentation = new PostgresJsInstrumentation();
      instrumentation.patchCopies(modules);
      return instrumentation;
    },
  },
  {
    driver: 'better-sqlite3',
    create: async () => new (await import('./driver-patches/patches.js')).BetterSqlite3Instrumentation(),
    usedBy: ['@prisma/adapter-better-sqlite3'],
    patched: (exports) => method(exports, 'prepare'),
  },
  {
    driver: 'node:sqlite',
    create: async () => new (await import('./driver-patches/patches.js')).NodeSqliteInstrumentation(),
    patched: (exports) => method(exports['DatabaseSync'], 'prepare'),
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

/** The driver adapters of Prisma, and the driver that executes their queries. */
export const PRISMA_ADAPTERS: readonly (readonly [adapter: string, driver: string])[] = [
  ['@prisma/adapter-pg', 'pg'],
  ['@prisma/adapter-better-sqlite3', 'better-sqlite3'],
  ['@prisma/adapter-mssql', 'tedious'],
  ['@prisma/adapter-mariadb', 'mariadb'],
];

/** Drivers without a known instrumentation. */
export const UNSEEN_DRIVERS: readonly string[] = [
  'mariadb',
  'sqlite3',
  '@libsql/client',
  '@neondatabase/serverless',
  'neo4j-driver',
  '@elastic/elasticsearch',
  '@clickhouse/client',
  'nats',
  '@nats-io/transport-node',
  'mqtt',
  '@aws-sdk/client-dynamodb',
];

/** The packages by which `@nestjs/microservices` sends and receives messages, which are measured there. */
export const TRANSPORTS: ReadonlySet<string> = new Set([
  '@grpc/grpc-js',
  'amqplib',
  'kafkajs',
  'mqtt',
  'nats',
  '@nats-io/transport-node',
]);

/** The instrumentation of a driver, if this package contains it or the application has installed it. */
export async function createInstrumentation(
  { create, instrumentation, className }: KnownDriver,
  modules: InstalledModules,
): Promise<PatchingInstrumentation | undefined> {
  if (create !== undefined) return create(modules);
  if (instrumentation === undefined || className === undefined) return undefined;
  if (modules.find(instrumentation) === undefined) return undefined;
  const exports = modules.load(instrumentation) as Record<string, new () => PatchingInstrumentation>;
  const Instrumentation = own(exports, className);
  return Instrumentation === undefined ? undefined : new Instrumentation();
}

/** Whether an instrumentation of the application has patched a copy of the driver. */
export function isPatched({ driver, patched }: KnownDriver, modules: InstalledModules): boolean {
  if (patched === undefined) return false;
  return modules.loadedCopies(driver).some(({ folder }) => {
    const exports = modules.loadedExports(folder);
    if (typeof exports !== 'object' && typeof exports !== 'function') return false;
    return exports !== null && isWrapped(patched(exports as Record<string, unknown>));
  });
}
