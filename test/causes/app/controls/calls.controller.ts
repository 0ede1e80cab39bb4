import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, StreamableFile } from '@nestjs/common';
import { Redis } from 'ioredis';
import { ask } from '../store/upstream';

/** Several calls, all of which are necessary. */
@Controller('controls')
export class CallsController {
  constructor(private readonly redis: Redis) {}

  /** Fails five times, with increasing delays. */
  @Get('retries')
  async retries(): Promise<unknown> {
    const path = `/flaky/${randomUUID()}`;
    for (let attempt = 1; ; attempt++) {
      try {
        return await ask(path);
      } catch (error) {
        if (attempt > 5) throw error;
        await sleep(10 * attempt);
      }
    }
  }

  @Get('fan-out')
  async fanOut(): Promise<number> {
    const services = ['weather', 'news', 'offers', 'basket', 'rates', 'stock'];
    return (await Promise.all(services.map((service) => ask(`/${service}?delay=100`)))).length;
  }

  /** Each depends on the result of the one before. */
  @Get('call-waterfall')
  async waterfall(): Promise<unknown> {
    const user = await ask('/session?delay=40');
    const account = await ask(`/accounts/${user.next}?delay=40`);
    return ask(`/invoices/${account.next}?delay=40`);
  }

  @Get('cache-many')
  async cacheMany(): Promise<number> {
    const keys = Array.from({ length: 60 }, (_, n) => `book:${n}`);
    return (await Promise.all(keys.map((key) => this.redis.get(key)))).length;
  }

  @Get('cache-loop')
  async cacheLoop(): Promise<number> {
    let found = 0;
    for (let n = 0; n < 30; n++) if ((await this.redis.get(`book:${n}`)) !== null) found++;
    return found;
  }

  /** A response that the client reads slowly. */
  @Get('stream')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from(rows()));
  }
}

async function* rows(): AsyncGenerator<string> {
  for (let part = 0; part < 20; part++) {
    yield `${'0123456789abcdef'.repeat(8192)}\n`;
    await sleep(8);
  }
}
