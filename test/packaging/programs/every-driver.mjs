// An application that asks a database by each driver and ORM: one query for each of twelve rows, one after the other and side
// by side. It prints what was measured as JSON.
// Usage: POSTGRES_URL=… MYSQL_URL=… REDIS_URL=… node every-driver.mjs PORT NAME...
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { PerformanceModule, PerformanceMonitorService } from 'nestjs-performance';

const [first, ...names] = process.argv.slice(2);
const port = Number(first);
const host = '127.0.0.1';
const ROWS = 12;
const { POSTGRES_URL, MYSQL_URL, REDIS_URL } = process.env;
const POSTGRES = { connectionString: POSTGRES_URL };
/** What is done in the end, to leave nothing in a database of others. */
const dropped = [];
const tableOf = (name) => `nestjs_performance_${name}`;
const CREATE = (table) => `CREATE TABLE IF NOT EXISTS ${table} (id int PRIMARY KEY, title varchar(50))`;
const ROW = (table, id) => `INSERT INTO ${table} VALUES (${id}, 'title')`;
const SELECT = (table, parameter) => `SELECT * FROM ${table} WHERE id = ${parameter}`;

/** Creates the table of a driver by plain statements, outside any request. */
async function createTable(table, query) {
  await query(`DROP TABLE IF EXISTS ${table}`);
  await query(CREATE(table));
  for (let id = 1; id <= ROWS; id++) await query(ROW(table, id));
}

async function postgresTable(table) {
  const { default: pg } = await import('pg');
  const client = new pg.Client(POSTGRES);
  await client.connect();
  await createTable(table, (text) => client.query(text));
  await client.end();
}

async function mysqlTable(table) {
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection(MYSQL_URL);
  await createTable(table, (text) => connection.query(text));
  dropped.push(() => connection.query(`DROP TABLE ${table}`));
}

/** By name: what reads the row with an id, which each driver does in its own way. */
const DRIVERS = {
  async pg(table) {
    await postgresTable(table);
    const { default: pg } = await import('pg');
    const pool = new pg.Pool(POSTGRES);
    return (id) => pool.query(SELECT(table, '$1'), [id]);
  },
  async client(table) {
    await postgresTable(table);
    const { default: pg } = await import('pg');
    const client = new pg.Client(POSTGRES);
    await client.connect();
    return (id) => client.query(SELECT(table, '$1'), [id]);
  },
  async postgresjs(table) {
    await postgresTable(table);
    const { default: postgres } = await import('postgres');
    const sql = postgres(POSTGRES_URL);
    return (id) => sql`SELECT * FROM ${sql(table)} WHERE id = ${id}`;
  },
  async drizzle(table) {
    await postgresTable(table);
    const { default: pg } = await import('pg');
    const { eq } = await import('drizzle-orm');
    const { drizzle } = await import('drizzle-orm/node-postgres');
    const { integer, pgTable, text } = await import('drizzle-orm/pg-core');
    const database = drizzle(new pg.Pool(POSTGRES));
    const rows = pgTable(table, { id: integer('id').primaryKey(), title: text('title') });
    return (id) => database.select().from(rows).where(eq(rows.id, id));
  },
  async kysely(table) {
    await postgresTable(table);
    const { default: pg } = await import('pg');
    const { Kysely, PostgresDialect } = await import('kysely');
    const database = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool(POSTGRES) }) });
    return (id) => database.selectFrom(table).selectAll().where('id', '=', id).execute();
  },
  async knex(table) {
    await postgresTable(table);
    const { default: knex } = await import('knex');
    const database = knex({ client: 'pg', connection: POSTGRES_URL });
    return (id) => database(table).select('*').where('id', id);
  },
  async objection(table) {
    await postgresTable(table);
    const { default: knex } = await import('knex');
    const { Model } = await import('objection');
    class Row extends Model {
      static tableName = table;
    }
    Row.knex(knex({ client: 'pg', connection: POSTGRES_URL }));
    return (id) => Row.query().where('id', id);
  },
  async sequelize(table) {
    await postgresTable(table);
    const { DataTypes, Sequelize } = await import('sequelize');
    const database = new Sequelize(POSTGRES_URL, { logging: false });
    const columns = { title: DataTypes.TEXT };
    const Row = database.define('row', columns, { tableName: table, timestamps: false });
    return (id) => Row.findAll({ where: { id } });
  },
  async typeorm(table) {
    await postgresTable(table);
    const { DataSource, EntitySchema } = await import('typeorm');
    const columns = { id: { type: Number, primary: true }, title: { type: String } };
    const Row = new EntitySchema({ name: 'Row', tableName: table, columns });
    const source = await new DataSource({
      type: 'postgres',
      url: POSTGRES_URL,
      entities: [Row],
    }).initialize();
    return (id) => source.getRepository(Row).find({ where: { id } });
  },
  async pgpromise(table) {
    await postgresTable(table);
    const { default: pgPromise } = await import('pg-promise');
    const database = pgPromise({ noWarnings: true })(POSTGRES_URL);
    return (id) => database.any(SELECT(table, '$1'), [id]);
  },
  async mysql2(table) {
    await mysqlTable(table);
    const { createPool } = await import('mysql2/promise');
    const pool = createPool(MYSQL_URL);
    return (id) => pool.execute(SELECT(table, '?'), [id]);
  },
  async mysql2callbacks(table) {
    await mysqlTable(table);
    const { createPool } = await import('mysql2');
    const pool = createPool(MYSQL_URL);
    return (id) =>
      new Promise((resolve, reject) => {
        pool.query(SELECT(table, '?'), [id], (error, rows) => (error ? reject(error) : resolve(rows)));
      });
  },
  async sequelizemysql(table) {
    await mysqlTable(table);
    const { DataTypes, Sequelize } = await import('sequelize');
    const database = new Sequelize(MYSQL_URL, { logging: false });
    const columns = { title: DataTypes.TEXT };
    const Row = database.define('row', columns, { tableName: table, timestamps: false });
    return (id) => Row.findAll({ where: { id } });
  },
  async typeormmysql(table) {
    await mysqlTable(table);
    const { DataSource, EntitySchema } = await import('typeorm');
    const columns = { id: { type: Number, primary: true }, title: { type: String } };
    const Row = new EntitySchema({ name: 'Row', tableName: table, columns });
    const source = await new DataSource({ type: 'mysql', url: MYSQL_URL, entities: [Row] }).initialize();
    return (id) => source.getRepository(Row).find({ where: { id } });
  },
  async ioredis(table) {
    const { Redis } = await import('ioredis');
    const redis = new Redis(REDIS_URL);
    return (id) => redis.get(`${table}:${id}`);
  },
  async redis(table) {
    const { createClient } = await import('redis');
    const redis = createClient({ url: REDIS_URL });
    await redis.connect();
    return (id) => redis.hGetAll(`${table}:${id}`);
  },
};

const ids = Array.from({ length: ROWS }, (_, index) => index + 1);
const readers = {};

/** The line of this function is the one to change. */
async function readOneAfterTheOther(name) {
  const titles = [];
  for (const id of ids) titles.push(await readers[name](id));
  return titles.length;
}

async function readSideBySide(name) {
  const titles = await Promise.all(ids.map(async (id) => readers[name](id)));
  return titles.length;
}

function controllerOf(name) {
  class RowsController {
    sequential() {
      return readOneAfterTheOther(name);
    }
    parallel() {
      return readSideBySide(name);
    }
  }
  for (const [method, path] of [
    ['sequential', 'sequential'],
    ['parallel', 'parallel'],
  ]) {
    const descriptor = Object.getOwnPropertyDescriptor(RowsController.prototype, method);
    Get(path)(RowsController.prototype, method, descriptor);
  }
  Controller(name)(RowsController);
  return RowsController;
}

async function main() {
  class AppModule {}
  Module({
    imports: [
      PerformanceModule.forRoot({ alerts: { enabled: false }, detection: { nPlusOne: { minTotalMs: 0 } } }),
    ],
    controllers: names.map(controllerOf),
  })(AppModule);
  const app = await NestFactory.create(AppModule, new ExpressAdapter(), { logger: ['warn'] });
  await app.listen(port, host);
  for (const name of names) readers[name] = await DRIVERS[name](tableOf(name));
  const monitor = app.get(PerformanceMonitorService);
  for (const name of names)
    for (const way of ['sequential', 'parallel'])
      for (let round = 0; round < 3; round++) {
        const response = await fetch(`http://${host}:${port}/${name}/${way}`);
        if ((await response.text()) !== String(ROWS)) throw new Error(`${name} ${way}: ${response.status}`);
      }
  const { operations } = monitor.getStats({ operations: 1000 });
  const counts = Object.fromEntries(operations.map(({ type, name, count }) => [`${type} ${name}`, count]));
  const findings = Object.fromEntries(
    monitor.getFindings({}).map(({ type, route, callSite }) => [route, `${type} ${callSite?.function}`]),
  );
  for (const drop of dropped) await drop();
  process.stdout.write(`${JSON.stringify({ counts, findings })}\n`, () => process.exit());
}

void main();
