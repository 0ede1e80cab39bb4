import { pbkdf2Sync } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { withPerformanceTracking } from 'nestjs-performance';

/** A job of the process's own that nobody has asked for, and that works without a break. */
@Injectable()
export class BlockingJob implements OnApplicationBootstrap {
  private due = false;

  /** Begun here and not by a request, so that it belongs to none. */
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
