// Each driver and ORM that is seen without configuration, over real servers: one query for each row, one after the other and
// side by side.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres } from '../support/postgres';
import { InstalledProgram } from './installed-program';
import { describeWithRegistry } from './with-registry';

interface Measured {
  counts: Record<string, number>;
  findings: Record<string, string>;
}

const PACKAGES = [
  '@nestjs/common@11',
  '@nestjs/core@11',
  '@nestjs/platform-express@11',
  '@opentelemetry/api@1.9',
  'drizzle-orm@0.45',
  'ioredis@5',
  'knex@3',
  'kysely@0.28',
  'mysql2@3',
  'objection@3',
  'pg@8',
  'pg-promise@12',
  'postgres@3',
  'redis@5',
  'reflect-metadata@0.2',
  'rxjs@7',
  'sequelize@6',
  'typeorm@1',
];
const OF_POSTGRES = [
  'pg',
  'client',
  'postgresjs',
  'drizzle',
  'kysely',
  'knex',
  'objection',
  'sequelize',
  'typeorm',
  'pgpromise',
];
const OF_MYSQL = ['mysql2', 'mysql2callbacks', 'sequelizemysql', 'typeormmysql'];
const OF_REDIS = { ioredis: 'GET', redis: 'HGETALL' } as const;
const PORT = 5290;
/** Twelve rows, three requests. */
const QUERIES = 36;

const { MYSQL_URL, REDIS_URL } = process.env;

/** What is asked at a variable that is not set is skipped, with a line that says so. */
function describedWith(variable: string, url: string | undefined): typeof describe {
  if (url !== undefined) return describe;
  process.stderr.write(`skipped: drivers of the server at ${variable}, which is not set\n`);
  return describe.skip as typeof describe;
}
const describedMysql = describedWith('MYSQL_URL', MYSQL_URL);
const describedRedis = describedWith('REDIS_URL', REDIS_URL);

describeWithRegistry('with its application', () => {
  let program: InstalledProgram;
  let postgres: Awaited<ReturnType<typeof startPostgres>>;
  const measured: Partial<Record<'postgres' | 'mysql' | 'redis', Measured>> = {};

  beforeAll(async () => {
    program = await InstalledProgram.create('every-driver', PACKAGES);
    postgres = await startPostgres();
  }, 300_000);
  beforeAll(async () => {
    const run = (names: readonly string[], variables: Record<string, string>): Promise<Measured> =>
      program.run<Measured>('mjs', [String(PORT), ...names], variables);
    measured.postgres = await run(OF_POSTGRES, { POSTGRES_URL: postgres.url });
    if (MYSQL_URL !== undefined) measured.mysql = await run(OF_MYSQL, { MYSQL_URL });
    if (REDIS_URL !== undefined) measured.redis = await run(Object.keys(OF_REDIS), { REDIS_URL });
  }, 240_000);
  afterAll(async () => {
    await postgres.stop();
    await program.remove();
  });

  const countsEach = (server: 'postgres' | 'mysql', name: string): void => {
    it('counts each query once, by its table', () => {
      expect(measured[server]?.counts).toMatchObject({
        [`database SELECT nestjs_performance_${name}`]: 2 * QUERIES,
        [`http GET /${name}/sequential`]: 3,
        [`http GET /${name}/parallel`]: 3,
      });
    });

    it('finds the N+1 with its line', () => {
      expect(measured[server]?.findings).toMatchObject({
        [`GET /${name}/sequential`]: 'n_plus_one readOneAfterTheOther',
        [`GET /${name}/parallel`]: 'n_plus_one readSideBySide',
      });
    });
  };
  describe.each(OF_POSTGRES)('of Postgres: %s', (name) => countsEach('postgres', name));
  describedMysql.each(OF_MYSQL)('of MySQL: %s', (name) => countsEach('mysql', name));

  it('finds nothing else, and counts nothing twice', () => {
    const { counts, findings } = measured.postgres ?? { counts: {}, findings: {} };
    const ofRequests = Object.keys(findings).filter((route) => route.startsWith('GET '));
    expect(ofRequests).toHaveLength(2 * OF_POSTGRES.length);
    const statements = Object.keys(counts).filter((name) => /^database SELECT nestjs/.test(name));
    expect(statements).toHaveLength(OF_POSTGRES.length);
  });

  describedRedis('of Redis', () => {
    it('counts commands once, and takes none for an N+1', () => {
      const { counts, findings } = measured.redis ?? { counts: {}, findings: {} };
      for (const command of Object.values(OF_REDIS))
        expect(counts).toMatchObject({ [`cache ${command}`]: 2 * QUERIES });
      // The start may block the event loop.
      expect(Object.keys(findings).filter((route) => route !== '(no operation)')).toEqual([]);
    });
  });
});
