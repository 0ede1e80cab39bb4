import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { createClient } from 'redis';

/** Another client of the cache with slow commands. */
@Injectable()
export class SlowNodeRedis implements OnApplicationBootstrap {
  readonly client = createClient({ url: `redis://127.0.0.1:${process.env['SLOW_CACHE_PORT']}` });

  async onApplicationBootstrap(): Promise<void> {
    await this.client.connect();
  }
}
