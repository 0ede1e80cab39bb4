import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { Book } from '../store/entities';
import { NearPool } from '../store/store.module';
import { ask } from '../store/upstream';
import { distance, rate, show } from './offer.mapper';

/** Rows that are read quickly and mapped slowly. */
@Injectable()
export class OfferReader {
  constructor(
    private readonly near: NearPool,
    @InjectRepository(Book) private readonly books: Repository<Book>,
  ) {}

  rated(ids: number[]): Promise<number[]> {
    return Promise.all(ids.map(async (id) => rate(await this.titleOf(id))));
  }

  compared(ids: number[]): Promise<number[]> {
    return Promise.all(ids.map(async (id) => distance(await this.titleOf(id))));
  }

  async ratedInTurn(ids: number[]): Promise<number[]> {
    const rates: number[] = [];
    for (const id of ids) rates.push(rate(await this.titleOf(id)));
    return rates;
  }

  async shown(): Promise<string[]> {
    const { rows } = await this.near.query('SELECT id, title, price FROM book ORDER BY id');
    return rows.map(show);
  }

  /** The ORM creates an object for each row. */
  async entities(): Promise<number> {
    const where = { id: LessThan(2000) };
    return (await this.books.find({ where, relations: { author: true, reviews: true } })).length;
  }

  async titles(): Promise<string[]> {
    const { rows } = await this.near.query('SELECT title FROM book ORDER BY id LIMIT 40');
    return rows.map(({ title }) => title as string);
  }

  fetched(ids: number[]): Promise<number[]> {
    return Promise.all(ids.map(async (id) => rate(JSON.stringify(await ask(`/offers/${id}`)))));
  }

  private async titleOf(id: number): Promise<string> {
    const { rows } = await this.near.query('SELECT title FROM book WHERE id = $1', [id]);
    return rows[0].title;
  }
}
