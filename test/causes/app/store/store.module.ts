import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { Author, Book, Review, Stock } from './entities';
import { Ledger } from './ledger.client';
import { Mysql } from './mysql.client';
import { PostgresJs } from './postgres-js.client';
import { Pricing } from './pricing.client';
import { Queue } from './queue.client';
import { SlowNodeRedis } from './slow-node-redis.client';

const ENTITIES = [Author, Book, Review, Stock];
const MAX_CONNECTIONS = 5;
/** Connections stay open, so that no case includes the time to open them. */
const STAY = { max: MAX_CONNECTIONS, idleTimeoutMillis: 0 };

/** A pool to Postgres without network latency. */
export class NearPool extends Pool {}
/** A cache with slow commands. */
export class SlowRedis extends Redis {}

/** The clients of the parts. The pools are small, so that they can be exhausted. */
const CLIENTS = [Queue, Pricing, Ledger, Mysql, PostgresJs, SlowNodeRedis];

@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: () => ({
        type: 'postgres',
        url: process.env['DATABASE_URL'],
        entities: ENTITIES,
        extra: STAY,
      }),
    }),
    TypeOrmModule.forFeature(ENTITIES),
  ],
  providers: [
    {
      provide: Pool,
      useFactory: () => new Pool({ connectionString: process.env['DATABASE_URL'], ...STAY }),
    },
    {
      provide: NearPool,
      useFactory: () => new NearPool({ connectionString: process.env['NEAR_DATABASE_URL'], ...STAY }),
    },
    { provide: Redis, useFactory: () => new Redis(Number(process.env['CACHE_PORT']), '127.0.0.1') },
    {
      provide: SlowRedis,
      useFactory: () => new SlowRedis(Number(process.env['SLOW_CACHE_PORT']), '127.0.0.1'),
    },
    ...CLIENTS,
  ],
  exports: [Pool, NearPool, Redis, SlowRedis, ...CLIENTS, TypeOrmModule],
})
export class StoreModule {
  /** Opens the connections before the first request. */
  constructor(
    private readonly pool: Pool,
    private readonly near: NearPool,
    private readonly database: DataSource,
    private readonly postgresJs: PostgresJs,
    private readonly mysql: Mysql,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const clients: { query(text: string): Promise<unknown> }[] = [this.pool, this.near, this.database];
    const all = Array.from({ length: MAX_CONNECTIONS }, () => clients).flat();
    const five = Array.from({ length: MAX_CONNECTIONS });
    await Promise.all([
      ...all.map((client) => client.query('SELECT pg_sleep(0.02)')),
      ...five.map(() => this.postgresJs.sql`SELECT pg_sleep(0.02)`),
      ...five.map(() => this.mysql.pool.query('DO SLEEP(0.02)')),
    ]);
  }
}
