// Statements of which the right answer is known, explained by a real SQLite: the one in Node, or the program sqlite3.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SQLITE } from '../../lib/spans/statement-dialect.js';
import { type Asking, askBy } from './ask.js';

interface Sqlite {
  all(statement: string): unknown[];
  close(): void;
}

/** The SQLite of Node from version 22.13 on. */
function ofNode(): Sqlite | undefined {
  try {
    const { DatabaseSync } = createRequire(__filename)('node:sqlite');
    const database = new DatabaseSync(':memory:');
    return { all: (statement) => database.prepare(statement).all(), close: () => database.close() };
  } catch {
    return undefined;
  }
}

/** The program, whose shell draws plans as trees: as a subquery they are rows. */
function ofProgram(): Sqlite | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'plans-'));
  const file = join(folder, 'store.db');
  const run = (statement: string): string =>
    execFileSync('sqlite3', ['-json', file], { input: `${statement};`, encoding: 'utf8' });
  try {
    run('SELECT 1');
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return {
    all: (statement) => {
      const output = run(statement).trim();
      if (!output.startsWith('QUERY PLAN')) return output === '' ? [] : JSON.parse(output);
      const lines = output.split('\n').slice(1);
      return lines.map((line) => ({ detail: line.replace(/^[ |`-]+/, '') }));
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

const sqlite = ofNode() ?? ofProgram();
if (sqlite === undefined)
  process.stderr.write(
    'skipped: plans of SQLite, which this Node does not have; nor is the program sqlite3 there\n',
  );
const described = sqlite === undefined ? describe.skip : describe;

const numbers = (count: number): string =>
  `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${count})`;
const SCHEMA = [
  'CREATE TABLE artist (id INTEGER PRIMARY KEY, name TEXT NOT NULL)',
  'CREATE TABLE album (id INTEGER PRIMARY KEY, title TEXT NOT NULL, artist_id INTEGER)',
  'CREATE TABLE track (id INTEGER PRIMARY KEY, title TEXT NOT NULL, seconds INTEGER, album_id INTEGER, rating TEXT, made INTEGER)',
  'CREATE INDEX track_seconds ON track (seconds)',
  `${numbers(300)} INSERT INTO artist SELECT n, 'Artist ' || n FROM n`,
  `${numbers(1500)} INSERT INTO album SELECT n, 'Album ' || n, n % 300 FROM n`,
  `${numbers(15_000)} INSERT INTO track SELECT n, 'Track ' || n, 90 + (n * 6133) % 300, 1 + (n - 1) / 10, char(97 + n % 3), n FROM n`,
];

const ALBUM = 'Reads all 15,000 rows of track to keep at most 150; no index has album_id.';
const ALBUM_INDEX = 'CREATE INDEX track_album_id ON track (album_id)';
const ANSWERS: readonly [statement: string, explanation: string, index: string | undefined][] = [
  ['SELECT * FROM track WHERE album_id = ?', ALBUM, ALBUM_INDEX],
  ['select "track"."id" from "track" where "track"."album_id" = ?', ALBUM, ALBUM_INDEX],
  ['UPDATE track SET title = ? WHERE album_id = ?', ALBUM, ALBUM_INDEX],
  ['DELETE FROM track WHERE album_id = :album', ALBUM, ALBUM_INDEX],
  [
    'SELECT * FROM track WHERE lower(title) = ?',
    'Reads all 15,000 rows of track to keep at most 15; no index has lower(title).',
    'CREATE INDEX track_lower_title ON track (lower(title))',
  ],
  [
    'SELECT * FROM track ORDER BY made DESC LIMIT 10',
    'Sorts all 15,000 rows of track for the first of them; no index has made.',
    'CREATE INDEX track_made ON track (made)',
  ],
  [
    'SELECT * FROM album a JOIN track t ON t.title = a.title WHERE a.id < ?',
    'Reads all 15,000 rows of track for each row of another table to keep at most 15; no index has title.',
    'CREATE INDEX track_title ON track (title)',
  ],
  [
    "SELECT * FROM track WHERE title LIKE '%secret%'",
    'Reads all 15,000 rows of track; an ordinary index does not serve its pattern on title.',
    undefined,
  ],
];
const SILENT = [
  'SELECT * FROM track WHERE id = ?',
  'SELECT * FROM track WHERE seconds = ?',
  'SELECT count(*) FROM track',
  'SELECT * FROM artist WHERE name = ?',
  'SELECT * FROM track WHERE rating = ?',
  'SELECT * FROM track WHERE made > ?',
  'SELECT * FROM track WHERE album_id = ? OR title = ?',
  'SELECT * FROM track WHERE album_id <> ?',
  'SELECT title FROM track ORDER BY title',
  'SELECT * FROM track t LEFT JOIN album a ON a.id = t.album_id',
  'INSERT INTO artist (id, name) VALUES (?, ?)',
];

described('the plans of SQLite', () => {
  const { all, close } = sqlite as Sqlite;
  let ask: Asking;

  beforeAll(() => {
    for (const statement of SCHEMA) all(statement);
    ask = askBy(all, SQLITE);
  });
  afterAll(close);

  it.each(ANSWERS)('says of %s', async (statement, explanation, index) => {
    const answer = await ask(statement);
    expect(answer?.explanation).toBe(explanation);
    expect(answer?.suggestedIndex?.statement).toBe(index);
    expect(JSON.stringify(answer)).not.toContain('secret');
  });

  it.each(SILENT)('says nothing of %s', async (statement) => {
    expect(await ask(statement)).toBeUndefined();
  });

  const indexes = new Map(
    ANSWERS.flatMap(([statement, , index]) => (index === undefined ? [] : [[index, statement]])),
  );

  it.each([...indexes])('is right about the planner, which then uses %s', async (index, statement) => {
    const name = index.split(' ')[2] as string;
    all(index);
    const after = await ask(statement);
    const plan = JSON.stringify(all(`EXPLAIN QUERY PLAN ${statement}`));
    all(`DROP INDEX ${name}`);
    expect(after).toBeUndefined();
    expect(plan).toMatch(new RegExp(`USING (?:COVERING )?INDEX ${name}\\b`));
  });
});
