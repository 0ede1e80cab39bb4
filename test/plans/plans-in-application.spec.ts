// A real application on a real Postgres: from a slow or repeated statement to its plan on the page, in the JSON and in the report.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Pool } from 'pg';
import { toHtml } from '../../lib/report/to-html.js';
import { MAX_MARKDOWN_BYTES, toMarkdown } from '../../lib/report/to-markdown.js';
import { startApplication, type TestApplication, until } from '../support/application.js';
import { startPostgres } from '../support/postgres.js';

const PLAN = {
  explanation: 'Reads all 15,000 rows of track to keep about 10; no index has album_id.',
  suggestedIndex: {
    statement: 'CREATE INDEX ON track (album_id)',
    table: 'track',
    columns: ['album_id'],
    rowsRead: 15_000,
    rowsReadWithIndex: 10,
  },
  explainedAt: expect.any(Number),
};

describe('plans in an application', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>;
  let pool: Pool;
  let own: Pool;
  let application: TestApplication;

  beforeAll(async () => {
    server = await startPostgres();
    pool = new Pool({ connectionString: server.url, max: 2 });
    own = new Pool({
      connectionString: server.url,
      max: 1,
      options: '-c default_transaction_read_only=on -c statement_timeout=2000',
    });
    // A pool does not wait until its connections are closed.
    for (const each of [pool, own]) each.on('error', () => {});
    await pool.query('CREATE TABLE track (id int PRIMARY KEY, title text, album_id int)');
    await pool.query(
      `INSERT INTO track SELECT n, 'Track ' || n, 1 + (n - 1) / 10 FROM generate_series(1, 15000) n`,
    );
    await pool.query('ANALYZE track');

    @Controller()
    class TracksController {
      /** One statement for each album. */
      @Get('repeated')
      async repeated(): Promise<number> {
        for (let album = 1; album <= 10; album++)
          await pool.query('SELECT title FROM track WHERE album_id = $1', [album]);
        return 10;
      }

      /** One slow statement. */
      @Get('slow')
      async slow(): Promise<number> {
        await pool.query('SELECT id, pg_sleep(0.06) FROM track WHERE album_id = $1 LIMIT 1', [7]);
        return 1;
      }
    }
    application = await startApplication(
      'express',
      { controllers: [TracksController] },
      {
        httpThresholdMs: 50,
        databaseThresholdMs: 50,
        detection: {
          nPlusOne: { minTotalMs: 0 },
          plans: { query: (statement) => own.query(statement), intervalMs: 10 },
        },
      },
    );
  });
  afterAll(async () => {
    await application.app.close();
    await pool.end();
    await own.end();
    await server.stop();
  });

  const get = async (path: string): Promise<unknown> => (await fetch(`${application.url}/${path}`)).json();

  it('explains what is repeated', async () => {
    const { monitor } = application;
    await get('repeated');
    await until(() => monitor.getFindings({ type: 'n_plus_one' }).length > 0);
    // The finding is known: the next execution is explained.
    await get('repeated');
    await until(() => monitor.getFindings({ type: 'n_plus_one' })[0]?.plan !== undefined);
    expect(monitor.getFindings({ type: 'n_plus_one' })[0]).toMatchObject({
      route: 'GET /repeated',
      plan: PLAN,
    });
  });

  it('explains what is slow: the statement, and the request that waited for it', async () => {
    const { monitor } = application;
    await get('slow');
    await until(() => monitor.getSlowOperations({ type: 'database' })[0]?.plan !== undefined);
    const [query] = monitor.getSlowOperations({ type: 'database' });
    const [request] = monitor.getSlowOperations({ type: 'http' });
    const expected = { ...PLAN, explanation: PLAN.explanation.replace('all', 'up to') };
    expect(query).toMatchObject({ type: 'database', plan: expected });
    expect(request).toMatchObject({ name: 'GET /slow', cause: 'database', plan: expected });
    expect(monitor.getSlowOperation(query?.id ?? '')?.plan).toEqual(expected);
    expect(
      monitor.getSlowQueries().find(({ fingerprint }) => fingerprint === query?.statement)?.plan,
    ).toEqual(expected);
    expect(await get(`performance/slow/${request?.id}`)).toMatchObject({
      plan: { suggestedIndex: { statement: 'CREATE INDEX ON track (album_id)' } },
    });
  });

  it('is in the report', () => {
    const report = application.monitor.getReport();
    expect(report.queries.some(({ plan }) => plan !== undefined)).toBe(true);
    const markdown = toMarkdown(report);
    expect(markdown).toContain('## Plans');
    expect(markdown).toMatch(/CREATE INDEX ON track/);
    expect(Buffer.byteLength(markdown)).toBeLessThan(MAX_MARKDOWN_BYTES);
    expect(toHtml(report)).toContain('CREATE INDEX ON track (album_id)');
  });

  it('is no operation of the application, and no connection of its pool', () => {
    const names = application.monitor.getStats().operations.map(({ name }) => name);
    expect(names).toContain('SELECT track');
    expect(names.filter((name) => /EXPLAIN|pg_class|pg_namespace|^SELECT$/.test(name))).toEqual([]);
    expect(application.logged.filter(({ message }) => message.includes('plan'))).toEqual([]);
  });
});
