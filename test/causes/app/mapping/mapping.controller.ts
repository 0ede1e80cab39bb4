import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { numbers } from '../store/numbers';
import { OfferReader } from './offer.reader';
import { RatingInterceptor } from './rating.interceptor';

/** The JavaScript for each row takes longer than its query. */
@Controller('mapping')
export class MappingController {
  constructor(private readonly offers: OfferReader) {}

  @Get('side-by-side-rows')
  sideBySideRows(): Promise<unknown> {
    return this.offers.rated(numbers(40));
  }

  @Get('side-by-side-library')
  sideBySideLibrary(): Promise<unknown> {
    return this.offers.compared(numbers(40));
  }

  @Get('in-turn')
  inTurn(): Promise<unknown> {
    return this.offers.ratedInTurn(numbers(40));
  }

  @Get('large-result')
  async largeResult(): Promise<unknown> {
    return (await this.offers.shown()).length;
  }

  @Get('entities')
  entities(): Promise<number> {
    return this.offers.entities();
  }

  @Get('response')
  @UseInterceptors(RatingInterceptor)
  response(): Promise<unknown> {
    return this.offers.titles();
  }

  @Get('fetched')
  fetched(): Promise<unknown> {
    return this.offers.fetched(numbers(40));
  }
}
