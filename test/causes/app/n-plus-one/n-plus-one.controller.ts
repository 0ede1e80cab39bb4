import { Controller, Get, Post } from '@nestjs/common';
import { AuditWriter } from './audit.writer';
import { AuthorLoader } from './author.loader';
import { CatalogReader } from './catalog.reader';
import { PriceService } from './price.service';
import { ProfileClient } from './profile.client';
import { SettingsService } from './settings.service';
import { StockService } from './stock.service';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

/** A query for each of many rows, sequential or parallel. */
@Controller('n-plus-one')
export class NPlusOneController {
  constructor(
    private readonly catalog: CatalogReader,
    private readonly authors: AuthorLoader,
    private readonly prices: PriceService,
    private readonly profiles: ProfileClient,
    private readonly settings: SettingsService,
    private readonly stock: StockService,
    private readonly audit: AuditWriter,
  ) {}

  @Get('orm-lazy')
  ormLazy(): Promise<unknown> {
    return this.catalog.withReviews(60);
  }

  @Get('raw-loop')
  rawLoop(): Promise<unknown> {
    return this.catalog.titlesOf(numbers(60));
  }

  @Get('near-loop')
  nearLoop(): Promise<unknown> {
    return this.catalog.nearTitlesOf(numbers(400));
  }

  @Get('parallel')
  parallel(): Promise<unknown> {
    return this.catalog.findAll(numbers(150));
  }

  @Get('interleaved')
  interleaved(): Promise<unknown> {
    return this.catalog.cards(numbers(40));
  }

  @Get('dataloader')
  async dataloader(): Promise<unknown> {
    return this.authors.namesOf(numbers(60));
  }

  @Get('literals')
  async literals(): Promise<number> {
    let total = 0;
    for (const id of numbers(60)) total += await this.prices.priceOf(id);
    return total;
  }

  @Get('http')
  http(): Promise<unknown> {
    return this.profiles.profilesOf(numbers(20));
  }

  @Get('duplicates')
  async duplicates(): Promise<number> {
    let total = 0;
    for (const price of numbers(60)) total += price * (1 + Number(await this.settings.get('tax')) / 100);
    return total;
  }

  @Post('insert-loop')
  insertLoop(): Promise<void> {
    return this.audit.writeAll(numbers(60));
  }

  @Post('save-loop')
  saveLoop(): Promise<void> {
    return this.stock.takeOne(numbers(40));
  }
}
