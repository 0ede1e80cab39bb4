import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

@Injectable()
export class CategoryTree {
  constructor(private readonly pool: Pool) {}

  /** Counts all categories below one: a query for each. */
  async below(id: number): Promise<number> {
    const { rows } = await this.pool.query('SELECT id FROM category WHERE parent_id = $1', [id]); // call site: recursion
    let count = rows.length;
    for (const row of rows) count += await this.below(row.id);
    return count;
  }
}
