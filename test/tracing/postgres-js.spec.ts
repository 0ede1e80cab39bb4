import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import postgres from 'postgres';
import { PostgresJsInstrumentation } from '../../lib/tracing/driver-patches/postgres-js.js';
import { InstalledModules } from '../../lib/tracing/installed-modules.js';
import { startPostgres } from '../support/postgres.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

describe('postgres.js', () => {
  let database: Awaited<ReturnType<typeof startPostgres>>;
  let tracing: TestTracing;
  let instrumentation: PostgresJsInstrumentation;
  let sql: postgres.Sql;

  beforeAll(async () => {
    database = await startPostgres();
  });
  afterAll(() => database.stop());
  beforeEach(() => {
    tracing = startTracing();
    instrumentation = new PostgresJsInstrumentation();
    instrumentation.setTracerProvider(tracing.provider);
    instrumentation.patchCopies(new InstalledModules());
    sql = postgres(database.url, { max: 2, fetch_types: false, onnotice: () => {} });
  });
  afterEach(async () => {
    instrumentation.disable();
    await sql.end();
    await tracing.shutdown();
  });

  const texts = (): unknown[] => spans().map(({ attributes }) => attributes['db.query.text']);
  const spans = (): ReadableSpan[] =>
    tracing.exported().filter(({ attributes }) => attributes['db.system.name'] === 'postgresql');

  it('creates one span for a query, named by its verb and table, without its values', async () => {
    const rows = await sql`select relname from pg_class where relname = ${'pg_class'}`;
    expect(rows).toHaveLength(1);
    expect(spans()).toHaveLength(1);
    expect(spans()[0]).toMatchObject({
      name: 'SELECT pg_class',
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.UNSET },
    });
    expect(texts()).toEqual(['select relname from pg_class where relname = ?']);
    expect(tracing.monitor.getStats().operations).toContainEqual(
      expect.objectContaining({ type: 'database', name: 'SELECT pg_class', count: 1 }),
    );
  });

  it('creates a child of the active span', async () => {
    await trace.getTracer('test').startActiveSpan('outer', async (outer) => {
      await sql`select 1`;
      outer.end();
    });
    const outer = tracing.exported().find(({ name }) => name === 'outer');
    expect(spans()[0]?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });

  it('creates no span of a part of a query, and executes none that is not awaited', async () => {
    const part = sql`where relname = ${'pg_class'}`;
    const unused = sql`select 2`;
    await sql`select oid from ${sql('pg_class')} ${part} and relkind in ${sql(['r', 'v'])}`;
    expect(texts()).toEqual(['select oid from "pg_class" where relname = ? and relkind in (?)']);
    expect((unused as unknown as { executed: boolean }).executed).toBe(false);
  });

  it('creates one span for a query whose promise is used several times', async () => {
    const query = sql`select 1 as one`;
    await Promise.all([query, query.then((rows) => rows[0]), query.catch(() => undefined)]);
    expect(spans()).toHaveLength(1);
  });

  it('creates a span for each statement of a transaction and for text', async () => {
    await sql.begin((transaction) => [transaction`select 1`, transaction.unsafe('select $1::int', [2])]);
    expect(spans().map(({ attributes }) => String(attributes['db.query.text']).trim())).toEqual([
      'begin',
      'select ?',
      'select ?::int',
      'commit',
    ]);
  });

  it('ends the span of a cursor with its last row, and of a callback for each row', async () => {
    const read: unknown[] = [];
    for await (const rows of sql`select generate_series(1, 5) as n`.cursor(2)) read.push(...rows);
    expect(read).toHaveLength(5);
    await sql`select generate_series(1, 3) as n`.forEach((row) => {
      read.push(row);
    });
    expect(read).toHaveLength(8);
    expect(spans()).toHaveLength(2);
  });

  it('marks the span of a query that fails, and rejects as before', async () => {
    await expect(sql`select * from no_such_table`).rejects.toMatchObject({ code: '42P01' });
    expect(spans()[0]).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': '42P01' },
    });
  });

  it('ends the span of a query that is cancelled', async () => {
    const query = sql`select pg_sleep(20)`;
    const result = expect(query).rejects.toMatchObject({ code: '57014' });
    setTimeout(() => query.cancel(), 200);
    await result;
    expect(spans()).toHaveLength(1);
  });

  it('creates no spans once it is disabled', async () => {
    instrumentation.disable();
    await sql`select 1`;
    expect(spans()).toEqual([]);
  });
});
