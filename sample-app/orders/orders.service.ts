import { pbkdf2Sync } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { TrackPerformance } from 'nestjs-performance';
import { Repository } from 'typeorm';
import { Order } from './order.entity';

@Injectable()
export class OrdersService {
  constructor(@InjectRepository(Order) private readonly orders: Repository<Order>) {}

  /** Places an order. Signing the receipt is synchronous and blocks the event loop. */
  async checkout(customerId: number, albumId: number): Promise<{ id: number; receipt: string }> {
    const { id } = await this.orders.save({ customerId, albumId, quantity: 1 });
    return { id, receipt: pbkdf2Sync(`order ${id}`, 'store', 2_000_000, 32, 'sha256').toString('hex') };
  }

  /** Albums that sell together, computed in JavaScript from all orders. */
  @TrackPerformance('calculation', 60)
  async soldTogether(): Promise<{ pair: string; customers: number }[]> {
    const orders = await this.orders.find({ take: 8000 });
    const byCustomer = new Map<number, Set<number>>();
    for (const { customerId, albumId } of orders) {
      const albums = byCustomer.get(customerId) ?? new Set();
      byCustomer.set(customerId, albums.add(albumId % 200));
    }
    return rankPairs(byCustomer);
  }
}

/** Compares every customer with every other, in quadratic time. */
function rankPairs(byCustomer: Map<number, Set<number>>): { pair: string; customers: number }[] {
  const pairs = new Map<string, number>();
  for (const mine of byCustomer.values()) {
    for (const theirs of byCustomer.values()) {
      for (const album of mine) {
        if (!theirs.has(album)) continue;
        const pair = `${album % 20}+${(album * 7) % 20}`;
        pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
      }
    }
  }
  return [...pairs]
    .map(([pair, customers]) => ({ pair, customers }))
    .sort((a, b) => b.customers - a.customers)
    .slice(0, 10);
}
