import { Controller, Get, Post } from '@nestjs/common';
import { ReportService } from './report.service';
import { ShippingService } from './shipping.service';

/** A request waits for one slow part. */
@Controller('slow-parts')
export class SlowPartsController {
  constructor(
    private readonly reports: ReportService,
    private readonly shipping: ShippingService,
  ) {}

  @Get('database-sleep')
  databaseSleep(): Promise<unknown> {
    return this.reports.slept();
  }

  @Get('database-work')
  databaseWork(): Promise<unknown> {
    return this.reports.ranked();
  }

  @Get('database-among-others')
  databaseAmongOthers(): Promise<unknown> {
    return this.reports.slowAmongQuick();
  }

  @Post('database-lock')
  databaseLock(): Promise<unknown> {
    return this.reports.locked();
  }

  @Get('cache-get')
  cacheGet(): Promise<unknown> {
    return this.shipping.cached();
  }

  @Get('cache-pipeline')
  cachePipeline(): Promise<unknown> {
    return this.shipping.cachedMany();
  }

  @Get('external-fetch')
  externalFetch(): Promise<unknown> {
    return this.shipping.rates();
  }

  @Get('external-http')
  externalHttp(): Promise<unknown> {
    return this.shipping.ratesByHttp();
  }

  @Get('external-body')
  externalBody(): Promise<unknown> {
    return this.shipping.slowBody();
  }

  @Get('rpc-unary')
  rpcUnary(): Promise<unknown> {
    return this.shipping.quote();
  }

  @Get('rpc-stream')
  rpcStream(): Promise<unknown> {
    return this.shipping.quotes();
  }

  @Post('messaging')
  messaging(): Promise<unknown> {
    return this.shipping.announce();
  }
}
