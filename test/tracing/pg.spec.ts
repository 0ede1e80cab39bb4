import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import pg from 'pg';
import QueryStream from 'pg-query-stream';
import { PgInstrumentation } from '../../lib/tracing/driver-patches/pg.js';
import { InstalledModules } from '../../lib/tracing/installed-modules.js';
import { applyLate } from '../../lib/tracing/late-instrumentation.js';
import { startPostgres } from '../support/postgres.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

/** The modules of this test, which Jest loads by itself. */
class LoadedModules extends InstalledModules {
  override loadedCopies(name: string): { folder: string; version: string }[] {
    const version = { pg: '8.23.1', 'pg-pool': '3.10.0' }[name];
    return version === undefined ? [] : [{ folder: name, version }];
  }

  override loadedExports(folder: string, file?: string): unknown {
    if (file !== undefined) return undefined;
    return folder === 'pg' ? pg : Object.getPrototypeOf(pg.Pool);
  }
}

describe('pg', () => {
  let database: Awaited<ReturnType<typeof startPostgres>>;
  let tracing: TestTracing;
  let instrumentation: PgInstrumentation;
  let pool: pg.Pool;

  beforeAll(async () => {
    database = await startPostgres();
  });
  afterAll(() => database.stop());
  beforeEach(() => {
    tracing = startTracing();
    instrumentation = new PgInstrumentation();
    instrumentation.setTracerProvider(tracing.provider);
    applyLate(instrumentation, new LoadedModules());
    pool = new pg.Pool({ connectionString: database.url, max: 1 });
    // The database may end before its connections.
    pool.on('error', () => {});
  });
  afterEach(async () => {
    instrumentation.disable();
    await pool.end();
    await tracing.shutdown();
  });

  const spans = (): ReadableSpan[] => tracing.exported();
  const queries = (): ReadableSpan[] => spans().filter(({ name }) => !/connect/.test(name));
  const connects = (): string[] =>
    spans()
      .map(({ name }) => name)
      .filter((name) => /connect/.test(name));
  const within = <T>(run: (outer: Span) => Promise<T>): Promise<T> =>
    trace.getTracer('test').startActiveSpan('outer connect', async (outer) => {
      try {
        return await run(outer);
      } finally {
        outer.end();
      }
    });

  it('creates one span for a query, named by its verb and table, without its values', async () => {
    const { rows } = await pool.query(`select relname from pg_class where relname = $1 and relkind = 'r'`, [
      'pg_class',
    ]);
    expect(rows).toEqual([{ relname: 'pg_class' }]);
    expect(queries()).toHaveLength(1);
    const { host, port, pathname } = {
      host: new URL(database.url).hostname,
      port: Number(new URL(database.url).port),
      pathname: new URL(database.url).pathname,
    };
    expect(queries()[0]).toMatchObject({
      name: 'SELECT pg_class',
      kind: SpanKind.CLIENT,
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'db.system.name': 'postgresql',
        'db.namespace': pathname.slice(1),
        'db.query.text': 'select relname from pg_class where relname = ? and relkind = ?',
        'server.address': host,
        'server.port': port,
      },
    });
    expect(tracing.monitor.getStats().operations).toContainEqual(
      expect.objectContaining({ type: 'database', name: 'SELECT pg_class', count: 1 }),
    );
  });

  it('creates one span for each form of a query, and returns what pg returns', async () => {
    const client = await pool.connect();
    const byCallback = (...args: unknown[]): Promise<{ rows: unknown[] }> =>
      new Promise((resolve, reject) => {
        (client.query as (...all: unknown[]) => void).call(
          client,
          ...args,
          (error: Error | null, result: { rows: unknown[] }) =>
            error === null || error === undefined ? resolve(result) : reject(error),
        );
      });
    const results = [
      await client.query('select 1::int as n'),
      await client.query('select $1::int as n', [1]),
      await client.query({ text: 'select $1::int as n', values: [1] }),
      await client.query({ text: 'select $1::int as n' }, [1]),
      await client.query({ name: 'prepared', text: 'select $1::int as n', values: [1] }),
      await byCallback('select 1::int as n'),
      await byCallback('select $1::int as n', [1]),
      await byCallback({ text: 'select $1::int as n', values: [1] }),
    ];
    client.release();
    expect(results.map(({ rows }) => rows)).toEqual(results.map(() => [{ n: 1 }]));
    expect(queries()).toHaveLength(results.length);
  });

  it('calls back in the context of the call, and leaves the given object as it is', async () => {
    await within(async (outer) => {
      const active = await new Promise((resolve) => {
        const config = { text: 'select 1', callback: () => resolve(trace.getActiveSpan()) };
        const { callback } = config;
        void pool.connect((_error, client, release) => {
          (client as pg.PoolClient).query(config);
          release();
        });
        expect(config.callback).toBe(callback);
      });
      expect((active as Span | undefined)?.spanContext().spanId).toBe(outer.spanContext().spanId);
    });
    expect(queries()).toHaveLength(1);
  });

  it('passes on as many arguments as pg does', async () => {
    const counted = (
      call: (callback: (...outcome: unknown[]) => void) => unknown,
    ): Promise<readonly unknown[]> => new Promise((resolve) => call((...outcome) => resolve(outcome)));
    const [, client, release] = (await counted((callback) => pool.connect(callback as never))) as [
      unknown,
      pg.PoolClient,
      () => void,
    ];
    const lengths = async (): Promise<number[]> => [
      (await counted((callback) => client.query('select 1', callback as never))).length,
      (await counted((callback) => client.query('select 1/0', callback as never))).length,
      (await counted((callback) => pool.query('select 1', [], callback as never))).length,
      (await counted((callback) => new pg.Client({ host: '127.0.0.1', port: 1 }).connect(callback as never)))
        .length,
    ];
    pool.options.max = 2;
    const measured = await lengths();
    instrumentation.disable();
    expect(measured).toEqual(await lengths());
    release();
    expect(queries().length).toBe(3);
  });

  it('takes a frozen configuration with a callback', async () => {
    const rows = await new Promise((resolve, reject) => {
      const callback = (error: unknown, result: pg.QueryResult) =>
        error ? reject(error) : resolve(result.rows);
      const config = Object.freeze({ text: 'select 1::int as n', callback });
      void pool.connect((_error, client, release) => {
        (client as pg.PoolClient).query(config);
        release();
      });
    });
    expect(rows).toEqual([{ n: 1 }]);
    expect(queries()).toHaveLength(1);
  });

  it('marks the span of a query that fails, and rejects as before', async () => {
    const failed = pool.query(`select 'zqx-secret' from nowhere`);
    await expect(failed).rejects.toMatchObject({ code: '42P01', name: 'error' });
    const client = await pool.connect();
    await expect(client.query('select 1/0')).rejects.toMatchObject({ code: '22012' });
    expect(() => client.query(undefined as never)).toThrow(TypeError);
    client.release();
    expect(queries()).toMatchObject([
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': '42P01' } },
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': '22012' } },
    ]);
    expect(JSON.stringify(queries().map(({ attributes, events }) => [attributes, events]))).not.toContain(
      'zqx',
    );
  });

  it('measures a connection only where it is waited for', async () => {
    await pool.query('select 1');
    expect(connects().sort()).toEqual(['pg-pool.connect', 'pg.connect']);
    await pool.query('select 1');
    expect(connects()).toHaveLength(2);
    await Promise.all([pool.query('select pg_sleep(0.05)'), pool.query('select 2')]);
    expect(connects()).toEqual([...connects().slice(0, 2), 'pg-pool.connect']);
    const waited = spans().findLast(({ name }) => name === 'pg-pool.connect');
    expect((waited?.duration[1] ?? 0) / 1e6).toBeGreaterThan(30);
  });

  it('marks the span of a connection that cannot be opened', async () => {
    const closed = new pg.Pool({ host: '127.0.0.1', port: 1 });
    await expect(closed.query('select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(closed.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await closed.end();
    expect(connects()).toHaveLength(4);
    for (const span of spans()) expect(span.attributes['error.type']).toBe('ECONNREFUSED');
    expect(queries()).toEqual([]);
  });

  it('measures a stream of rows without the time in which nobody reads it', async () => {
    const client = await pool.connect();
    const stream = client.query(
      new QueryStream('select n from generate_series(1, $1) n', [30], { batchSize: 10 }),
    );
    let rows = 0;
    for await (const _row of stream) if (++rows % 10 === 0) await setTimeout(60);
    client.release();
    expect(rows).toBe(30);
    expect(queries()).toMatchObject([
      { attributes: { 'db.query.text': 'select n from generate_series(?) n' } },
    ]);
    const [{ duration }] = queries() as [ReadableSpan];
    expect(duration[0]).toBe(0);
    // Nobody reads for 180 ms.
    expect(duration[1] / 1e6).toBeLessThan(150);
  });

  it('measures how long the server works on the first rows of a stream, and on the next ones', async () => {
    const client = await pool.connect();
    const text = 'select n, pg_sleep(0.05) from generate_series(1, 8) n';
    const stream = client.query(new QueryStream(text, [], { batchSize: 4 }));
    for await (const _row of stream);
    client.release();
    const [{ duration }] = queries() as [ReadableSpan];
    expect(duration[0] * 1000 + duration[1] / 1e6).toBeGreaterThan(380);
  });

  it('measures a query that is submitted, and one that fails', async () => {
    const client = await pool.connect();
    const submitted = new pg.Query('select relname from pg_class limit 2');
    const names: unknown[] = [];
    submitted.on('row', (row: { relname: string }) => names.push(row.relname));
    const ended = new Promise((resolve) => submitted.on('end', resolve));
    expect(client.query(submitted)).toBe(submitted);
    await ended;
    const failing = new pg.Query('select * from nowhere');
    const failed = new Promise((resolve) => failing.on('error', resolve));
    client.query(failing);
    expect(await failed).toMatchObject({ code: '42P01' });
    client.release();
    expect(names).toHaveLength(2);
    expect(queries()).toMatchObject([
      { name: 'SELECT pg_class', status: { code: SpanStatusCode.UNSET } },
      { name: 'SELECT nowhere', status: { code: SpanStatusCode.ERROR } },
    ]);
  });

  it('keeps queries of callbacks below the span of their caller while a connection is waited for', async () => {
    await Promise.all([1, 2, 3].map((number) => within(() => pool.query('select $1::int', [number]))));
    const outers = spans()
      .filter(({ name }) => name === 'outer connect')
      .map((span) => span.spanContext().spanId);
    expect(
      queries()
        .map((span) => span.parentSpanContext?.spanId)
        .sort(),
    ).toEqual(outers.sort());
  });

  it('names each of many databases, and keeps few of them', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `shop_${index}`);
    for (const name of names) {
      const client = new pg.Client({ connectionString: database.url });
      // The server has one database, which it connects to by its other parameters.
      client.database = name;
      await client.connect();
      await client.query('select 1');
      await client.end();
    }
    expect(queries().map(({ attributes }) => attributes['db.namespace'])).toEqual(names);
    const { shared } = instrumentation as unknown as { shared: Map<string, unknown> };
    expect(shared.size).toBeGreaterThan(1);
    expect(shared.size).toBeLessThanOrEqual(50);
  });

  it('measures nothing below the wrapper of another tool when it is disabled, and once for the next application', async () => {
    const { prototype } = pg.Client as unknown as { prototype: { query(...args: unknown[]): unknown } };
    const { query: measured } = prototype;
    let calls = 0;
    const wrapper = function (this: object, ...args: unknown[]): unknown {
      calls++;
      return measured.apply(this, args);
    };
    prototype.query = wrapper;
    const next = new PgInstrumentation();
    try {
      instrumentation.disable();
      await pool.query('select 1');
      expect([calls, queries()]).toEqual([1, []]);
      next.setTracerProvider(tracing.provider);
      applyLate(next, new LoadedModules());
      await pool.query('select 2');
      expect([calls, queries().length]).toEqual([2, 1]);
    } finally {
      next.disable();
      prototype.query = (measured as unknown as { __original: typeof measured }).__original;
    }
  });

  it('restores pg when it is disabled, whose methods have kept their names', async () => {
    const { prototype } = pg.Client as unknown as { prototype: { query(...args: unknown[]): unknown } };
    const { query } = prototype;
    instrumentation.disable();
    expect(prototype.query).not.toBe(query);
    expect([query.name, query.length]).toEqual([prototype.query.name, prototype.query.length]);
    const before = spans().length;
    await pool.query('select 1');
    expect(spans()).toHaveLength(before);
  });
});
