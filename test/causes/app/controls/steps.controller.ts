import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Post } from '@nestjs/common';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';

/** Several statements, all of which are necessary. */
@Controller('controls')
export class StepsController {
  constructor(
    private readonly pool: Pool,
    private readonly database: DataSource,
  ) {}

  @Post('transaction')
  async transaction(): Promise<void> {
    await this.database.transaction(async (manager) => {
      await manager.query('SELECT amount FROM stock WHERE book_id = $1 FOR UPDATE', [12]);
      await manager.query('UPDATE stock SET amount = amount - 1 WHERE book_id = $1', [12]);
      await manager.query('INSERT INTO audit (note) VALUES ($1)', ['sold 12']);
      await manager.query('SELECT sum(amount) FROM stock');
    });
  }

  /** Polls for a change. */
  @Get('polling')
  async polling(): Promise<unknown> {
    for (let attempt = 0; attempt < 8; attempt++) {
      await this.pool.query('SELECT count(*) FROM audit WHERE note = $1', ['done']);
      await sleep(20);
    }
    return 'not yet';
  }

  @Get('health')
  async health(): Promise<string> {
    for (let ping = 0; ping < 5; ping++) await this.pool.query('SELECT 1');
    return 'up';
  }

  /** Each depends on the result of the one before. */
  @Get('waterfall')
  async waterfall(): Promise<unknown> {
    const [book] = (
      await this.pool.query('SELECT author_id, pg_sleep(0.04) FROM book WHERE title = $1', [
        'Book 1679091c5a880faf6fb5e6087eb1b2dc',
      ])
    ).rows;
    const author = await this.pool.query('SELECT name, pg_sleep(0.04) FROM author WHERE id = $1', [
      book.author_id,
    ]);
    const text = 'SELECT count(*), pg_sleep(0.04) FROM audit WHERE note = $1';
    return (await this.pool.query(text, [author.rows[0].name])).rows;
  }

  /** Light work beside heavy work. */
  @Get('light')
  async light(): Promise<unknown> {
    return (await this.pool.query('SELECT amount FROM stock WHERE book_id = $1', [9])).rows;
  }

  /** Much work in short slices. */
  @Get('neighbour')
  async neighbour(): Promise<number> {
    let sum = 0;
    for (let slice = 0; slice < 20; slice++) {
      for (let n = 0; n < 200_000; n++) sum += Math.sqrt(n * slice);
      await setImmediate();
    }
    return sum;
  }
}
