import { Client } from 'pg';

const STATEMENTS = [
  'CREATE TABLE author (id int PRIMARY KEY, name text NOT NULL)',
  'CREATE TABLE book (id int PRIMARY KEY, title text NOT NULL, price int NOT NULL, author_id int REFERENCES author)',
  'CREATE INDEX ON book (author_id)',
  'CREATE TABLE review (id int PRIMARY KEY, book_id int REFERENCES book, stars int NOT NULL)',
  'CREATE INDEX ON review (book_id)',
  'CREATE TABLE stock (book_id int PRIMARY KEY, amount int NOT NULL)',
  'CREATE TABLE setting (name text PRIMARY KEY, value text NOT NULL)',
  'CREATE TABLE audit (id serial PRIMARY KEY, note text NOT NULL)',
  'CREATE TABLE category (id int PRIMARY KEY, parent_id int)',
  'CREATE INDEX ON category (parent_id)',
  'CREATE TABLE ticket (number int PRIMARY KEY)',
  `INSERT INTO author SELECT n, 'Author ' || n FROM generate_series(1, 500) n`,
  `INSERT INTO book SELECT n, 'Book ' || md5(n::text), 5 + n % 40, 1 + n % 500 FROM generate_series(1, 5000) n`,
  'INSERT INTO review SELECT n, 1 + n % 5000, 1 + n % 5 FROM generate_series(1, 20000) n',
  'INSERT INTO stock SELECT n, 100 FROM generate_series(1, 5000) n',
  'INSERT INTO category SELECT n, nullif((n + 1) / 3, 0) FROM generate_series(1, 60) n',
  'INSERT INTO ticket SELECT generate_series(1, 6)',
  `INSERT INTO setting VALUES ('currency', 'EUR'), ('tax', '19'), ('country', 'DE')`,
  'ANALYZE',
];

/** Creates reproducible rows in Postgres. */
export async function seed(connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  for (const statement of STATEMENTS) await client.query(statement);
  await client.end();
}
