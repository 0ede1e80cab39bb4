// A real application on a real Postgres: the plan of a statement becomes known after its slow operation was written.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Pool } from 'pg';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { startApplication, type TestApplication, until } from '../support/application.js';
import { startPostgres } from '../support/postgres.js';
import { coreOf } from './profiled-application.js';

const STATEMENT = 'SELECT id, pg_sleep(1) FROM track WHERE album_id = $1 LIMIT 1';
const PLAN = { suggestedIndex: { statement: 'CREATE INDEX ON track (album_id)' } };

describe('the file of a slow operation', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>;
  let pool: Pool;
  let directory: string;
  let applications: TestApplication[] = [];
  beforeAll(async () => {
    server = await startPostgres();
    pool = new Pool({ connectionString: server.url, max: 4 });
    pool.on('error', () => {});
    await pool.query('CREATE TABLE track (id int PRIMARY KEY, album_id int)');
    await pool.query('INSERT INTO track SELECT n, 1 + (n - 1) / 10 FROM generate_series(1, 15000) n');
    await pool.query('ANALYZE track');
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'slow-file-plans-'));
  });
  afterEach(async () => {
    for (const { app } of applications) await app.close();
    applications = [];
    rmSync(directory, { recursive: true, force: true });
  });

  /** @param explained resolves when plans may be read */
  async function start(explained: Promise<void>): Promise<TestApplication> {
    @Controller()
    class TracksController {
      @Get('tracks')
      async tracks(): Promise<number> {
        await pool.query(STATEMENT, [7]);
        for (const end = performance.now() + 40; performance.now() < end; );
        return 1;
      }
    }
    const application = await startApplication(
      'express',
      { controllers: [TracksController] },
      {
        ...{
          httpThresholdMs: 100,
          databaseThresholdMs: 100,
          enableProfiling: true,
          profileSlowOperations: true,
        },
        profiling: { sampler: 'inspector', directory, cooldownSeconds: 0 },
        detection: {
          maxSlowOperations: 2,
          plans: {
            query: async (statement) => {
              await explained;
              return pool.query(statement);
            },
            ...{ intervalMs: 10, timeoutMs: 30_000 },
          },
        },
      },
    );
    applications.push(application);
    return application;
  }
  async function slow({ url, monitor }: TestApplication): Promise<SlowOperation> {
    await fetch(`${url}/tracks`);
    const find = (): SlowOperation | undefined =>
      monitor.getSlowOperations().find(({ name }) => name === 'GET /tracks');
    await until(() => find() !== undefined);
    return find() as SlowOperation;
  }
  const pathOf = ({ id }: SlowOperation): string =>
    join(directory, readdirSync(directory).find((name) => name.endsWith(`.${id}.slow`)) ?? 'none');
  const operationIn = (path: string): Record<string, unknown> =>
    JSON.parse(readFileSync(path, 'utf8')).operation;
  async function dropped(application: TestApplication, id: string): Promise<void> {
    for (const name of ['one', 'two'])
      coreOf(application).record({ type: 'other', name, durationMs: 9, thresholdMs: 1, error: false });
    await until(() => application.monitor.getSlowOperation(id) === undefined);
  }

  it.each([true, false])('gets the plan that becomes known later, dropped from memory: %s', async (drops) => {
    let open = (): void => {};
    const application = await start(
      new Promise((resolve) => {
        open = resolve;
      }),
    );
    const one = await slow(application);
    await until(() => existsSync(pathOf(one)));
    expect(one.cause).toBe('database');
    expect(operationIn(pathOf(one))).not.toHaveProperty('plan');
    if (drops) await dropped(application, one.id);
    open();
    await until(() => operationIn(pathOf(one))['plan'] !== undefined);
    expect(await application.monitor.findSlowOperation(one.id)).toMatchObject({ plan: PLAN });
    await applications.pop()?.app.close();
    const next = await start(new Promise(() => {}));
    expect(await next.monitor.findSlowOperation(one.id)).toMatchObject({ id: one.id, plan: PLAN });
  });

  it('is shown with the plan that a later process knows', async () => {
    const application = await start(Promise.resolve());
    const one = await slow(application);
    await until(() => existsSync(pathOf(one)) && operationIn(pathOf(one))['plan'] !== undefined);
    const statement = application.monitor
      .getSlowOperations()
      .find(({ type }) => type === 'database')?.statement;
    const path = pathOf(one);
    const value = JSON.parse(readFileSync(path, 'utf8'));
    const { plan, ...operation } = value.operation;
    writeFileSync(path, JSON.stringify({ ...value, operation: { ...operation, statement } }));
    await dropped(application, one.id);
    expect(plan).toMatchObject(PLAN);
    expect(await application.monitor.findSlowOperation(one.id)).toMatchObject({ plan: PLAN });
  });
});
