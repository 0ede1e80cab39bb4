import { Controller, Get, Post } from '@nestjs/common';
import { PartnerService } from './partner.service';

/** A request waits for one slow call. */
@Controller('slow-calls')
export class SlowCallsController {
  constructor(private readonly partner: PartnerService) {}

  @Get('node-redis')
  nodeRedis(): Promise<unknown> {
    return this.partner.byNodeRedis();
  }

  @Post('cache-set')
  cacheSet(): Promise<unknown> {
    return this.partner.remember();
  }

  @Get('http-body')
  httpBody(): Promise<string> {
    return this.partner.bodyByHttp();
  }

  @Get('timeout')
  timeout(): Promise<unknown> {
    return this.partner.withTimeout();
  }

  @Get('failed')
  failed(): Promise<unknown> {
    return this.partner.failed();
  }

  @Post('order')
  order(): Promise<unknown> {
    return this.partner.order();
  }

  @Get('rpc-parallel')
  rpcParallel(): Promise<unknown> {
    return this.partner.quotes();
  }
}
