import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Module, Post } from '@nestjs/common';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { Stock } from '../store/entities';
import { Mysql } from '../store/mysql.client';
import { ask } from '../store/upstream';

/** Requests that need more connections than the pool has. */
@Controller('pool')
class PoolController {
  constructor(
    private readonly pool: Pool,
    private readonly database: DataSource,
    private readonly mysql: Mysql,
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

  /** Waits within its transaction. */
  @Post('transactions')
  async transactions(): Promise<void> {
    await this.database.transaction(async (manager) => {
      await manager.countBy(Stock, { bookId: 4 });
      await sleep(50);
    });
  }

  @Post('mysql')
  async mysqlPool(): Promise<string> {
    await this.mysql.pool.query('UPDATE stock SET amount = 0 WHERE SLEEP(0.05) = 0');
    return 'updated';
  }

  @Get('kept-by-another')
  keptByAnother(): Promise<unknown> {
    return this.raw();
  }

  /** One request takes all connections. */
  @Post('export')
  async export(): Promise<number> {
    const texts = Array.from({ length: 5 }, () => 'SELECT count(*), pg_sleep(0.25) FROM book');
    return (await Promise.all(texts.map((text) => this.pool.query(text)))).length;
  }
}

@Module({ controllers: [PoolController] })
export class PoolModule {}
