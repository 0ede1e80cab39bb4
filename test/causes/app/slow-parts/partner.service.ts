import { randomUUID } from 'node:crypto';
import { get } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Pricing } from '../store/pricing.client';
import { SlowNodeRedis } from '../store/slow-node-redis.client';
import { SlowRedis } from '../store/store.module';
import { ask } from '../store/upstream';

/** Slow calls that fail, end early, or end late. */
@Injectable()
export class PartnerService {
  constructor(
    private readonly slowRedis: SlowRedis,
    private readonly nodeRedis: SlowNodeRedis,
    private readonly pricing: Pricing,
  ) {}

  async byNodeRedis(): Promise<unknown> {
    return await this.nodeRedis.client.get('region'); // call site: node-redis
  }

  async remember(): Promise<unknown> {
    return await this.slowRedis.set('region', 'north'); // call site: cache-set
  }

  /** Fast headers, slow body. */
  bodyByHttp(): Promise<string> {
    return new Promise((resolve, reject) => {
      get(`${process.env['UPSTREAM_URL']}/rates?body=180`, (response) => {
        let text = '';
        response.on('data', (part) => {
          text += part;
        });
        response.once('end', () => resolve(text));
      }).once('error', reject);
    });
  }

  async withTimeout(): Promise<unknown> {
    try {
      const signal = AbortSignal.timeout(150);
      return (await fetch(`${process.env['UPSTREAM_URL']}/rates?delay=1000`, { signal })).status;
    } catch {
      return 'not available';
    }
  }

  /** Fails late. */
  async failed(): Promise<unknown> {
    try {
      return await ask(`/flaky/${randomUUID()}?delay=180`);
    } catch {
      return 'not available';
    }
  }

  async order(): Promise<unknown> {
    const body = JSON.stringify({ book: 7 });
    return (await fetch(`${process.env['UPSTREAM_URL']}/orders?delay=180`, { method: 'POST', body })).json();
  }

  quotes(): Promise<unknown> {
    return Promise.all([120, 150, 180].map((delayMs, id) => this.pricing.quote({ id, delayMs })));
  }
}
