import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ask } from '../store/upstream';

/** Waits by design of this application. */
@Injectable()
export class LimitsService {
  private free = 0;
  private readonly stock = new EventEmitter();

  /** Fails five times, with pauses that double. */
  async withBackOff(): Promise<unknown> {
    const path = `/flaky/${randomUUID()}`;
    for (let pauseMs = 6; ; pauseMs *= 2) {
      try {
        return await ask(path);
      } catch {
        await sleep(pauseMs);
      }
    }
  }

  /** One call each 40 ms. */
  async limited(paths: string[]): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (const path of paths) {
      await this.turn();
      answers.push(await ask(path));
    }
    return answers;
  }

  async stocked(): Promise<unknown> {
    setTimeout(() => this.stock.emit('arrived', 7), 180);
    return (await once(this.stock, 'arrived'))[0];
  }

  private async turn(): Promise<void> {
    const now = performance.now();
    this.free = Math.max(now, this.free) + 40;
    await sleep(this.free - now);
  }
}
