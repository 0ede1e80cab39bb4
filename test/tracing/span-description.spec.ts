import { describe, expect, it } from '@jest/globals';
import { type Attributes, SpanKind } from '@opentelemetry/api';
import { hashInput, inputsOf } from '../../lib/spans/inputs.js';
import { describeSpan } from '../../lib/spans/span-description.js';
import { StatementCache } from '../../lib/spans/statement.js';

const statements = new StatementCache();
const work = (type: string, attributes: Attributes, name = 'span') =>
  describeSpan({ name, kind: SpanKind.CLIENT, attributes }, statements, type);
const call = (url: string, method = 'GET') =>
  work('external', { 'http.request.method': method, 'url.full': url });
const query = (text: string) => work('database', { 'db.system.name': 'postgresql', 'db.query.text': text });

describe('the key of an outgoing call', () => {
  it.each([
    ['http://api/users/42', 'GET api/users/{}'],
    ['http://api/users/42/orders?since=5', 'GET api/users/{}/orders'],
    ['https://me:secret@api.example.com:8443/a/b', 'GET api.example.com:8443/a/b'],
    ['http://api/files/550e8400-e29b-41d4-a716-446655440000', 'GET api/files/{}'],
    ['http://api/mail/me@example.com', 'GET api/mail/{}'],
    ['http://api/a-name-that-is-longer-than-a-word-would-be/x', 'GET api/{}/x'],
    ['http://api', 'GET api'],
    ['http://api/files/AbCdEfGhIjKlMnOpQrSt', 'GET api/files/{}'],
    ['http://api/files/xkQPzrmNTlwY', 'GET api/files/{}'],
    ['http://api/customerOrders/withAllTheirItems', 'GET api/customerOrders/withAllTheirItems'],
    ['http://api/CustomerOrderService/getOrderItems', 'GET api/CustomerOrderService/getOrderItems'],
    ['http://u:p@ss@api/a', 'GET api/a'],
    ['http://api/a?mail=me@example.com', 'GET api/a'],
    ['http://api/a?b=1&page=2', 'GET api/a?page={}'],
    ['http://api/a?page%5Bnumber%5D=2', 'GET api/a?page={}'],
    ['http://api/a?starting_after=x1', 'GET api/a?starting_after={}'],
    ['http://api/a?homepage=2&pages=1', 'GET api/a'],
  ])('of %s is %s', (url, fingerprint) => {
    expect(call(url).key?.fingerprint).toBe(fingerprint);
  });

  it('reads attributes of the old conventions', () => {
    expect(work('external', { 'http.method': 'POST', 'http.url': 'http://api/users/7' }).key).toEqual({
      fingerprint: 'POST api/users/{}',
      name: 'POST api/users/{}',
      effect: 'write',
    });
  });

  it('distinguishes calls by the values in their address', () => {
    expect(call('http://api/users/42?x=1').inputs).toEqual(call('http://api/users/42?y=1').inputs);
    expect(call('http://api/users/42').inputs).not.toEqual(call('http://api/users/43').inputs);
    expect(call('http://api/users').inputs).toEqual([]);
  });

  it('has no known values for a method with a body', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'])
      expect(call('http://api/users/42', method).inputs).toBeUndefined();
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      expect(call('http://api/users/42', method).inputs).toHaveLength(1);
  });

  it('has the positions of the values that select a page, unless it writes', () => {
    const pages = (url: string, method = 'GET') => call(url, method).key?.page;
    expect(pages('http://api/a?cursor=abc')).toEqual({ inputs: 1, pages: 0b1, bound: 0 });
    expect(pages('http://api/users/7/a?size=10&page=3')).toEqual({ inputs: 3, pages: 0b100, bound: 0 });
    expect(pages('http://api/a/page/3')).toEqual({ inputs: 1, pages: 0b1, bound: 0 });
    expect(pages('http://api/a?cursor=abc', 'POST')).toBeUndefined();
    expect(pages('http://api/a?id=5')).toBeUndefined();
    expect(pages('http://api/a?start=2024-06-01&end=2024-06-30')).toBeUndefined();
  });

  it('is the name of the span without method and host', () => {
    expect(work('external', {}, 'Mailer.send').key?.name).toBe('Mailer.send');
  });

  it('contains only the host without an address', () => {
    expect(work('external', { 'http.request.method': 'GET', 'server.address': 'api' }).key?.name).toBe(
      'GET api',
    );
    expect(call('not an address').inputs).toBeUndefined();
  });

  it('has a limited length', () => {
    expect(call(`http://api/${'x/'.repeat(5000)}`).key?.fingerprint.length).toBeLessThanOrEqual(500);
    expect(call(`http://api/a?${'x=1&'.repeat(50)}`).inputs).toBeUndefined();
  });
});

describe('the key of a statement', () => {
  it.each([
    ['SELECT * FROM t WHERE a = $1', 'read'],
    ['WITH x AS (SELECT 1) SELECT * FROM x', 'read'],
    ['INSERT INTO t VALUES (1)', 'write'],
    ['UPDATE t SET a = 1', 'write'],
    ['BEGIN', 'control'],
    ['COMMIT', 'control'],
    ['SET search_path TO x', 'control'],
    ['SELECT 1', 'control'],
    ['SELECT now()', 'control'],
    ['SELECT b.oid FROM pg_catalog.pg_type a LEFT JOIN pg_catalog.pg_type b ON b.oid = a.typelem', 'control'],
    ['SELECT * FROM pg_type_of_shop', 'read'],
    ['SELECT expensive($1)', 'read'],
    ['FETCH 100 FROM c', 'control'],
    ['MOVE 100 IN c', 'control'],
    ['SELECT fetch FROM move', 'read'],
  ])('of %s is a %s', (text, effect) => {
    expect(query(text).key?.effect).toBe(effect);
  });

  it('has the literals of its text, and no bound values', () => {
    expect(query('SELECT * FROM t').inputs).toEqual([]);
    expect(query('SELECT * FROM t WHERE a = $1').inputs).toBeUndefined();
    expect(query('SELECT * FROM t WHERE a = ?').inputs).toBeUndefined();
    expect(query('SELECT * FROM t WHERE a = :name').inputs).toBeUndefined();
    const five = query('SELECT * FROM t WHERE a = 5');
    expect(five?.inputs).toHaveLength(1);
    expect(query('SELECT * FROM t WHERE a = 5').inputs).toEqual(five?.inputs);
    expect(query('SELECT * FROM t WHERE a = 6').inputs).not.toEqual(five?.inputs);
    expect(query('SELECT * FROM t WHERE a = 6').key).toEqual(five?.key);
  });

  it('is operation and collection for MongoDB, and absent until they are known', () => {
    const mongo = { 'db.system.name': 'mongodb', 'db.operation.name': 'find', 'db.collection.name': 'users' };
    expect(work('database', mongo).key?.fingerprint).toBe('find users');
    expect(work('database', { 'db.system.name': 'postgresql' }).key).toBeUndefined();
  });

  it.each([
    ['insert', 'write'],
    ['insertMany', 'write'],
    ['updateOne', 'write'],
    ['deleteMany', 'write'],
    ['remove', 'write'],
    ['replaceOne', 'write'],
    ['save', 'write'],
    ['create', 'write'],
    ['bulkWrite', 'write'],
    ['findOneAndUpdate', 'write'],
    ['findAndModify', 'write'],
    ['find', 'read'],
    ['findOne', 'read'],
    ['aggregate', 'read'],
    ['getMore', 'control'],
    ['next', 'control'],
    ['killCursors', 'control'],
  ])("of MongoDB's %s is a %s", (operation, effect) => {
    expect(
      work('database', {
        'db.system.name': 'mongodb',
        'db.operation.name': operation,
        'db.collection.name': 'users',
      }).key?.effect,
    ).toBe(effect);
  });

  it('is operation and collection for other text than SQL, in any database', () => {
    const search = { 'db.system': 'elasticsearch', 'db.statement': '{"query":{"match":{"a":"alice"}}}' };
    expect(work('database', search).key).toBeUndefined();
    const complete = { ...search, 'db.operation': 'search', 'db.collection.name': 'songs' };
    expect(work('database', complete).key?.fingerprint).toBe('search songs');
    const summarized = { ...search, 'db.query.summary': 'search songs' };
    expect(work('database', summarized).key).toMatchObject({ fingerprint: 'search songs', effect: 'read' });
  });

  it.each([
    ['INSERT INTO t (a) VALUES ($1), ($2)', 'rows'],
    ['INSERT INTO t (a, b) VALUES (now(), $1), (DEFAULT, $2)', 'rows'],
    ['INSERT INTO t (a, b) VALUES ($1, $2)', undefined],
    ['INSERT INTO t (a, b) VALUES (now(), $1) ON CONFLICT (a) DO NOTHING', undefined],
    ['SELECT * FROM t WHERE (a, b) IN (($1, $2), ($3, $4))', undefined],
    ['SELECT * FROM t ORDER BY a OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY', 'row'],
    ['SELECT * FROM t ORDER BY a LIMIT 1 OFFSET $1', 'row'],
    ['SELECT * FROM t ORDER BY a LIMIT 10 OFFSET 20', undefined],
    ['SELECT * FROM t ORDER BY a LIMIT $1 OFFSET $2', undefined],
  ])('of %s has the shape %s', (text, shape) => {
    expect(query(text).key?.shape).toBe(shape);
  });
});

describe('hashes of values', () => {
  it('are equal for values with the same text, otherwise different', () => {
    expect(hashInput(42)).toBe(hashInput('42'));
    expect(hashInput(42n)).toBe(hashInput(42));
    expect(hashInput(new Date(5))).toBe(hashInput(5));
    expect(hashInput(null)).toBe(hashInput('null'));
    expect(hashInput('a')).not.toBe(hashInput('b'));
    expect(hashInput('x'.repeat(10_000))).not.toBe(hashInput('x'.repeat(10_001)));
  });

  it('differ for each value without a text', () => {
    const buffer = Buffer.from('a');
    expect(hashInput(buffer)).not.toBe(hashInput(buffer));
  });

  it('are absent for too many values', () => {
    expect(inputsOf(new Array(17).fill(1))).toBeUndefined();
    expect(inputsOf([1, 'a', null])).toHaveLength(3);
  });
});
