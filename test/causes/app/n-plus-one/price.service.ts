import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

@Injectable()
export class PriceService {
  constructor(private readonly pool: Pool) {}

  /** The id is a literal, so that all texts differ. */
  async priceOf(id: number): Promise<number> {
    const { rows } = await this.pool.query(`SELECT price FROM book WHERE id = ${id}`); // call site: literals
    return rows[0].price;
  }
}
