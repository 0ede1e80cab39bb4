import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Pool } from 'pg';
import { Repository } from 'typeorm';
import { Book } from '../store/entities';
import { Ledger } from '../store/ledger.client';
import { Mysql } from '../store/mysql.client';
import { PostgresJs } from '../store/postgres-js.client';

/** Slow statements of several clients, or for several reasons. */
@Injectable()
export class StatementService {
  constructor(
    private readonly pool: Pool,
    private readonly postgresJs: PostgresJs,
    private readonly mysql: Mysql,
    private readonly ledger: Ledger,
    @InjectRepository(Book) private readonly books: Repository<Book>,
  ) {}

  recorded(): Promise<void> {
    return this.ledger.query('SELECT sum(amount) FROM posting', 180);
  }

  /** The engine reports each of its queries when it is over. */
  async recordedTwice(): Promise<void> {
    await this.ledger.query('SELECT count(*) FROM posting', 70);
    await this.ledger.query('INSERT INTO posting (amount) VALUES (5)', 90);
  }

  async byPostgresJs(): Promise<unknown> {
    return await this.postgresJs.sql`SELECT max(stars), pg_sleep(0.18) FROM review`; // call site: postgres-js
  }

  async byMysql(): Promise<unknown> {
    return await this.mysql.pool.query('UPDATE stock SET amount = 0 WHERE SLEEP(0.18) = 0'); // call site: mysql
  }

  async byBuilder(): Promise<unknown> {
    const query = this.books.createQueryBuilder('book').select('avg(book.price)', 'price');
    return await query.addSelect('pg_sleep(0.18)').getRawOne(); // call site: builder
  }

  /** Another connection has the lock. */
  async withAdvisoryLock(): Promise<unknown> {
    const client = await this.pool.connect();
    try {
      await client.query('SELECT pg_advisory_lock($1)', [815]); // call site: advisory-lock
      return (await client.query('SELECT pg_advisory_unlock($1)', [815])).rows;
    } finally {
      client.release();
    }
  }

  /** The server cancels it, and the report has no such part. */
  async cancelled(): Promise<unknown> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SET LOCAL statement_timeout = 150');
      return (await client.query('SELECT min(stars), pg_sleep(2) FROM review')).rows; // call site: cancelled
    } catch {
      return 'not available';
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  }

  async sideBySide(): Promise<unknown> {
    const texts = ['SELECT count(*), pg_sleep(0.15) FROM book', 'SELECT max(id), pg_sleep(0.12) FROM author'];
    return await Promise.all(texts.map((text) => this.pool.query(text)));
  }
}
