import { cachedByText } from '../text/cached-text.js';
import { type CodePosition, dependencyOf } from './user-code.js';

/** Scopes of frameworks, drivers, ORMs and their tools. */
const SCOPES =
  /^@(?:nestjs|nestjs-.+|fastify|mercuriusjs|apollo|as-integrations|graphql-.+|opentelemetry|sentry|datadog|mikro-orm|prisma|libsql|neondatabase|electric-sql|planetscale|vercel|redis|ioredis|valkey|keyv|cacheable|aws-sdk|aws-crypto|smithy|azure|google-cloud|grpc|protobuf-ts|protobufjs|nats-io|socket\.io|trpc|tootallnate|elastic|clickhouse|opensearch-project|babel|swc|swc-node|types)\//;

/** The packages of each kind. */
const KINDS = {
  server: `
    express router path-to-regexp body-parser raw-body http-errors finalhandler send serve-static compression on-finished
    on-headers multer busboy cookie-parser express-session passport helmet cors morgan connect koa koa-compose hono
    h3 fastify avvio find-my-way light-my-request fast-json-stringify fastq fastparallel middie rxjs tslib
    nest-commander nest-winston nestjs-pino nestjs-performance reflect-metadata class-transformer class-validator graphql graphql-ws
    graphql-yoga graphql-http graphql-subscriptions mercurius type-graphql dataloader zod joi yup ajv`,
  database: `
    pg pg-pool pg-cursor pg-query-stream pg-promise pg-protocol pg-types pg-copy-streams postgres postgres-array
    slonik mysql mysql2 mariadb sqlite3 better-sqlite3 mssql tedious oracledb mongodb mongodb-core mongoose mquery
    cassandra-driver neo4j-driver typeorm knex objection sequelize sequelize-typescript sequelize-pool
    retry-as-promised drizzle-orm kysely bookshelf waterline tarn generic-pool lru-cache sql.js`,
  messages: `
    redis ioredis redis-parser standard-as-callback iovalkey memcached memjs keyv cache-manager cacheable bull
    bullmq agenda bee-queue pg-boss kafkajs kafka-node amqplib amqp-connection-manager nats mqtt socket.io engine.io
    ws eventemitter2 undici axios follow-redirects got node-fetch cross-fetch ky superagent request needle cron
    node-schedule croner protobufjs google-gax gaxios`,
  control: `
    bluebird q async p-limit p-map p-queue p-retry p-timeout retry async-retry bottleneck opossum cockatiel
    exponential-backoff async-mutex cls-hooked continuation-local-storage asap iterare lodash lodash-es
    lodash.debounce underscore ramda zone.js nestjs-cls pino pino-http winston logform bunyan log4js debug
    graceful-fs fs-extra ts-node tsx source-map-support jest jest-circus vitest mocha`,
};
const PACKAGES = new Set(Object.values(KINDS).flatMap((names) => names.trim().split(/\s+/)));

const isApplicationFile = cachedByText((url) => {
  const name = dependencyOf(url);
  return name !== undefined && !PACKAGES.has(name) && !SCOPES.test(name);
});

/**
 * Whether a position is in an installed package that may hold the application itself, as a shop's or a content management
 * system's server does: one that is no driver, ORM or framework.
 */
export function isInApplicationPackage({ url }: CodePosition): boolean {
  return isApplicationFile(url);
}
