import { setTimeout as sleep } from 'node:timers/promises';
import {
  Body,
  Controller,
  Get,
  Injectable,
  type MessageEvent,
  type NestMiddleware,
  Post,
  Sse,
} from '@nestjs/common';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { interval, map, type Observable, take } from 'rxjs';
import { SlowRedis } from '../store/store.module';
import { ask } from '../store/upstream';

/** Reads the session and the settings, as each middleware of a request does for itself. */
@Injectable()
export class SessionMiddleware implements NestMiddleware {
  constructor(
    private readonly redis: Redis,
    private readonly pool: Pool,
  ) {}

  async use(_request: unknown, _response: unknown, next: () => void): Promise<void> {
    await this.redis.get('session:1');
    await this.pool.query('SELECT value FROM setting WHERE name = $1', ['country']);
    next();
  }
}

/** Requests that wait for clients or for events, and those that read the same value a few times. */
@Controller('controls')
export class SessionsController {
  constructor(
    private readonly redis: Redis,
    private readonly slowRedis: SlowRedis,
    private readonly pool: Pool,
  ) {}

  @Get('session')
  session(): string {
    return 'signed in';
  }

  /** A query for all, a cache for each. */
  @Get('memo')
  async memo(): Promise<number> {
    const known = new Map<string, Promise<number>>();
    let total = 0;
    for (let price = 1; price <= 60; price++) {
      const tax = known.get('tax') ?? this.setting('tax');
      known.set('tax', tax);
      total += price * (1 + (await tax) / 100);
    }
    return total;
  }

  /** Reads the cache, and the database where that has nothing. */
  @Get('cache-aside')
  async cacheAside(): Promise<unknown[]> {
    const values: unknown[] = [];
    for (const name of ['currency', 'tax', 'country']) {
      const cached = await this.redis.get(`missing:${name}`);
      values.push(cached ?? (await this.setting(name)));
      await this.redis.set(`setting:${name}`, String(values.at(-1)));
    }
    return values;
  }

  @Get('pipeline')
  async pipeline(): Promise<number | undefined> {
    const pipeline = this.redis.pipeline();
    for (let n = 0; n < 100; n++) pipeline.set(`shelf:${n}`, String(n));
    return (await pipeline.exec())?.length;
  }

  /** Waits until there is an entry. */
  @Get('blocking-pop')
  async blockingPop(): Promise<unknown> {
    return await this.slowRedis.blpop('queue', 1);
  }

  /** The other service responds when there is something new. */
  @Get('long-poll')
  async longPoll(): Promise<number> {
    let cursor = 1;
    for (let left = 5; left > 0; left--) cursor = (await ask(`/events?cursor=${cursor}&delay=30`)).next;
    return cursor;
  }

  /** Each dependency once, and one after the other. */
  @Get('checks')
  async checks(): Promise<string> {
    await this.pool.query('SELECT 1');
    await this.pool.query('SELECT count(*) FROM setting');
    await this.pool.query('SELECT pg_is_in_recovery()');
    await this.redis.ping();
    await ask('/health');
    return 'up';
  }

  /** Two calls are too few to report. */
  @Get('pair')
  async pair(): Promise<unknown> {
    return [await ask('/weather?delay=50'), await ask('/news?delay=50')];
  }

  @Post('upload')
  upload(@Body() order: { books: string }): number {
    return order.books.length;
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    return interval(40).pipe(
      take(5),
      map((data) => ({ data: { data } })),
    );
  }

  /** Asks a service repeatedly until a job is over. */
  @Get('job-status')
  async jobStatus(): Promise<string> {
    for (let attempt = 0; attempt < 6; attempt++) {
      await ask('/jobs/7/status');
      await sleep(25);
    }
    return 'running';
  }

  private async setting(name: string): Promise<number> {
    const { rows } = await this.pool.query('SELECT value FROM setting WHERE name = $1', [name]);
    return Number(rows[0].value);
  }
}
