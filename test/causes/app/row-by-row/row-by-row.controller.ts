import { Controller, Get, Post, UseInterceptors } from '@nestjs/common';
import { numbers } from '../store/numbers';
import { AuthorInterceptor } from './author.interceptor';
import { CatalogWriter } from './catalog.writer';
import { CategoryTree } from './category.tree';
import { ReviewReader } from './review.reader';

/** A statement for each of many rows, in all forms of code. */
@Controller('row-by-row')
export class RowByRowController {
  constructor(
    private readonly categories: CategoryTree,
    private readonly reviews: ReviewReader,
    private readonly writer: CatalogWriter,
  ) {}

  @Get('recursion')
  recursion(): Promise<number> {
    return this.categories.below(1);
  }

  @Get('nested-loops')
  nestedLoops(): Promise<unknown> {
    return this.reviews.starsByAuthor(numbers(6));
  }

  @Get('pool-map')
  poolMap(): Promise<unknown> {
    return this.reviews.starsAtOnce(numbers(150));
  }

  @Get('exists-loop')
  existsLoop(): Promise<number> {
    return this.reviews.reviewed(numbers(60));
  }

  @Get('generator')
  async generator(): Promise<string> {
    let text = '';
    for await (const line of this.reviews.lines(numbers(60))) text += `${line}\n`;
    return text;
  }

  @Get('in-list-of-one')
  async inListOfOne(): Promise<unknown> {
    const authors = new Set<number>();
    for (const id of numbers(60)) authors.add(await this.reviews.authorOf(id));
    return [...authors];
  }

  @Get('interceptor')
  @UseInterceptors(AuthorInterceptor)
  interceptor(): unknown {
    return numbers(60).map((authorId) => ({ authorId }));
  }

  @Post('update-loop')
  updateLoop(): Promise<void> {
    return this.writer.restock(numbers(60));
  }

  @Post('delete-loop')
  deleteLoop(): Promise<void> {
    return this.writer.erase(numbers(60));
  }

  @Post('upsert-loop')
  upsertLoop(): Promise<void> {
    return this.writer.putSettings(numbers(40).map((n) => `switch ${n}`));
  }

  @Post('raw-transaction')
  rawTransaction(): Promise<void> {
    return this.writer.sell(numbers(50));
  }
}
