import { Controller, Get, Post, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import DataLoader from 'dataloader';
import { Pool } from 'pg';
import { Repository } from 'typeorm';
import { Book } from '../store/entities';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

/** Many rows with few statements. */
@Controller('controls')
export class BatchesController {
  constructor(
    private readonly pool: Pool,
    @InjectRepository(Book) private readonly books: Repository<Book>,
  ) {}

  @Get('in-list')
  async inList(): Promise<number> {
    const places = numbers(200).map((n) => `$${n}`);
    const text = `SELECT id, title FROM book WHERE id IN (${places.join(', ')})`;
    return (await this.pool.query(text, numbers(200))).rows.length;
  }

  @Post('batch-insert')
  async batchInsert(): Promise<number | null> {
    const values = numbers(200).map((n) => `($${n})`);
    const notes = numbers(200).map((n) => `batch ${n}`);
    return (await this.pool.query(`INSERT INTO audit (note) VALUES ${values.join(', ')}`, notes)).rowCount;
  }

  @Get('dataloader')
  async batched(): Promise<number> {
    const loader = new DataLoader<number, string>((ids) => this.titlesOf(ids));
    return (await Promise.all(numbers(100).map((id) => loader.load(id)))).length;
  }

  @Get('joined')
  async joined(): Promise<number> {
    return (await this.books.find({ relations: { author: true }, take: 60, order: { id: 'ASC' } })).length;
  }

  /** A long list in chunks, because drivers limit the number of parameters. */
  @Get('chunks')
  async chunks(): Promise<number> {
    let found = 0;
    for (let from = 0; from < 1000; from += 200) {
      const ids = numbers(200).map((n) => from + n);
      const { rows } = await this.pool.query('SELECT id, title FROM book WHERE id = ANY($1)', [ids]);
      found += rows.length;
    }
    return found;
  }

  /** Each page starts at the end of the one before. */
  @Get('keyset')
  async keyset(): Promise<number> {
    let [last, count] = [0, 0];
    for (;;) {
      const text = 'SELECT id, title, price FROM book WHERE id > $1 ORDER BY id LIMIT 700';
      const { rows } = await this.pool.query(text, [last]);
      count += rows.length;
      if (rows.length < 700) return count;
      last = rows.at(-1).id;
    }
  }

  /** One of many requests, each for a different page. */
  @Get('page')
  async page(@Query('page') page: string): Promise<unknown> {
    const text = 'SELECT id, title FROM book ORDER BY id LIMIT 20 OFFSET $1';
    return (await this.pool.query(text, [20 * Number(page)])).rows;
  }

  @Get('a-few')
  async aFew(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const id of numbers(3)) found.push(await this.books.findOneBy({ id }));
    return found;
  }

  private async titlesOf(ids: readonly number[]): Promise<string[]> {
    const { rows } = await this.pool.query('SELECT id, title FROM book WHERE id = ANY($1)', [ids]);
    const titles = new Map(rows.map(({ id, title }) => [id as number, title as string]));
    return ids.map((id) => titles.get(id) ?? '');
  }
}
