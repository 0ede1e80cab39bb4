import { Controller, Get, Post } from '@nestjs/common';
import { numbers } from '../store/numbers';
import { BookFinder } from './book.finder';
import { RateClient } from './rate.client';
import { ShelfReader } from './shelf.reader';

/** A call for each of many rows, with each client. */
@Controller('drivers')
export class DriversController {
  constructor(
    private readonly finder: BookFinder,
    private readonly shelf: ShelfReader,
    private readonly rates: RateClient,
  ) {}

  @Get('typeorm-builder')
  typeormBuilder(): Promise<unknown> {
    return this.finder.byBuilder(numbers(40));
  }

  @Get('typeorm-count')
  typeormCount(): Promise<unknown> {
    return this.finder.countsOf(numbers(50));
  }

  @Post('typeorm-update')
  typeormUpdate(): Promise<unknown> {
    return this.finder.rename(numbers(50));
  }

  @Get('postgres-js-loop')
  postgresJsLoop(): Promise<unknown> {
    return this.shelf.titlesOf(numbers(60));
  }

  @Get('postgres-js-parallel')
  postgresJsParallel(): Promise<unknown> {
    return this.shelf.pricesOf(numbers(80));
  }

  @Post('postgres-js-transaction')
  postgresJsTransaction(): Promise<void> {
    return this.shelf.discount(numbers(50));
  }

  @Post('mysql-loop')
  mysqlLoop(): Promise<void> {
    return this.rates.reserve(numbers(40));
  }

  @Get('http-requests')
  async httpRequests(): Promise<unknown> {
    const rates: unknown[] = [];
    for (const id of numbers(20)) rates.push(await this.rates.rateOf(id));
    return rates;
  }

  @Get('fetch-parallel')
  async fetchParallel(): Promise<unknown> {
    const responses = await Promise.all(numbers(12).map((id) => this.rates.userOf(id)));
    return Promise.all(responses.map((response) => response.json()));
  }

  @Get('rpc-loop')
  rpcLoop(): Promise<unknown> {
    return this.rates.quotes(numbers(15));
  }

  @Get('recorded-loop')
  recordedLoop(): Promise<void> {
    return this.rates.balances(numbers(25));
  }
}
