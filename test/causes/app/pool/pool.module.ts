import { Controller, Get, Module, Post } from '@nestjs/common';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { ask } from '../store/upstream';

/** Requests that need more connections than the pool has. */
@Controller('pool')
class PoolController {
  constructor(
    private readonly pool: Pool,
    private readonly database: DataSource,
  ) {}

  @Get('raw')
  async raw(): Promise<unknown> {
    return (await this.pool.query('SELECT amount FROM stock WHERE book_id = $1', [1])).rows;
  }

  @Get('typeorm')
  typeorm(): Promise<unknown> {
    return this.database.query('SELECT amount FROM stock WHERE book_id = $1', [2]);
  }

  /** Twenty parallel queries, each of which takes a connection for 50 ms. */
  @Get('burst')
  async burst(): Promise<unknown> {
    return (await this.pool.query('SELECT count(*), pg_sleep(0.05) FROM setting')).rows;
  }

  /** Keeps its connection during an outgoing call. */
  @Post('kept')
  async kept(): Promise<unknown> {
    const client = await this.pool.connect();
    try {
      await client.query('SELECT amount FROM stock WHERE book_id = $1', [3]);
      return await ask('/rates?delay=50');
    } finally {
      client.release();
    }
  }
}

@Module({ controllers: [PoolController] })
export class PoolModule {}
