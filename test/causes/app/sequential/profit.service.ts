import { get } from 'node:http';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Pool } from 'pg';
import { Repository } from 'typeorm';
import { Author, Book, Review } from '../store/entities';
import { PostgresJs } from '../store/postgres-js.client';
import { ask } from '../store/upstream';

/** None of these depends on another's result. */
@Injectable()
export class ProfitService {
  constructor(
    private readonly pool: Pool,
    private readonly postgresJs: PostgresJs,
    @InjectRepository(Book) private readonly books: Repository<Book>,
    @InjectRepository(Author) private readonly authors: Repository<Author>,
    @InjectRepository(Review) private readonly reviews: Repository<Review>,
  ) {}

  async byRequests(): Promise<unknown> {
    const sales = await statusOf('/sales?delay=50');
    const costs = await statusOf('/costs?delay=50');
    const taxes = await statusOf('/taxes?delay=50');
    return { sales, costs, taxes };
  }

  async byPostgresJs(): Promise<unknown> {
    const { sql } = this.postgresJs;
    const [books] = await sql`SELECT count(*), pg_sleep(0.05) FROM book`;
    const [authors] = await sql`SELECT count(*), pg_sleep(0.05) FROM author`;
    const [stock] = await sql`SELECT sum(amount), pg_sleep(0.05) FROM stock`;
    return { books, authors, stock };
  }

  async byRepositories(): Promise<unknown> {
    const pause = 'pg_sleep(0.05)';
    const books = await this.books.createQueryBuilder('book').select(pause).limit(1).getRawOne();
    const authors = await this.authors.createQueryBuilder('author').select(pause).limit(1).getRawOne();
    const reviews = await this.reviews.createQueryBuilder('review').select(pause).limit(1).getRawOne();
    return { books, authors, reviews };
  }

  /** Each in a method of its own. */
  async byParts(): Promise<unknown> {
    return { rates: await this.rates(), weather: await this.weather(), sales: await this.sales() };
  }

  private async sales(): Promise<unknown> {
    return (await this.pool.query('SELECT avg(stars), pg_sleep(0.05) FROM review')).rows;
  }

  private async rates(): Promise<unknown> {
    return await ask('/rates?delay=50');
  }

  private async weather(): Promise<unknown> {
    return await ask('/weather?delay=50');
  }
}

function statusOf(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${process.env['UPSTREAM_URL']}${path}`, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });
}
