import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

@Injectable()
export class SettingsService {
  constructor(private readonly pool: Pool) {}

  /** Reads the same setting repeatedly, without a cache. */
  async get(name: string): Promise<string> {
    const { rows } = await this.pool.query('SELECT value FROM setting WHERE name = $1', [name]); // call site: duplicates
    return rows[0].value;
  }
}
