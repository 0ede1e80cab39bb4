import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { withPerformanceTracking } from 'nestjs-performance';
import { Pool } from 'pg';

const ROWS = 60;

/** Updates row by row on purpose: it locks one row at a time, and nobody waits for it. */
@Injectable()
export class RepricingJob implements OnApplicationBootstrap {
  private due: 'tracked' | 'untracked' | undefined;

  constructor(private readonly pool: Pool) {}

  /** Started here, so that it belongs to no request. */
  onApplicationBootstrap(): void {
    setInterval(() => {
      const { due } = this;
      this.due = undefined;
      if (due === 'untracked') this.reprice();
      if (due === 'tracked') withPerformanceTracking('job', () => this.reprice(), { name: 'reprice' });
    }, 20).unref();
  }

  makeDue(tracked: boolean): void {
    this.due = tracked ? 'tracked' : 'untracked';
  }

  private async reprice(): Promise<void> {
    for (let id = 1; id <= ROWS; id++) {
      await this.pool.query('UPDATE book SET price = 5 + (price + $2) % 40 WHERE id = $1', [id, 1]);
    }
  }
}
