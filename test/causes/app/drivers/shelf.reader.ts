import { Injectable } from '@nestjs/common';
import { PostgresJs } from '../store/postgres-js.client';

/** Queries of postgres.js. */
@Injectable()
export class ShelfReader {
  constructor(private readonly database: PostgresJs) {}

  async titlesOf(ids: number[]): Promise<string[]> {
    const { sql } = this.database;
    const titles: string[] = [];
    for (const id of ids) {
      const [book] = await sql`SELECT title FROM book WHERE id = ${id}`; // call site: postgres-js-loop
      titles.push(book?.['title']);
    }
    return titles;
  }

  pricesOf(ids: number[]): Promise<number[]> {
    return Promise.all(ids.map((id) => this.priceOf(id)));
  }

  async discount(ids: number[]): Promise<void> {
    await this.database.sql.begin(async (sql) => {
      for (const id of ids) {
        await sql`UPDATE stock SET amount = amount - 1 WHERE book_id = ${id}`; // call site: postgres-js-transaction
      }
    });
  }

  private async priceOf(id: number): Promise<number> {
    // call site: postgres-js-parallel
    const [book] = await this.database.sql`SELECT price, pg_sleep(0.01) FROM book WHERE id = ${id}`;
    return book?.['price'];
  }
}
