import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { firstInOrder } from '../../lib/statistics/first-in-order.js';

const SEED = { seed: 7, numRuns: 500 };

describe('the first items in an order', () => {
  it('are those of the sorted list, equal ones in their order, whatever the limit', () => {
    const items = fc.array(fc.record({ weight: fc.integer({ min: 0, max: 9 }), id: fc.nat() }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(items, fc.nat({ max: 30 }), (all, limit) => {
        const byWeight = (one: { weight: number }, other: { weight: number }) => other.weight - one.weight;
        expect(firstInOrder(all, limit, byWeight)).toEqual([...all].sort(byWeight).slice(0, limit));
      }),
      SEED,
    );
  });

  it('are all of fewer', () => {
    expect(firstInOrder([3, 1, 2], Number.POSITIVE_INFINITY, (a, b) => a - b)).toEqual([1, 2, 3]);
    expect(firstInOrder([], 5, () => 0)).toEqual([]);
  });

  it('takes little more than a comparison of each item', () => {
    let compared = 0;
    const items = Array.from({ length: 10_000 }, (_, index) => (index * 7919) % 10_007);
    firstInOrder(items, 10, (a, b) => {
      compared++;
      return a - b;
    });
    expect(compared).toBeLessThan(12_000);
  });
});
