import { randomInt } from 'node:crypto';
import { Controller, Post } from '@nestjs/common';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { Stock } from '../store/entities';
import { numbers } from '../store/numbers';
import { PostgresJs } from '../store/postgres-js.client';

/** Many rows, written with few statements, or few rows with several. */
@Controller('controls')
export class WritesController {
  constructor(
    private readonly pool: Pool,
    private readonly database: DataSource,
    private readonly postgresJs: PostgresJs,
  ) {}

  @Post('unnest')
  async unnest(): Promise<number | null> {
    const notes = numbers(500).map((n) => `note ${n}`);
    return (await this.pool.query('INSERT INTO audit (note) SELECT unnest($1::text[])', [notes])).rowCount;
  }

  @Post('insert-select')
  async insertSelect(): Promise<number | null> {
    const text = 'INSERT INTO audit (note) SELECT title FROM book WHERE price > $1';
    return (await this.pool.query(text, [30])).rowCount;
  }

  @Post('update-from')
  async updateFrom(): Promise<number | null> {
    const text = `UPDATE stock SET amount = sold.amount FROM unnest($1::int[], $2::int[]) AS sold (id, amount)
      WHERE stock.book_id = sold.id`;
    return (await this.pool.query(text, [numbers(300), numbers(300)])).rowCount;
  }

  @Post('delete-any')
  async deleteAny(): Promise<number | null> {
    return (await this.pool.query('DELETE FROM audit WHERE id = ANY($1)', [numbers(300)])).rowCount;
  }

  /** postgres.js turns a list of objects into one statement. */
  @Post('insert-helper')
  async insertHelper(): Promise<number> {
    const { sql } = this.postgresJs;
    const notes = numbers(200).map((n) => ({ note: `helped ${n}` }));
    return (await sql`INSERT INTO audit ${sql(notes, 'note')}`).count;
  }

  /** The ORM writes all of them at once. */
  @Post('save-many')
  async saveMany(): Promise<void> {
    const rows = numbers(100).map((bookId) => ({ bookId, amount: 100 }));
    await this.database.getRepository(Stock).upsert(rows, ['bookId']);
  }

  /** A large import in chunks. */
  @Post('insert-chunks')
  async insertChunks(): Promise<number> {
    let count = 0;
    for (const chunk of numbers(8)) {
      const values = numbers(50).map((n) => `($${n})`);
      const notes = numbers(50).map((n) => `chunk ${chunk}, ${n}`);
      const { rowCount } = await this.pool.query(
        `INSERT INTO audit (note) VALUES ${values.join(', ')}`,
        notes,
      );
      count += rowCount ?? 0;
    }
    return count;
  }

  /** Tries the next number until one is free. */
  @Post('conflicts')
  async conflicts(): Promise<number | undefined> {
    for (const number of [...numbers(6), randomInt(7, 2 ** 31)]) {
      try {
        await this.pool.query('INSERT INTO ticket VALUES ($1)', [number]);
        return number;
      } catch (error) {
        if ((error as { code?: string }).code !== '23505') throw error;
      }
    }
    return undefined;
  }

  @Post('savepoints')
  async savepoints(): Promise<void> {
    await this.database.transaction(async (manager) => {
      for (const bookId of numbers(4)) {
        await manager.transaction((inner) => inner.increment(Stock, { bookId }, 'amount', 1));
      }
    });
  }

  /** Continues after the response. */
  @Post('after-response')
  afterResponse(): string {
    setTimeout(async () => {
      for (const n of numbers(60)) {
        await this.pool.query('INSERT INTO audit (note) VALUES ($1)', [`later ${n}`]);
      }
    }, 20);
    return 'accepted';
  }
}
