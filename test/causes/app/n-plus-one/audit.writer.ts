import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

@Injectable()
export class AuditWriter {
  constructor(private readonly pool: Pool) {}

  async writeAll(numbers: number[]): Promise<void> {
    for (const number of numbers) {
      await this.pool.query('INSERT INTO audit (note) VALUES ($1)', [`order ${number}`]); // call site: insert-loop
    }
  }
}
