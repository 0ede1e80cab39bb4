import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

@Injectable()
export class RecommendationService {
  constructor(private readonly pool: Pool) {}

  /** Compares all pairs. */
  similarities(count: number): number {
    let sum = 0;
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) sum += similarity(a, b); // call site: loop
    }
    return sum;
  }

  /** The same work in slices: slow without blocking the event loop. */
  async scoresInSlices(slices: number): Promise<number> {
    let sum = 0;
    for (let slice = 0; slice < slices; slice++) {
      sum += this.scoreSlice(slice);
      await setImmediate();
    }
    return sum;
  }

  /** A fast query, then much work with its result. */
  async rankBooks(): Promise<number[]> {
    const { rows } = await this.pool.query('SELECT id FROM book ORDER BY id LIMIT 300');
    return this.rank(rows.map(({ id }) => id as number));
  }

  private scoreSlice(slice: number): number {
    let sum = 0;
    for (let n = 0; n < 9_000; n++) sum += similarity(slice, n); // call site: slices
    return sum;
  }

  /** Computes both sides in each comparison. */
  private rank(ids: number[]): number[] {
    const weight = (id: number): number => {
      let sum = 0;
      for (let n = 0; n < 30; n++) sum += similarity(id, n); // call site: after-query
      return sum;
    };
    return ids.sort((a, b) => weight(a) - weight(b));
  }
}

function similarity(a: number, b: number): number {
  let same = 0;
  for (let bit = 0; bit < 40; bit++) same += Math.abs(Math.sin(a * bit) - Math.cos(b * bit)) < 0.1 ? 1 : 0; // call site: loop slices after-query
  return same / 40;
}
