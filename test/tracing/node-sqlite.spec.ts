import { createRequire, isBuiltin } from 'node:module';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { NodeSqliteInstrumentation } from '../../lib/tracing/driver-patches/node-sqlite.js';
import { InstalledModules } from '../../lib/tracing/installed-modules.js';
import { applyLate } from '../../lib/tracing/late-instrumentation.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

interface Statement {
  run(...values: unknown[]): { changes: number };
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
  iterate(...values: unknown[]): IterableIterator<unknown>;
}
interface Database {
  exec(text: string): void;
  prepare(text: string): Statement;
  close(): void;
}
type Sqlite = { DatabaseSync: new (file: string) => Database };

const onNode = isBuiltin('node:sqlite') ? describe : describe.skip;

onNode('node:sqlite (Node.js 22.13 or later)', () => {
  let tracing: TestTracing;
  let instrumentation: NodeSqliteInstrumentation;
  let database: Database;
  let early: Statement;

  beforeEach(() => {
    tracing = startTracing();
    const sqlite = createRequire(__filename)('node:sqlite') as Sqlite;
    database = new sqlite.DatabaseSync(':memory:');
    database.exec('create table album (id integer primary key, title text)');
    early = database.prepare('select * from album');
    instrumentation = new NodeSqliteInstrumentation();
    instrumentation.setTracerProvider(tracing.provider);
    // Jest gives each suite a process of its own, which does not list the modules that Node.js has loaded.
    const modules = new InstalledModules();
    modules.isBuiltinLoaded = () => true;
    applyLate(instrumentation, modules);
  });
  afterEach(async () => {
    instrumentation.disable();
    database.close();
    await tracing.shutdown();
  });

  const spans = (): ReadableSpan[] =>
    tracing.exported().filter(({ attributes }) => attributes['db.system.name'] === 'sqlite');
  const names = (): string[] =>
    tracing.monitor.getStats().operations.map(({ name, count }) => `${name} ${count}`);

  it('creates one span for each execution, without its values', () => {
    const insert = database.prepare('insert into album (title) values (?)');
    expect(insert.run('zqx-secret').changes).toBe(1);
    insert.run('b');
    expect(database.prepare('select * from album where id = ?').get(2)).toMatchObject({ title: 'b' });
    expect(early.all()).toHaveLength(2);
    expect(spans()).toHaveLength(4);
    expect(spans()[0]?.kind).toBe(SpanKind.CLIENT);
    expect(names().sort()).toEqual(['INSERT album 2', 'SELECT album 2']);
    expect(JSON.stringify(spans().map(({ attributes }) => attributes))).not.toContain('zqx-secret');
  });

  it('creates one span for the rows of an iterator, read to its end or not', () => {
    database.exec('insert into album (title) values (1), (2), (3)');
    expect([...early.iterate()]).toHaveLength(3);
    for (const _row of early.iterate()) break;
    expect(names().sort()).toEqual(['INSERT album 1', 'SELECT album 2']);
  });

  it('marks the span of a statement that fails, and throws as before', () => {
    database.exec('insert into album (id) values (1)');
    const insert = database.prepare('insert into album (id) values (?)');
    expect(() => insert.run(1)).toThrow('UNIQUE');
    expect(spans().at(-1)).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'ERR_SQLITE_ERROR' },
    });
  });

  it('creates no spans once it is disabled', () => {
    instrumentation.disable();
    expect(early.all()).toEqual([]);
    database.exec('insert into album (title) values (1)');
    expect(spans()).toEqual([]);
  });
});
