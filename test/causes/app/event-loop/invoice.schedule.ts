import { pbkdf2Sync } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';

/** A scheduled job that blocks the event loop. */
@Injectable()
export class InvoiceSchedule {
  private due = false;

  @Interval('send-invoices', 10)
  sendInvoices(): void {
    if (!this.due) return;
    this.due = false;
    pbkdf2Sync('invoices', 'store', 1_100_000, 32, 'sha256');
  }

  makeDue(): void {
    this.due = true;
  }
}
