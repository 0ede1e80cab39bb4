import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { StatementCache } from '../../lib/spans/statement.js';
import { type Dialect, dialectOf, MYSQL } from '../../lib/spans/statement-dialect.js';
import { summarizeStatement } from '../../lib/spans/statement-summary.js';
import { normalizeStatement } from '../../lib/spans/statement-text.js';

/** No normalized statement may contain this word, which literals of any notation contain. */
const SECRET = 'zqx';

const PARTS = [SECRET, "''", ' ', 'a', '--', '/*', ';', '$1', '"', '(', ')'];
const quotedOf = (parts: string[]) =>
  fc.array(fc.constantFrom(...parts), { maxLength: 6 }).map((some) => some.join(''));
const quoted = quotedOf(PARTS);
const escaped = quotedOf([...PARTS, "\\'"]);
const unescaped = fc.oneof(
  quoted.map((text) => `'${text}'`),
  escaped.map((text) => `E'${text}'`),
  quoted.map((text) => `N'${text}'`),
  fc.constantFrom(`$$${SECRET}$$`, `$tag$ ${SECRET} ' $ $tag$`, `$body$${SECRET}$body$`, `X'1F'`),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }).map(String),
  fc.integer().map(String),
  fc.constantFrom('0x1F', '1e10', '.5', '1_000', '$1', ':name', '@p1', '?'),
);
const literal = fc.oneof(
  unescaped,
  escaped.map((text) => `'${text}'`),
  escaped.map((text) => `N'${text}'`),
);
const space = fc.constantFrom(
  ' ',
  '\n',
  '\t ',
  ' /* a comment */ ',
  ' -- to the end\n',
  ' /* outer /* inner */ */ ',
);

describe('normalizeStatement', () => {
  it.each([
    ['SELECT * FROM users WHERE id = 5', 'select * from users where id = ?'],
    [
      "select name from users where name = 'O''Brien' and age > 41",
      'select name from users where name = ? and age > ?',
    ],
    ['SELECT 1 WHERE a IN (1, 2, 3)', 'select ? where a in (?)'],
    ['SELECT a WHERE a IN ($1,$2)', 'select a where a in (?)'],
    ["INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y'), (3, 'z')", 'insert into t(a, b) values (?)'],
    [
      'SELECT "Album"."id" AS "Album_id" FROM "album" "Album"',
      'select "Album"."id" as "Album_id" from "album" "Album"',
    ],
    ['SELECT `a` FROM `b`', 'select "a" from "b"'],
    ['SELECT [a] FROM [dbo].[b c]', 'select "a" from "dbo"."b c"'],
    ["SELECT data->>'name', tags @> '{1}' FROM t", 'select data ->> ?, tags @> ? from t'],
    ["SELECT '5'::int, x::text", 'select ?::int, x::text'],
    ['SELECT a-1, -5, b - -3 FROM t LIMIT -1', 'select a - ?, ?, b - ? from t limit ?'],
    ['SELECT count(*) FROM t -- why\nWHERE a = TRUE', 'select count(*) from t where a = true'],
    ["SELECT * FROM t WHERE a = 'never closed", 'select * from t where a = ?'],
    ['SELECT * FROM t WHERE a = "a string! of MySQL"', 'select * from t where a = ?'],
    ['SELECT * FROM t /* never closed', 'select * from t'],
    ["SELECT $tag$it's$tag$, E'it\\'s'", 'select ?, ?'],
    ['', ''],
  ])('converts %j', (statement, expected) => {
    expect(normalizeStatement(statement)).toBe(expected);
  });

  it.each([
    ['SELECT * FROM t WHERE name = "alice"', 'select * from t where name = ?'],
    [
      'SELECT * FROM t WHERE name <> "alice" AND b LIKE "bob" LIMIT 1',
      'select * from t where name <> ? and b like ? limit ?',
    ],
    ['SELECT * FROM t WHERE name IN ("alice", "bob")', 'select * from t where name in (?)'],
    ['SELECT * FROM t WHERE (a, b) IN (("alice", 1), ("bob", 2))', 'select * from t where (a, b) in ((?))'],
    ['INSERT INTO t (a, b) VALUES ("alice", 1), ("bob", 2)', 'insert into t(a, b) values (?)'],
    [
      'INSERT INTO t VALUES (now(), "alice"), (now(), upper("bob"))',
      'insert into t values (now(), ?), (now(), upper(?))',
    ],
    ['UPDATE t SET a = "alice", b = "bob"', 'update t set a = ?, b = ?'],
    ['SELECT * FROM t WHERE a BETWEEN "alice" AND "bob"', 'select * from t where a between ? and ?'],
    ['SELECT * FROM t WHERE a = lower("Alice")', 'select * from t where a = lower(?)'],
    ['SELECT `a`, "alice" FROM `t` WHERE if(`b`, "bob", 1)', 'select "a", ? from "t" where if("b", ?, ?)'],
  ])('treats double quotes around a value as a string of MySQL: %s', (statement, expected) => {
    expect(normalizeStatement(statement)).toBe(expected);
    expect(normalizeStatement(expected)).toBe(expected);
  });

  it.each([
    'select "a"."id" from "a" join "b" on "a"."id" = "b"."a_id" where "a"."n" < "b"."n"',
    'select "id" from "t" where "a" in (select "b" from "u" where "c" = ?)',
    'insert into "t" ("a", "b") values (?, default) on conflict("a") do update set "b" = excluded."b" returning "id"',
    'select * from "t" where "a" = "app"."now" () and "b" = "mine" (?)',
    'select * from "t" where "kind" = ?::"kind_enum" and "b" = cast(? as "e") order by "a", "b"',
    'select * from "t" where "a" between ? and ? and "b" is null',
    'insert into "t" ("a") values (?), (default) returning "t"."id", "b"',
  ])('treats double quotes around a name as a name: %s', (statement) => {
    expect(normalizeStatement(statement)).toBe(statement);
  });

  it('does not treat names as strings because a string contains a backtick', () => {
    expect(normalizeStatement(`INSERT INTO "t" ("a") VALUES ('\`x\`')`)).toBe(
      'insert into "t" ("a") values (?)',
    );
  });

  it('removes every literal', () => {
    fc.assert(
      fc.property(
        fc.array(literal, { minLength: 1, maxLength: 5 }),
        fc.array(space, { minLength: 5, maxLength: 5 }),
        (literals, spaces) => {
          const statement = `SELECT a FROM t WHERE ${literals.map((text, i) => `c${i}${spaces[i]}= ${text}`).join(' AND ')}`;
          expect(normalizeStatement(statement)).not.toContain(SECRET);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('removes every string of a statement that is truncated anywhere', () => {
    const statement = `SELECT a FROM t WHERE b = '${SECRET} ''${SECRET}' AND c = $x$ ${SECRET} $x$ AND d = E'\\'${SECRET}'`;
    for (let end = 0; end <= statement.length; end++) {
      expect(normalizeStatement(statement.slice(0, end))).not.toContain(SECRET);
    }
  });

  const expectOneText = (each: fc.Arbitrary<string>, between: fc.Arbitrary<string>, dialect?: Dialect) =>
    fc.assert(
      fc.property(
        fc.array(each, { minLength: 1, maxLength: 8 }),
        fc.array(fc.array(each, { minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 5 }),
        between,
        fc.boolean(),
        (list, rows, gap, upper) => {
          const cased = (text: string): string => (upper ? text.toUpperCase() : text);
          const select = `${cased('select a from t where b in')}${gap}(${list.join(`,${gap}`)})`;
          expect(normalizeStatement(select, dialect)).toBe('select a from t where b in (?)');
          const insert = `${cased('insert into t values')}${gap}${rows.map((row) => `(${row.join(', ')})`).join(`,${gap}`)}`;
          expect(normalizeStatement(insert, dialect)).toBe('insert into t values (?)');
        },
      ),
      { numRuns: 500 },
    );

  it('does not depend on literals, the length of lists, casing, and white space', () => {
    expectOneText(unescaped, space, dialectOf({ 'db.system.name': 'postgresql' }));
  });

  it('does not depend on literals in which a backslash escapes, where it is known to', () => {
    expectOneText(literal, fc.constantFrom(' ', '\n', ' /* a */ ', ' # a\n', ' -- a\n'), MYSQL);
  });

  it('is idempotent and limited in length, for any text', () => {
    const word = fc.constantFrom(
      'select',
      'FROM',
      'a',
      '"b c"',
      '(',
      ')',
      ',',
      '.',
      '*',
      '=',
      '->>',
      '::',
      "'x'",
      '5',
      '?',
      '$1',
      '-',
      '+',
      'in',
      'values',
      'between',
      'and',
      'lower',
      '`b`',
      '[',
      ']',
      ';',
      ':p',
      '--',
      '/*',
      '*/',
      "'",
      '"',
      '$$',
      '`',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(word, { maxLength: 30 }).map((words) => words.join(' ')),
          fc.string({ maxLength: 200 }),
        ),
        (text) => {
          const once = normalizeStatement(text);
          expect(normalizeStatement(once)).toBe(once);
          expect(once.length).toBeLessThanOrEqual(Math.min(2048, text.length * 3 + 8));
        },
      ),
      // A name that is a value without its quotes, and brackets that are never closed, or only in a string.
      {
        numRuns: 2000,
        examples: [['[P0W '], ['[P0W'], ['SELECT "p1y" FROM `p2d`'], [`[ ' ] ' . "b c"`], ['[ `b` . ` ] `']],
      },
    );
  });

  it('reads only the beginning of a hostile statement', () => {
    for (const part of ['(', "'", '/*', '$a$', 'IN (', '-', '"', '[', 'a.', '1,', '--', '\\']) {
      const normalized = normalizeStatement(part.repeat(1_000_000 / part.length));
      expect(normalized).toBe(normalizeStatement(part.repeat(20_000 / part.length)));
      expect(normalized.length).toBeLessThanOrEqual(2048);
    }
  });
});

describe('summarizeStatement', () => {
  it.each([
    ['SELECT * FROM users WHERE id = 5', 'SELECT users'],
    ['select "Album"."id" from "public"."album" "Album"', 'SELECT album'],
    ['/* a comment */ SELECT extract(year FROM placed_at) FROM orders', 'SELECT orders'],
    ['SELECT * FROM (SELECT * FROM track) t', 'SELECT track'],
    ['WITH recent AS (SELECT * FROM orders) SELECT * FROM recent', 'SELECT recent'],
    ['WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x', 'INSERT t'],
    ['(SELECT a FROM b) UNION (SELECT c FROM d)', 'SELECT b'],
    ['INSERT INTO "order" (a) VALUES (1)', 'INSERT order'],
    ['INSERT IGNORE INTO t VALUES (1)', 'INSERT t'],
    ['UPDATE ONLY stock.albums SET price = 5', 'UPDATE albums'],
    ['DELETE FROM sessions', 'DELETE sessions'],
    ['BEGIN', 'BEGIN'],
    ['START TRANSACTION', 'START'],
    ['COMMIT', 'COMMIT'],
    ['CALL pay(5)', 'CALL pay'],
    ['SELECT 1', 'SELECT'],
    ['FETCH 100 FROM c', 'FETCH'],
    ['MOVE 100 IN c', 'MOVE'],
    ["SELECT * FROM 'users'", 'SELECT'],
    ['hello there', 'SQL'],
    ['', 'SQL'],
  ])('converts %j', (statement, expected) => {
    expect(summarizeStatement(statement)).toBe(expected);
  });
});

describe('StatementCache', () => {
  it('keeps repeated statements, up to its capacity', () => {
    const cache = new StatementCache(100);
    const known = cache.get('SELECT * FROM often');
    for (let i = 0; i < 1000; i++) {
      cache.get(`SELECT ${i} FROM t`);
      if (i % 20 === 0) expect(cache.get('SELECT * FROM often')).toBe(known);
      expect(cache.size).toBeLessThanOrEqual(101);
    }
    expect(known).toMatchObject({ text: 'select * from often', summary: 'SELECT often' });
  });

  it('does not keep a long statement', () => {
    const cache = new StatementCache();
    cache.get(`INSERT INTO t VALUES ${'(1),'.repeat(5000)}`);
    expect(cache.size).toBe(0);
  });

  it('does not parse a long statement twice in a row', () => {
    const cache = new StatementCache();
    const long = (n: number): string => `INSERT INTO t VALUES ${`(${n}),`.repeat(5000)}`;
    const known = cache.get(long(1));
    expect(cache.get(long(1))).toBe(known);
    expect(cache.get(long(2))).not.toBe(known);
    expect(cache.get(long(1))).not.toBe(known);
    expect(cache.size).toBe(0);
  });
});

describe('firstSeen', () => {
  it('is set for the only text of a statement, or one without literals', () => {
    const cache = new StatementCache();
    const active = cache.get('SELECT * FROM config WHERE active = 1');
    expect(cache.get('SELECT * FROM config WHERE active = 1').firstSeen).toBe(active.firstSeen);
    expect(active.firstSeen).toBeLessThanOrEqual(performance.now());
    cache.get('SELECT * FROM config');
    cache.get('select * from config');
    expect(cache.get('SELECT * FROM config').firstSeen).toBeLessThanOrEqual(performance.now());
  });

  it('is Infinity after a text with other literals: they may be results of queries', () => {
    const cache = new StatementCache();
    const seven = cache.get('SELECT * FROM post WHERE id = 7');
    const eight = cache.get('SELECT * FROM post WHERE id = 8');
    expect([seven.firstSeen, eight.firstSeen]).toEqual([Infinity, Infinity]);
    expect(cache.get('SELECT * FROM post WHERE id = 7').firstSeen).toBe(Infinity);
  });

  it('is not changed by the normalized text of a redacted span', () => {
    const cache = new StatementCache();
    const active = cache.get('SELECT * FROM config WHERE active = 1');
    cache.get(active.text);
    expect(active.firstSeen).toBeLessThan(Infinity);
    cache.get('select * from post where id = ?');
    expect(cache.get('SELECT * FROM post WHERE id = 7').firstSeen).toBeLessThan(Infinity);
    expect(cache.get('SELECT * FROM post WHERE id = $1').firstSeen).toBe(Infinity);
  });

  it('is kept with a text while all others are dropped', () => {
    const cache = new StatementCache(10);
    const often = 'SELECT * FROM post WHERE id = 7';
    cache.get(often);
    for (let n = 0; n < 100; n++) {
      cache.get(`SELECT * FROM t${n} WHERE id = 1`);
      cache.get(often);
    }
    expect(cache.get(often).firstSeen).toBeLessThan(Infinity);
    cache.get('SELECT * FROM post WHERE id = 8');
    expect(cache.get(often).firstSeen).toBe(Infinity);
  });
});

describe('JSON', () => {
  it.each([
    ['{"find":"users","filter":{"name":"alice"}}', '?'],
    [' [{"$match":{"name":"alice"}}]', '?'],
    ['{"name":"?","age":5}', '?'],
    ['{"name":null}', '?'],
    ['{"name":"?"', '{"name":"?"'],
    ['{"name":"?","in":["?","?"],"a":{"?":"?"}}', '{"name":"?","in":["?","?"],"a":{"?":"?"}}'],
    ['{"a \\" b": "?"}', '{"a \\" b": "?"}'],
  ])('is kept if it contains no value: %s', (text, expected) => {
    expect(new StatementCache().get(text).text).toBe(expected);
  });

  it('is not kept if it is long', () => {
    expect(new StatementCache().get(`{${'"a":"?",'.repeat(100_000)}`).text).toBe('?');
  });
});
