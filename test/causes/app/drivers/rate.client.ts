import { get } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Ledger } from '../store/ledger.client';
import { Mysql } from '../store/mysql.client';
import { Pricing } from '../store/pricing.client';

@Injectable()
export class RateClient {
  constructor(
    private readonly mysql: Mysql,
    private readonly pricing: Pricing,
    private readonly ledger: Ledger,
  ) {}

  async reserve(ids: number[]): Promise<void> {
    for (const id of ids) {
      await this.mysql.pool.query('UPDATE stock SET amount = amount - 1 WHERE book_id = ?', [id]); // call site: mysql-loop
    }
  }

  rateOf(id: number): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      // call site: http-requests
      get(`${process.env['UPSTREAM_URL']}/rates/${id}?delay=5`, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      }).once('error', reject);
    });
  }

  userOf(id: number): Promise<Response> {
    return fetch(`${process.env['UPSTREAM_URL']}/users/${id}?delay=90`); // call site: fetch-parallel
  }

  async quotes(ids: number[]): Promise<number> {
    let total = 0;
    for (const id of ids) total += (await this.pricing.quote({ id, delayMs: 8 })).price;
    return total;
  }

  async balances(ids: number[]): Promise<void> {
    for (const id of ids) await this.ledger.query(`SELECT balance FROM account WHERE id = ${id}`, 4);
  }
}
