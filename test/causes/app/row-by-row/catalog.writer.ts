import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

@Injectable()
export class CatalogWriter {
  constructor(private readonly pool: Pool) {}

  async restock(bookIds: number[]): Promise<void> {
    for (const id of bookIds) {
      await this.pool.query('UPDATE stock SET amount = amount + 1 WHERE book_id = $1', [id]); // call site: update-loop
    }
  }

  async erase(auditIds: number[]): Promise<void> {
    for (const id of auditIds) {
      await this.pool.query('DELETE FROM audit WHERE id = $1', [id]); // call site: delete-loop
    }
  }

  async putSettings(names: string[]): Promise<void> {
    const text = 'INSERT INTO setting VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2';
    for (const name of names) {
      await this.pool.query(text, [name, 'on']); // call site: upsert-loop
    }
  }

  /** In one transaction, but row by row. */
  async sell(bookIds: number[]): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      for (const id of bookIds) {
        await client.query('UPDATE stock SET amount = amount - 1 WHERE book_id = $1', [id]); // call site: raw-transaction
      }
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }
}
