// Statements of which the right answer is known, explained by the MySQL or MariaDB at MYSQL_URL.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPool, type Pool } from 'mysql2/promise';
import { MYSQL } from '../../lib/spans/statement-dialect.js';
import { type Asking, askBy } from './ask.js';

const { MYSQL_URL } = process.env;
if (MYSQL_URL === undefined)
  process.stderr.write('skipped: plans of the server at MYSQL_URL, which is not set\n');
const described = MYSQL_URL === undefined ? describe.skip : describe;

const DATABASE = `plans_${process.pid}`;
const numbers = (count: number): string =>
  `(WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${count}) SELECT n FROM n)`;
const SCHEMA = [
  'SET SESSION max_recursive_iterations = 20000',
  'SET SESSION cte_max_recursion_depth = 20000',
  'CREATE TABLE artist (id int PRIMARY KEY, name varchar(100) NOT NULL)',
  'CREATE TABLE album (id int PRIMARY KEY, title varchar(100) NOT NULL, price int NOT NULL, artist_id int)',
  'CREATE TABLE track (id int PRIMARY KEY, title varchar(100) NOT NULL, seconds int NOT NULL, album_id int, rating char(1), notes text, made datetime, `group` int, KEY track_seconds (seconds))',
  'CREATE TABLE `Sale Item` (id int PRIMARY KEY, orderId int)',
  `INSERT INTO artist SELECT n, CONCAT('Artist ', n) FROM ${numbers(300)} s`,
  `INSERT INTO album SELECT n, CONCAT('Album ', n), 5 + n % 20, 1 + (n * 31) % 300 FROM ${numbers(1500)} s`,
  `INSERT INTO track SELECT n, CONCAT('Track ', n), 90 + (n * 6133) % 300, 1 + FLOOR((n - 1) / 10), CHAR(97 + n % 3), CONCAT('Note ', n),
     NOW() - INTERVAL n MINUTE, n % 800 FROM ${numbers(15_000)} s`,
  `INSERT INTO \`Sale Item\` SELECT n, n % 700 FROM ${numbers(2000)} s`,
  'ANALYZE TABLE artist, album, track, `Sale Item`',
];

const ALBUM = /^Reads all 1[45],\d{3} rows of track to keep at most 1[45]\d; no index has album_id\.$/;
const ALBUM_INDEX = 'CREATE INDEX track_album_id ON track (album_id)';

const ANSWERS: readonly [statement: string, explanation: RegExp, index: string | undefined][] = [
  ['SELECT * FROM track WHERE album_id = ?', ALBUM, ALBUM_INDEX],
  ['select * from track where album_id = 12', ALBUM, ALBUM_INDEX],
  [
    'SELECT * FROM track t WHERE t.album_id = ? LIMIT ? OFFSET ?',
    /^Reads all .* of track to keep/,
    ALBUM_INDEX,
  ],
  ['UPDATE track SET title = ? WHERE album_id = ?', ALBUM, ALBUM_INDEX],
  ['DELETE FROM track WHERE album_id = ?', ALBUM, ALBUM_INDEX],
  [
    'SELECT a.*, (SELECT COUNT(*) FROM track t WHERE t.album_id = a.id) AS tracks FROM album a',
    /^Reads all .* rows of track for each row of album to keep at most 1[45]\d; no index has album_id\.$/,
    ALBUM_INDEX,
  ],
  [
    'SELECT * FROM track ORDER BY made DESC LIMIT 10',
    /^Sorts all 1[45],\d{3} rows of track for the first of them; no index has made\.$/,
    'CREATE INDEX track_made ON track (made)',
  ],
  [
    'SELECT * FROM track WHERE title = ? AND album_id = ?',
    /to keep at most 1; no index has title\.$/,
    'CREATE INDEX track_title ON track (title)',
  ],
  [
    'SELECT * FROM track WHERE `group` = ?',
    /no index has `group`\.$/,
    'CREATE INDEX track_group ON track (`group`)',
  ],
  [
    'SELECT * FROM `Sale Item` WHERE orderId = ?',
    /^Reads all \d,\d{3} rows of Sale Item/,
    'CREATE INDEX sale_item_orderid ON `Sale Item` (orderId)',
  ],
  [
    'SELECT * FROM track WHERE title LIKE ?',
    /^Reads all .* rows of track; an ordinary index does not serve its pattern on title\.$/,
    undefined,
  ],
  ['SELECT * FROM track WHERE notes = ?', /no index has notes\.$/, undefined],
];

const SILENT = [
  'SELECT * FROM track WHERE id = ?',
  'SELECT * FROM track WHERE seconds = ?',
  'SELECT COUNT(*) FROM track',
  'SELECT * FROM artist WHERE name = ?', // A small table.
  'SELECT * FROM track WHERE rating = ?', // Keeps a third.
  'SELECT * FROM track WHERE made > ?', // A bound value decides it.
  'SELECT * FROM track WHERE album_id = ? OR title = ?',
  'SELECT * FROM track WHERE LOWER(title) = ?',
  'SELECT * FROM track WHERE album_id <> ?',
  'SELECT * FROM track t LEFT JOIN album a ON a.id = t.album_id',
  'INSERT INTO artist (id, name) VALUES (?, ?)',
  'SELECT * FROM track ORDER BY id DESC LIMIT 10',
  'SELECT * FROM (SELECT album_id, COUNT(*) n FROM track GROUP BY album_id) AS counted WHERE n > ?',
];

const NOT_SENT = [
  'SELECT 1; DROP TABLE track',
  'SELECT /*! SLEEP(5) */ 1',
  'SELECT * FROM track WHERE SLEEP(5) = ?',
  'SELECT * FROM track WHERE remove_all() = 1',
  "SELECT * FROM track INTO OUTFILE '/tmp/out'",
  'TRUNCATE track',
];

described('the plans of MySQL', () => {
  let pool: Pool;
  let ask: Asking;

  beforeAll(async () => {
    pool = createPool({ uri: MYSQL_URL as string, connectionLimit: 1 });
    await pool.query(`CREATE DATABASE ${DATABASE}`);
    await pool.query(`USE ${DATABASE}`);
    for (const statement of SCHEMA)
      await pool.query(statement).catch((error: unknown) => {
        // Each of the two servers has one of the settings.
        if (!statement.startsWith('SET ')) throw error;
      });
    ask = askBy((statement) => pool.query(statement), MYSQL);
  });
  afterAll(async () => {
    await pool.query(`DROP DATABASE IF EXISTS ${DATABASE}`);
    await pool.end();
  });

  it.each(ANSWERS)('says of %s', async (statement, explanation, index) => {
    const answer = await ask(statement);
    expect(answer?.explanation).toMatch(explanation);
    expect(answer?.suggestedIndex?.statement).toBe(index);
  });

  it.each(SILENT)('says nothing of %s', async (statement) => {
    expect(await ask(statement)).toBeUndefined();
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
    await pool.query(index);
    const name = /INDEX (\w+) ON (`[^`]+`|\w+)/.exec(index);
    const before = await ask(statement);
    const text = statement.replaceAll('LIMIT ? OFFSET ?', 'LIMIT 5').replaceAll('?', "'12'");
    const [rows] = await pool.query(`EXPLAIN FORMAT=JSON ${text}`);
    await pool.query(`DROP INDEX ${name?.[1]} ON ${name?.[2]}`);
    expect(before?.suggestedIndex).toBeUndefined();
    expect(JSON.stringify(rows)).toContain(`\\"key\\": \\"${name?.[1]}\\"`);
  });

  it('keeps no literal', async () => {
    const answers = [
      await ask("SELECT * FROM track WHERE title = 'secret-1' AND album_id = 4711"),
      await ask('SELECT * FROM track WHERE title = "secret-2"'),
      await ask("SELECT * FROM track WHERE title LIKE '%secret-3%'"),
    ];
    for (const answer of answers) expect(answer?.explanation).toMatch(/^Reads /);
    expect(JSON.stringify(answers)).not.toMatch(/secret|4711/);
  });

  it('explains no statement of another database', async () => {
    expect(await ask('SELECT * FROM track WHERE album_id = ?', { database: 'another' })).toBeUndefined();
    expect(await ask('SELECT * FROM track WHERE album_id = ?', { database: DATABASE })).toBeDefined();
  });
});
