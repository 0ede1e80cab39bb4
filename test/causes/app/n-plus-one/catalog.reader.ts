import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Pool } from 'pg';
import { Repository } from 'typeorm';
import { Author, Book } from '../store/entities';
import { NearPool } from '../store/store.module';

@Injectable()
export class CatalogReader {
  constructor(
    private readonly pool: Pool,
    private readonly near: NearPool,
    @InjectRepository(Book) private readonly books: Repository<Book>,
    @InjectRepository(Author) private readonly authors: Repository<Author>,
  ) {}

  /** A lazy relation that is read for each book. */
  async withReviews(count: number): Promise<{ title: string; reviews: number }[]> {
    const books = await this.books.find({ take: count, order: { id: 'ASC' } });
    const result: { title: string; reviews: number }[] = [];
    for (const book of books) {
      const reviews = await book.reviews; // call site: orm-lazy
      result.push({ title: book.title, reviews: reviews.length });
    }
    return result;
  }

  async titlesOf(ids: number[]): Promise<string[]> {
    const titles: string[] = [];
    for (const id of ids) {
      const { rows } = await this.pool.query('SELECT title FROM book WHERE id = $1', [id]); // call site: raw-loop
      titles.push(rows[0].title);
    }
    return titles;
  }

  /** A database without network latency: many fast queries. */
  async nearTitlesOf(ids: number[]): Promise<string[]> {
    const titles: string[] = [];
    for (const id of ids) {
      const { rows } = await this.near.query('SELECT title FROM book WHERE id = $1', [id]); // call site: near-loop
      titles.push(rows[0].title);
    }
    return titles;
  }

  /** All in parallel, limited by the pool. */
  findAll(ids: number[]): Promise<(Author | null)[]> {
    return Promise.all(ids.map((id) => this.findOne(id)));
  }

  /** Two alternating statements. */
  async cards(ids: number[]): Promise<unknown[]> {
    const cards: unknown[] = [];
    for (const id of ids) {
      const book = await this.pool.query('SELECT title, author_id FROM book WHERE id = $1', [id]); // call site: interleaved
      const stars = await this.pool.query('SELECT avg(stars) FROM review WHERE book_id = $1', [id]); // call site: interleaved
      cards.push({ ...book.rows[0], ...stars.rows[0] });
    }
    return cards;
  }

  private async findOne(id: number): Promise<Author | null> {
    return await this.authors.findOneBy({ id }); // call site: parallel
  }
}
