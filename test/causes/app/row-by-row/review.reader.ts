import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

@Injectable()
export class ReviewReader {
  constructor(private readonly pool: Pool) {}

  /** A loop within a loop. */
  async starsByAuthor(authorIds: number[]): Promise<unknown[]> {
    const stars: unknown[] = [];
    for (const authorId of authorIds) {
      const books = await this.pool.query('SELECT id FROM book WHERE author_id = $1', [authorId]);
      for (const { id } of books.rows) {
        const { rows } = await this.pool.query('SELECT avg(stars) FROM review WHERE book_id = $1', [id]); // call site: nested-loops
        stars.push(rows[0].avg);
      }
    }
    return stars;
  }

  starsAtOnce(bookIds: number[]): Promise<unknown[]> {
    return Promise.all(
      bookIds.map(async (id) => {
        // call site: pool-map
        const { rows } = await this.pool.query('SELECT max(stars) FROM review WHERE book_id = $1', [id]);
        return rows[0].max;
      }),
    );
  }

  async reviewed(bookIds: number[]): Promise<number> {
    let count = 0;
    for (const id of bookIds) {
      const text = 'SELECT EXISTS (SELECT FROM review WHERE book_id = $1 AND stars = 5)';
      const { rows } = await this.pool.query(text, [id]); // call site: exists-loop
      if (rows[0].exists) count++;
    }
    return count;
  }

  /** Reads each book when it is asked for. */
  async *lines(bookIds: number[]): AsyncGenerator<string> {
    for (const id of bookIds) {
      const { rows } = await this.pool.query('SELECT title, price FROM book WHERE id = $1', [id]); // call site: generator
      yield `${rows[0].title},${rows[0].price}`;
    }
  }

  /** A list of one. */
  async authorOf(bookId: number): Promise<number> {
    const { rows } = await this.pool.query('SELECT author_id FROM book WHERE id IN ($1)', [bookId]); // call site: in-list-of-one
    return rows[0].author_id;
  }
}
