import { pbkdf2Sync } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';

/** Signs an order in the request that places it. */
@Injectable()
export class OrderListener {
  @OnEvent('order.placed')
  onOrder(order: string): void {
    pbkdf2Sync(order, 'store', 1_000_000, 32, 'sha256'); // call site: listener
  }
}
