import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { Pricing } from '../store/pricing.client';
import { ask } from '../store/upstream';

/** None of these depends on another's result. */
@Injectable()
export class DashboardService {
  constructor(
    private readonly pool: Pool,
    private readonly pricing: Pricing,
  ) {}

  async fromServices(): Promise<unknown> {
    const weather = await ask('/weather?delay=50');
    const news = await ask('/news?delay=50');
    const offers = await ask('/offers?delay=50');
    const basket = await ask('/basket?delay=50');
    return { weather, news, offers, basket };
  }

  async fromDatabase(): Promise<unknown> {
    const books = await this.pool.query('SELECT count(*), pg_sleep(0.05) FROM book');
    const authors = await this.pool.query('SELECT count(*), pg_sleep(0.05) FROM author');
    const reviews = await this.pool.query('SELECT avg(stars), pg_sleep(0.05) FROM review');
    const stock = await this.pool.query('SELECT sum(amount), pg_sleep(0.05) FROM stock');
    return [books, authors, reviews, stock].map(({ rows }) => rows[0]);
  }

  async fromEverywhere(): Promise<unknown> {
    const news = await ask('/news?delay=60');
    const quote = await this.pricing.quote({ id: 2, delayMs: 60 });
    const { rows } = await this.pool.query('SELECT count(*), pg_sleep(0.06) FROM review');
    const offers = await ask('/offers?delay=60');
    return { news, quote, rows, offers };
  }
}
