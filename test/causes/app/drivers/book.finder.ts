import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Author, Book } from '../store/entities';

@Injectable()
export class BookFinder {
  constructor(
    @InjectRepository(Book) private readonly books: Repository<Book>,
    @InjectRepository(Author) private readonly authors: Repository<Author>,
  ) {}

  async byBuilder(ids: number[]): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const id of ids) {
      const query = this.books.createQueryBuilder('book').leftJoinAndSelect('book.author', 'author');
      found.push(await query.where('book.id = :id', { id }).getOne()); // call site: typeorm-builder
    }
    return found;
  }

  async countsOf(authorIds: number[]): Promise<number[]> {
    const counts: number[] = [];
    for (const authorId of authorIds) {
      counts.push(await this.books.countBy({ authorId })); // call site: typeorm-count
    }
    return counts;
  }

  async rename(ids: number[]): Promise<void> {
    for (const id of ids) {
      await this.authors.update({ id }, { name: `Author ${id}` }); // call site: typeorm-update
    }
  }
}
