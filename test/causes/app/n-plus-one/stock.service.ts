import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Stock } from '../store/entities';

@Injectable()
export class StockService {
  constructor(private readonly database: DataSource) {}

  /** In one transaction, but row by row. */
  async takeOne(bookIds: number[]): Promise<void> {
    await this.database.transaction(async (manager) => {
      for (const bookId of bookIds) {
        await manager.decrement(Stock, { bookId }, 'amount', 1); // call site: save-loop
      }
    });
  }
}
