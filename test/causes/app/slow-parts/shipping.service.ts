import { get } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Pricing } from '../store/pricing.client';
import { Queue } from '../store/queue.client';
import { SlowRedis } from '../store/store.module';
import { ask } from '../store/upstream';

const SLOW_MS = 200;

@Injectable()
export class ShippingService {
  constructor(
    private readonly redis: Redis,
    private readonly slowRedis: SlowRedis,
    private readonly pricing: Pricing,
    private readonly queue: Queue,
  ) {}

  async cached(): Promise<unknown> {
    await this.redis.set('rate', '5');
    return { rate: await this.redis.get('rate'), region: await this.slowRedis.get('region') }; // call site: cache-get
  }

  /** One slow round trip. */
  async cachedMany(): Promise<unknown> {
    return await this.slowRedis.mget('a', 'b', 'c', 'd'); // call site: cache-pipeline
  }

  async rates(): Promise<unknown> {
    return await ask(`/rates?delay=${SLOW_MS}`);
  }

  ratesByHttp(): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const url = `${process.env['UPSTREAM_URL']}/rates?delay=${SLOW_MS}`;
      // call site: external-http
      get(url, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      }).once('error', reject);
    });
  }

  /** Fast headers, slow body. */
  async slowBody(): Promise<unknown> {
    return await ask(`/rates?body=${SLOW_MS}`);
  }

  async quote(): Promise<unknown> {
    return await this.pricing.quote({ id: 1, delayMs: SLOW_MS });
  }

  async quotes(): Promise<unknown> {
    const quotes: unknown[] = [];
    for await (const quote of this.pricing.quotes({ id: 1, delayMs: SLOW_MS })) quotes.push(quote);
    return quotes;
  }

  async announce(): Promise<string> {
    await this.queue.publish('orders', { delayMs: SLOW_MS }); // call site: messaging
    return 'announced';
  }
}
