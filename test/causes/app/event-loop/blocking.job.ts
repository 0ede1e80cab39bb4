import { pbkdf2Sync } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { withPerformanceTracking } from 'nestjs-performance';

/** A background job that blocks the event loop. */
@Injectable()
export class BlockingJob implements OnApplicationBootstrap {
  private due = false;

  /** Started here, so that it belongs to no request. */
  onApplicationBootstrap(): void {
    setInterval(() => {
      if (!this.due) return;
      this.due = false;
      withPerformanceTracking('job', () => this.sign(), { name: 'sign-invoices' });
    }, 5).unref();
  }

  makeDue(): void {
    this.due = true;
  }

  private sign(): string {
    return pbkdf2Sync('invoices', 'store', 1_100_000, 32, 'sha256').toString('hex');
  }
}
