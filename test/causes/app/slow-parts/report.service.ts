import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Pool } from 'pg';
import { Repository } from 'typeorm';
import { Book } from '../store/entities';

@Injectable()
export class ReportService {
  constructor(
    private readonly pool: Pool,
    @InjectRepository(Book) private readonly books: Repository<Book>,
  ) {}

  async slept(): Promise<unknown> {
    const { rows } = await this.pool.query('SELECT count(*), pg_sleep(0.2) FROM book'); // call site: database-sleep
    return rows;
  }

  /** A join that compares many rows with many others. */
  async ranked(): Promise<unknown> {
    // call site: database-work
    const { rows } = await this.pool.query(
      `SELECT a.price, count(*) FROM book a JOIN book b ON a.price = b.price AND md5(a.title || b.title) LIKE 'a%'
       WHERE a.id <= $1 GROUP BY a.price`,
      [2500],
    );
    return rows;
  }

  /** Three fast queries and a slow one. */
  async slowAmongQuick(): Promise<unknown> {
    const book = await this.books.findOneByOrFail({ id: 7 });
    const { rows } = await this.pool.query('SELECT amount FROM stock WHERE book_id = $1', [book.id]);
    const slow = await this.books.query('SELECT pg_sleep(0.15), avg(stars) FROM review'); // call site: database-among-others
    await this.pool.query('SELECT value FROM setting WHERE name = $1', ['currency']);
    return [book, rows, slow];
  }

  /** Another connection has locked the row. */
  async locked(): Promise<unknown> {
    const text = 'UPDATE stock SET amount = amount - 1 WHERE book_id = $1';
    return (await this.pool.query(text, [4711])).rowCount; // call site: database-lock
  }
}
