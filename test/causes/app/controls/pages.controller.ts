import { Controller, Get } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import DataLoader from 'dataloader';
import { Pool } from 'pg';
import { Repository } from 'typeorm';
import { Book } from '../store/entities';
import { numbers } from '../store/numbers';
import { ask } from '../store/upstream';

/** Lists that are read in parts. */
@Controller('controls')
export class PagesController {
  constructor(
    private readonly pool: Pool,
    @InjectRepository(Book) private readonly books: Repository<Book>,
  ) {}

  /** Each response contains the cursor of the next page. */
  @Get('cursor-pages')
  async cursorPages(): Promise<number> {
    let page = await ask('/books?rows=50&delay=10');
    for (let left = 7; left > 0; left--) page = await ask(`/books?rows=50&delay=10&cursor=${page.next}`);
    return page.id;
  }

  @Get('parallel-pages')
  async parallelPages(): Promise<number> {
    const pages = await Promise.all(numbers(6).map((page) => ask(`/books?rows=50&delay=70&page=${page}`)));
    return pages.length;
  }

  /** A list, its length and its facets. */
  @Get('listing')
  async listing(): Promise<unknown> {
    const [[books, count], prices, authors] = await Promise.all([
      this.books.findAndCount({ take: 20, skip: 40, order: { id: 'ASC' } }),
      this.pool.query('SELECT price, count(*) FROM book GROUP BY price'),
      this.pool.query('SELECT author_id, count(*) FROM book GROUP BY author_id LIMIT 10'),
    ]);
    return [books.length, count, prices.rows.length, authors.rows.length];
  }

  /** The loader of a level waits for all keys of the level above. */
  @Get('two-loaders')
  async twoLoaders(): Promise<number> {
    const authors = new DataLoader<number, number>((ids) =>
      this.column('SELECT id, author_id AS value FROM book WHERE id = ANY($1)', ids),
    );
    const names = new DataLoader<number, string>((ids) =>
      this.column('SELECT id, name AS value FROM author WHERE id = ANY($1)', ids),
    );
    const all = numbers(60).map(async (id) => names.load(await authors.load(id)));
    return new Set(await Promise.all(all)).size;
  }

  /** A whole tree with one statement. */
  @Get('tree')
  async tree(): Promise<number> {
    const text = `WITH RECURSIVE below AS (SELECT id FROM category WHERE parent_id = $1
      UNION ALL SELECT category.id FROM category JOIN below ON category.parent_id = below.id) SELECT id FROM below`;
    return (await this.pool.query(text, [1])).rows.length;
  }

  /** One query for each level, however many rows it has. */
  @Get('levels')
  async levels(): Promise<number> {
    let [ids, count] = [[1], 0];
    while (ids.length > 0) {
      const { rows } = await this.pool.query('SELECT id FROM category WHERE parent_id = ANY($1)', [ids]);
      count += rows.length;
      ids = rows.map(({ id }) => id as number);
    }
    return count;
  }

  private async column<T>(text: string, ids: readonly number[]): Promise<T[]> {
    const { rows } = await this.pool.query(text, [ids]);
    const values = new Map(rows.map(({ id, value }) => [id as number, value as T]));
    return ids.map((id) => values.get(id) as T);
  }
}
