// Statements of which the right answer is known, explained by a real Postgres with the rows of a music store.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { POSTGRES } from '../../lib/spans/statement-dialect.js';
import { startPostgres } from '../support/postgres.js';
import { type Answer, type Asking, askBy } from './ask.js';

const SCHEMA = [
  'CREATE TABLE artist (id int PRIMARY KEY, name varchar NOT NULL)',
  'CREATE TABLE album (id int PRIMARY KEY, title varchar NOT NULL, price int NOT NULL, artist_id int)',
  'CREATE TABLE track (id int PRIMARY KEY, title varchar NOT NULL, seconds int NOT NULL, album_id int, "isrcCode" text, rating text, notes jsonb, long_text text, genre_id int, code int, kind text)',
  'CREATE TABLE "order" (id int PRIMARY KEY, customer_id int, album_id int, status text, placed_at timestamptz, deleted_at timestamptz)',
  'CREATE SCHEMA shop',
  'CREATE TABLE shop."saleItem" (id int PRIMARY KEY, "orderId" int)',
  'CREATE TABLE event (id int, kind int) PARTITION BY RANGE (id)',
  'CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (0) TO (100000)',
  `INSERT INTO artist SELECT n, 'Artist ' || n FROM generate_series(1, 300) n`,
  `INSERT INTO album SELECT n, 'Album ' || n, 5 + (n * 7919) % 20, 1 + (n * 31) % 300 FROM generate_series(1, 1500) n`,
  `INSERT INTO track SELECT n, 'Track ' || n || ' ' || md5(n::text), 90 + (n * 6133) % 300, 1 + (n - 1) / 10, 'I' || n,
     (ARRAY['a', 'b', 'c'])[1 + n % 3], jsonb_build_object('n', n), repeat(md5(n::text), 20), 1 + (n * 17) % 700, n % 900,
     CASE WHEN n % 100 = 0 THEN 'rare' ELSE 'song' END
   FROM generate_series(1, 15000) n`,
  `INSERT INTO "order" SELECT n, 1 + (n * 17) % 1000, 1 + (n * 7121) % 1500, (ARRAY['new', 'paid', 'sent', 'done'])[1 + n % 4],
     now() - n * interval '7 minutes', CASE WHEN n % 3 = 0 THEN now() END FROM generate_series(1, 8000) n`,
  'INSERT INTO shop."saleItem" SELECT n, n % 2000 FROM generate_series(1, 10000) n',
  'INSERT INTO event SELECT n, n % 3000 FROM generate_series(1, 9000) n',
  'CREATE INDEX track_genre_seconds ON track (genre_id, seconds)',
  'ANALYZE',
];

/** A statement, what is said of it, and the index that is suggested. */
const ANSWERS: readonly [statement: string, explanation: string, index: string | undefined][] = [
  [
    'SELECT * FROM track WHERE album_id = $1',
    'Reads all 15,000 rows of track to keep about 10; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT * FROM track WHERE album_id = 12',
    'Reads all 15,000 rows of track to keep about 10; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT title FROM track WHERE album_id = ANY($1)',
    'Reads all 15,000 rows of track to keep about 100; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT * FROM track t WHERE t.album_id IN ($1, $2, $3)',
    'Reads all 15,000 rows of track to keep about 30; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT * FROM track WHERE "isrcCode" = $1',
    'Reads all 15,000 rows of track to keep about 1; no index has "isrcCode".',
    'CREATE INDEX ON track ("isrcCode")',
  ],
  [
    'SELECT * FROM track WHERE title = $1',
    'Reads all 15,000 rows of track to keep about 1; no index has title.',
    'CREATE INDEX ON track (title)',
  ],
  [
    'SELECT * FROM track WHERE lower(title) = $1',
    'Reads all 15,000 rows of track to keep about 1; no index has lower(title).',
    'CREATE INDEX ON track (lower(title))',
  ],
  [
    'SELECT t.* FROM track t JOIN album a ON a.id = t.album_id WHERE a.artist_id = $1',
    'Reads all 15,000 rows of track to join about 50; no index has album_id. Reads all 1,500 rows of album to keep about 5; no index has artist_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT * FROM album a LEFT JOIN track t ON t.album_id = a.id WHERE a.id IN ($1, $2)',
    'Reads all 15,000 rows of track to join about 20; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT a.*, (SELECT count(*) FROM track t WHERE t.album_id = a.id) FROM album a',
    'Reads all 15,000 rows of track for each row of album to keep about 10; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT * FROM "order" ORDER BY placed_at DESC LIMIT 20',
    'Sorts all 8,000 rows of order for the first of them; no index has placed_at.',
    'CREATE INDEX ON "order" (placed_at)',
  ],
  [
    'SELECT * FROM "order" ORDER BY placed_at DESC, customer_id LIMIT $1',
    'Sorts all 8,000 rows of order for the first of them; no index has placed_at DESC, customer_id.',
    'CREATE INDEX ON "order" (placed_at DESC, customer_id)',
  ],
  [
    'SELECT * FROM "order" WHERE customer_id = $1 ORDER BY placed_at DESC LIMIT 10',
    'Reads all 8,000 rows of order to keep about 8; no index has customer_id.',
    'CREATE INDEX ON "order" (customer_id)',
  ],
  [
    'UPDATE track SET title = $1 WHERE album_id = $2',
    'Reads all 15,000 rows of track to keep about 10; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'DELETE FROM "order" WHERE customer_id = $1 AND status = $2',
    'Reads all 8,000 rows of order to keep about 2; no index has customer_id.',
    'CREATE INDEX ON "order" (customer_id)',
  ],
  [
    'SELECT * FROM "order" WHERE customer_id = $1 AND deleted_at IS NULL',
    'Reads all 8,000 rows of order to keep about 5; no index has customer_id.',
    'CREATE INDEX ON "order" (customer_id)',
  ],
  [
    `SELECT * FROM "order" WHERE placed_at > now() - interval '1 hour'`,
    'Reads all 8,000 rows of order to keep about 8; no index has placed_at.',
    'CREATE INDEX ON "order" (placed_at)',
  ],
  [
    'WITH mine AS (SELECT * FROM track WHERE album_id = $1) SELECT count(*) FROM mine',
    'Reads all 15,000 rows of track to keep about 10; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT * FROM track WHERE album_id = (SELECT id FROM album WHERE title = $1)',
    'Reads all 15,000 rows of track to keep about 10; no index has album_id. Reads all 1,500 rows of album to keep about 1; no index has title.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT t.title, o.id FROM track t, "order" o WHERE o.album_id = t.album_id AND t.id = $1',
    'Reads all 8,000 rows of order to join about 5; no index has album_id.',
    'CREATE INDEX ON "order" (album_id)',
  ],
  [
    'SELECT * FROM shop."saleItem" WHERE "orderId" = $1',
    'Reads all 10,000 rows of saleItem to keep about 5; no index has "orderId".',
    'CREATE INDEX ON shop."saleItem" ("orderId")',
  ],
  [
    'SELECT * FROM track WHERE code = $1 AND rating = $2',
    'Reads all 15,000 rows of track to keep about 6; no index has code.',
    'CREATE INDEX ON track (code)',
  ],
  [
    'select * from track where album_id = ? limit ?',
    'Reads up to 15,000 rows of track to keep about 10; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
  [
    'SELECT * FROM track WHERE title ILIKE $1',
    'Reads all 15,000 rows of track; an ordinary index does not serve its pattern on title.',
    undefined,
  ],
  [
    'SELECT * FROM track WHERE album_id = $1 OR seconds = $2',
    'Reads all 15,000 rows of track to keep about 60; its conditions are joined by OR, which no single index serves.',
    undefined,
  ],
  [
    'SELECT * FROM track WHERE long_text = $1',
    'Reads all 15,000 rows of track to keep about 1; no index has long_text.',
    undefined,
  ],
  [
    'SELECT * FROM event WHERE kind = $1',
    'Reads all 9,000 rows of event_1 to keep about 3; no index has kind.',
    undefined,
  ],
  [
    'SELECT * FROM track WHERE code::text = $1 AND album_id = $2',
    'Reads all 15,000 rows of track to keep about 1; no index has album_id.',
    'CREATE INDEX ON track (album_id)',
  ],
];

/** Statements of which nothing is to be said. */
const SILENT = [
  'SELECT * FROM track WHERE id = $1',
  'SELECT count(*) FROM track',
  'SELECT * FROM track',
  'SELECT * FROM artist WHERE name = $1', // A small table.
  'SELECT * FROM track WHERE rating = $1', // Keeps a third.
  'SELECT * FROM "order" WHERE status = $1', // Keeps a quarter.
  `SELECT * FROM track WHERE kind = 'song'`, // Keeps nearly all.
  'SELECT * FROM track WHERE genre_id = $1', // Has an index.
  'SELECT * FROM track WHERE seconds = $1', // Postgres 18 skips through an index that begins with another column.
  'SELECT * FROM "order" WHERE placed_at > $1', // A bound value decides it.
  'SELECT * FROM "order" WHERE placed_at BETWEEN $1 AND $2',
  'SELECT * FROM track WHERE album_id <> $1',
  'SELECT * FROM track WHERE NOT (album_id = $1)',
  'SELECT * FROM track WHERE id::text = $1', // A type that is converted.
  'SELECT * FROM track WHERE abs(seconds) = $1',
  'SELECT * FROM track t LEFT JOIN album a ON a.id = t.album_id', // Needs all of both.
  'SELECT album_id, count(*) FROM track GROUP BY album_id',
  'SELECT title FROM track ORDER BY title', // Needs all of it.
  'SELECT * FROM track ORDER BY lower(title) LIMIT 5',
  'INSERT INTO artist (id, name) VALUES ($1, $2)',
  'SELECT * FROM generate_series(1, 10000) g WHERE g = $1',
  'SELECT * FROM "order" ORDER BY id DESC LIMIT 20',
  'SELECT $1::int + 1',
];

/** Statements that are not sent. */
const NOT_SENT = [
  'SELECT 1; DELETE FROM track',
  `SELECT * FROM track WHERE title = 'a;b'`,
  'VACUUM track',
  'CREATE INDEX i ON track (album_id)',
  'DROP TABLE track',
  'SELECT * INTO copy FROM track',
  'EXPLAIN ANALYZE DELETE FROM track',
  'CALL remove_all()',
  'SELECT * FROM track WHERE album_id IN ($1, $2, ...',
  'SELECT * FROM track WHERE album_id =',
  `SELECT * FROM track WHERE title = 'abc`,
  `SELECT * FROM track WHERE id IN (${'1, '.repeat(4000)}1)`,
];

describe('the plans of Postgres', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>;
  let client: Client;
  let ask: Asking;

  beforeAll(async () => {
    server = await startPostgres();
    client = new Client({ connectionString: server.url });
    await client.connect();
    for (const statement of SCHEMA) await client.query(statement);
    ask = askBy((statement) => client.query(statement), POSTGRES);
  });
  afterAll(async () => {
    await client.end();
    await server.stop();
  });

  it.each(ANSWERS)('says of %s', async (statement, explanation, index) => {
    const answer = await ask(statement);
    expect(answer?.explanation).toBe(explanation);
    expect(answer?.suggestedIndex?.statement).toBe(index);
  });

  it.each(SILENT)('says nothing of %s', async (statement) => {
    ask.sent.length = 0;
    expect(await ask(statement)).toBeUndefined();
    expect(ask.sent.filter((sent) => sent.startsWith('EXPLAIN'))).toHaveLength(1);
  });

  it.each(NOT_SENT)('does not send %s', async (statement) => {
    ask.sent.length = 0;
    expect(await ask(statement)).toBeUndefined();
    expect(ask.sent).toEqual([]);
  });

  const indexes = new Map(
    ANSWERS.flatMap(([statement, , index]) => (index === undefined ? [] : [[index, statement]])),
  );

  it.each([...indexes])('is right about the planner, which then uses %s', async (index, statement) => {
    await client.query('BEGIN');
    await client.query(index);
    // Of an expression, there are no statistics before.
    await client.query('ANALYZE track');
    const text = statement.includes('?') ? statement.replace('?', '$1').replace('?', '$2') : statement;
    const { rows } = await client.query(
      `EXPLAIN (${text.includes('$') ? 'GENERIC_PLAN, ' : ''}FORMAT JSON) ${text}`,
    );
    const after = await ask(statement);
    await client.query('ROLLBACK');
    const name = /ON (?:shop\.)?"?(\w+)"? /.exec(index)?.[1];
    expect(JSON.stringify(rows)).toMatch(new RegExp(`"Index Name":"(?:"?${name}_\\w*idx\\d?"?)"`));
    expect(after?.suggestedIndex?.statement).not.toBe(index);
  });

  it('sends EXPLAIN without ANALYZE, and reads the catalogue', async () => {
    ask.sent.length = 0;
    await ask('SELECT * FROM track WHERE album_id = $1 AND title = $2');
    expect(ask.sent).toHaveLength(2);
    expect(ask.sent[0]).toMatch(/^EXPLAIN \(GENERIC_PLAN, VERBOSE, FORMAT JSON\) SELECT/);
    expect(ask.sent[1]).toMatch(/^SELECT [^;]*pg_catalog\.pg_class/);
  });

  it('keeps no literal', async () => {
    const answers: Answer[] = [];
    for (const statement of [
      `SELECT * FROM track WHERE title = 'secret-1' AND code IN (4711, 4712)`,
      `SELECT * FROM track WHERE lower(title) = lower('secret-2')`,
      `SELECT * FROM track WHERE title LIKE '%secret-3%'`,
      `SELECT * FROM track WHERE album_id = 4711 OR title = 'secret-4'`,
      `SELECT * FROM track WHERE title = E'secret-5\\'' AND album_id = 4711`,
      `SELECT * FROM track WHERE album_id = 4711 ORDER BY title = 'secret-6' LIMIT 4711`,
    ]) {
      answers.push(await ask(statement));
      expect([statement, answers.at(-1)?.explanation]).toEqual([statement, expect.stringMatching(/^Reads /)]);
    }
    expect(JSON.stringify(answers)).not.toMatch(/secret|471/);
  });

  it('explains no statement of another database', async () => {
    const statement = 'SELECT * FROM track WHERE album_id = $1';
    expect(await ask(statement, { database: 'another' })).toBeUndefined();
    expect(await ask(statement, { database: 'store' })).toBeDefined();
  });

  it('says when other rows came than the planner expects', async () => {
    expect((await ask('SELECT * FROM track WHERE rating = $1', { rows: 5000 }))?.explanation).toBeUndefined();
    expect((await ask('SELECT * FROM track WHERE genre_id = $1', { rows: 9000 }))?.explanation).toBe(
      'The planner expects about 21 rows, and 9,000 came.',
    );
    expect((await ask('SELECT * FROM track', { rows: 0 }))?.explanation).toBe(
      'The planner expects about 15,000 rows, and none came.',
    );
    expect(await ask('SELECT * FROM track LIMIT $1', { rows: 9000 })).toBeUndefined();
    expect(await ask('UPDATE track SET code = 1', { rows: 15_000 })).toBeUndefined();
  });

  it('needs no right to write', async () => {
    await client.query('SET default_transaction_read_only = on');
    const answers = [
      await ask('UPDATE track SET title = $1 WHERE album_id = $2'),
      await ask('WITH gone AS (DELETE FROM track WHERE album_id = $1 RETURNING id) SELECT * FROM gone'),
    ];
    await client.query('RESET default_transaction_read_only');
    for (const answer of answers)
      expect(answer?.suggestedIndex?.statement).toBe('CREATE INDEX ON track (album_id)');
    expect((await client.query('SELECT count(*)::int AS count FROM track')).rows).toEqual([
      { count: 15_000 },
    ]);
  });

  it('counts the rows of all workers', async () => {
    const settings = { parallel_setup_cost: 0, parallel_tuple_cost: 0, min_parallel_table_scan_size: 0 };
    for (const [name, value] of Object.entries(settings)) await client.query(`SET ${name} = ${value}`);
    const answers = [
      await ask('SELECT * FROM track WHERE album_id = $1'),
      await ask('SELECT * FROM track WHERE rating = $1'),
    ];
    const { rows } = await client.query('EXPLAIN SELECT * FROM track WHERE album_id = 1');
    for (const name of Object.keys(settings)) await client.query(`RESET ${name}`);
    expect(JSON.stringify(rows)).toContain('Parallel Seq Scan');
    expect(answers.map((answer) => answer?.explanation)).toEqual([
      'Reads all 15,000 rows of track to keep about 10; no index has album_id.',
      undefined,
    ]);
  });

  it('says what spills', async () => {
    await client.query("SET work_mem = '64kB'");
    const sorted = await ask('SELECT * FROM track ORDER BY title');
    const hashed = await ask('SELECT * FROM track t JOIN album a ON a.id = t.album_id ORDER BY t.id LIMIT 5');
    const grouped = await ask('SELECT title, count(*) FROM track GROUP BY title');
    await client.query('RESET work_mem');
    expect(sorted?.explanation).toMatch(
      /^Sorts about 15,00\d rows, \d+ MB where 0\.1 MB may be used: it writes to disk\.$/,
    );
    expect(hashed).toBeUndefined();
    expect(grouped?.explanation).toMatch(/writes to disk|^Sorts/);
  });

  it('changes its schema text when an index is created, and not otherwise', async () => {
    const { StatementExplainer } = await import('../../lib/plans/statement-explainer.js');
    const explainer = new StatementExplainer(async (statement) => (await client.query(statement)).rows);
    const before = await explainer.schema(POSTGRES);
    await client.query("UPDATE artist SET name = name || '!' WHERE id = 1");
    expect(await explainer.schema(POSTGRES)).toBe(before);
    await client.query('CREATE INDEX artist_name ON artist (name)');
    expect(await explainer.schema(POSTGRES)).not.toBe(before);
    await client.query('DROP INDEX artist_name');
    expect(await explainer.schema(POSTGRES)).toBe(before);
  });
});
