import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Attributes, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { describeSpan } from '../../lib/spans/span-description.js';
import { knownStatements, StatementCache } from '../../lib/spans/statement.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

type Given = [name: string, attributes: Attributes];

const redis = (command: string, text?: string): Given => [
  command,
  { 'db.system': 'redis', ...(text === undefined ? {} : { 'db.statement': text }) },
];
const sql = (text: string): Given => ['query', { 'db.system.name': 'mssql', 'db.query.text': text }];
const mongo = (operation: string, text: string): Given => [
  `mongodb.${operation}`,
  {
    'db.system': 'mongodb',
    'db.operation': operation,
    'db.mongodb.collection': 'orders',
    'db.statement': text,
  },
];
const messaging = (attributes: Attributes): Given => [
  'orders',
  { 'messaging.system': 'kafka', ...attributes },
];

const isBlocking = ([name, attributes]: Given): boolean =>
  describeSpan({ name, kind: SpanKind.CLIENT, attributes }, knownStatements).isBlocking;

describe('a call that waits by design', () => {
  it.each<Given>([
    redis('bzpopmin', 'bzpopmin bull:mail:marker 5'),
    redis('BLPOP'),
    redis('brpoplpush'),
    redis('BLMOVE'),
    redis('blmpop'),
    redis('XREAD', 'XREAD BLOCK 5000 STREAMS orders $'),
    redis('xreadgroup', 'xreadgroup GROUP mail one block 0 STREAMS orders >'),
    redis('XREADGROUP BLOCK'),
    redis('SUBSCRIBE'),
    sql("WAITFOR DELAY '00:00:05'"),
    sql('WAITFOR (RECEIVE TOP (1) * FROM mails), TIMEOUT 5000'),
    sql("DECLARE @a int WAITFOR TIME '10:00'"),
    sql('BEGIN dbms_lock.sleep(5); END;'),
    mongo('aggregate', '[{"$changeStream":{}}]'),
    mongo('aggregate', '{"aggregate":"orders","pipeline":[ { $changeStream: {} } ]}'),
    redis('XREADGROUP', 'XREADGROUP GROUP a b COUNT 1 NOACK BLOCK 5 STREAMS orders >'),
    messaging({ 'messaging.operation.type': 'receive' }),
    messaging({ 'messaging.operation': 'poll' }),
  ])('is %s %j', (...given) => {
    expect(isBlocking(given)).toBe(true);
  });

  it.each<Given>([
    redis('LPOP', 'LPOP queue'),
    redis('ZPOPMIN'),
    redis('XREAD', 'XREAD COUNT 10 STREAMS orders 0'),
    redis('XADD', 'XADD orders * block 1'),
    redis('GET', 'GET block'),
    redis('PUBLISH'),
    redis('XREAD', 'XREAD COUNT 10 STREAMS block 0'),
    redis('XREADGROUP', 'XREADGROUP GROUP block a STREAMS orders >'),
    sql('SELECT * FROM waits WHERE id = 1'),
    sql("SELECT 'waitfor delay'"),
    sql("INSERT INTO notes VALUES ('call dbms_session.sleep')"),
    sql('SELECT 1 /* waitfor delay */'),
    sql('SELECT waitfor FROM dbms_locks'),
    sql('SELECT "waitfor delay" FROM a'),
    mongo('find', '{"note":"a $changeStream: b"}'),
    mongo('find', '{"note":["$changeStream"]}'),
    mongo('find', '{"name":"changeStream"}'),
    messaging({ 'messaging.operation.type': 'publish' }),
    messaging({ 'messaging.operation.type': 'process' }),
    ['GET', { 'http.request.method': 'GET', 'server.address': 'api.example.com' }],
  ])('is not %s %j', (...given) => {
    expect(isBlocking(given)).toBe(false);
  });
});

it('is known of a statement that is kept, without reading it again', () => {
  const statements = new StatementCache();
  const text = "SELECT 'a' FROM t WHERE id = 1";
  const span = {
    name: 'query',
    kind: SpanKind.CLIENT,
    attributes: { 'db.query.text': text, 'db.system': 'mssql' },
  };
  describeSpan(span, statements);
  const test = jest.spyOn(RegExp.prototype, 'test');
  try {
    describeSpan(span, statements);
    expect(test.mock.calls.flat()).not.toContain(text);
  } finally {
    test.mockRestore();
  }
});

describe('the statistics of calls that wait by design', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing({ cacheThresholdMs: 100, databaseThresholdMs: 100 });
  });
  afterEach(() => tracing.shutdown());

  const call = async (name: string, attributes: Attributes, ms: number, parent?: Span): Promise<void> => {
    const around = parent === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, parent);
    const span = tracing.provider
      .getTracer('test')
      .startSpan(name, { kind: SpanKind.CLIENT, attributes }, around);
    await sleep(ms);
    span.end();
  };
  const slow = (): string[] => tracing.monitor.getSlowOperations().map(({ name }) => name);

  it('count them, and neither as slow nor in the latency of their type', async () => {
    await call('BZPOPMIN', { 'db.system': 'redis' }, 250);
    await call('GET', { 'db.system': 'redis' }, 1);
    const stats = tracing.monitor.getStats();
    expect(slow()).toEqual([]);
    expect(stats.byType['cache']?.maxDuration).toBeLessThan(200);
    expect(stats.operations?.map(({ name }) => name)).toContain('BZPOPMIN');
  });

  it('have an ordinary command of the same length as slow', async () => {
    await call('GET', { 'db.system': 'redis' }, 250);
    expect(slow()).toEqual(['GET']);
  });

  it('take a cursor for that of a change stream if no request reads it', async () => {
    const getMore = { 'db.system': 'mongodb', 'db.operation': 'getMore', 'db.mongodb.collection': 'orders' };
    await call('mongodb.getMore', getMore, 250);
    expect(slow()).toEqual([]);
    const request = tracing.provider
      .getTracer('test')
      .startSpan('GET', { kind: SpanKind.SERVER }, ROOT_CONTEXT);
    await call('mongodb.getMore', getMore, 250, request);
    request.end();
    expect(slow()).toEqual(['getMore orders']);
  });

  it('have the wait for a connection as a type of its own', async () => {
    await call('pg-pool.connect', { 'db.system': 'postgresql', 'db.name': 'store' }, 250);
    await call('pg.query', { 'db.system': 'postgresql', 'db.query.text': 'SELECT pool_connect FROM t' }, 1);
    const { byType } = tracing.monitor.getStats();
    expect(byType['connection_pool']).toMatchObject({ count: 1, slowCount: 1 });
    expect(byType['database']).toMatchObject({ count: 1, slowCount: 0 });
    expect(slow()).toEqual(['postgresql pool store']);
  });
});
