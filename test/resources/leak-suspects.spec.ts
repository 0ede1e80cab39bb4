import { describe, expect, it } from '@jest/globals';
import type { LeakBlock } from '../../lib/leaks/leak-blocks.js';
import { LeakSuspects, MAX_OPERATIONS, type OperationCount } from '../../lib/leaks/leak-suspects.js';
import { normal, randomOf } from './leak-courses.js';

const MB = 2 ** 20;
const http = (name: string, count: number): OperationCount => ({ type: 'http', name, count });

/**
 * Sixteen blocks of a process with operations at the given rates; the first operation leaks.
 * @param reported maps the counts to those that statistics report for a block
 * @param chance the variation of the rates, as a share
 */
function suspectsOf(
  rates: ((block: number) => number)[],
  lastCounts: (counts: number[], block: number) => OperationCount[] = (counts) =>
    counts.map((count, i) => http(`GET /${i}`, count)),
  chance = 0.1,
): ReturnType<LeakSuspects['of']> {
  const random = randomOf(5);
  const counts = rates.map(() => 0);
  let now: OperationCount[] = [];
  const suspects = new LeakSuspects(() => now);
  const blocks: LeakBlock[] = [];
  for (let block = 0; block < 16; block++) {
    rates.forEach((rate, i) => {
      counts[i] = (counts[i] as number) + Math.round(rate(block) * (1 + chance * normal(random)));
    });
    now = lastCounts(counts, block);
    const value = 40 * MB + 2000 * (counts[0] as number) + 0.05 * MB * normal(random);
    blocks.push({ at: block * 10_000, value, load: 0, requests: Number.NaN, counts: suspects.counts() });
  }
  return suspects.of(blocks, 0);
}

const inWaves = (block: number): number => (block % 5 < 2 ? 2000 : 100);
const inOthers = (block: number): number => (block % 7 < 3 ? 1500 : 300);

describe('LeakSuspects', () => {
  it('names the operation that memory grows with, and the bytes per execution', () => {
    const suspects = suspectsOf([inWaves, inOthers, () => 1000]);
    expect(suspects.map(({ type, name }) => [type, name])).toEqual([['http', 'GET /0']]);
    expect(suspects[0]?.bytesPerOperation).toBeGreaterThan(1700);
    expect(suspects[0]?.bytesPerOperation).toBeLessThan(2300);
  });

  it('names none if traffic is too even', () => {
    expect(suspectsOf([() => 1000, () => 1000, () => 1000], undefined, 0)).toEqual([]);
  });

  it('names none if growth correlates with no known operation', () => {
    const others = (counts: number[]): OperationCount[] => [http('GET /1', counts[1] as number)];
    expect(suspectsOf([inWaves, inOthers], others)).toEqual([]);
  });

  it('names a few operations that always occur together, and none of many', () => {
    const together = (number: number) => (counts: number[]) =>
      Array.from({ length: number }, (_, i) => http(`GET /${i}`, counts[0] as number));
    expect(suspectsOf([inWaves], together(2))).toHaveLength(2);
    expect(suspectsOf([inWaves], together(5))).toEqual([]);
  });

  it('handles a reset of statistics', () => {
    let kept = [0, 0];
    const reset = (counts: number[], block: number): OperationCount[] => {
      if (block === 8) kept = [...counts].map((count) => count - 1);
      return counts.map((count, i) => http(`GET /${i}`, count - (kept[i] as number)));
    };
    expect(suspectsOf([inWaves, inOthers], reset).map(({ name }) => name)).toEqual(['GET /0']);
  });

  it('treats an operation that is not among the busiest for a while as paused', () => {
    let now = [http('GET /0', 50)];
    const suspects = new LeakSuspects(() => now);
    suspects.counts();
    now = [http('GET /1', 70)];
    expect([...suspects.counts()].slice(0, 3)).toEqual([50, 70, 0]);
  });

  it(`follows ${MAX_OPERATIONS} operations and no more`, () => {
    let from = 0;
    const suspects = new LeakSuspects(() =>
      Array.from({ length: 20 }, (_, i) => http(`GET /${from + i}`, 1)),
    );
    for (from = 0; from < 1000; from += 20) suspects.counts();
    expect(suspects.counts()).toHaveLength(MAX_OPERATIONS);
    expect([...suspects.counts()]).toEqual(Array.from({ length: MAX_OPERATIONS }, () => 1));
  });

  it('names none for too few blocks, or for blocks without counts', () => {
    const suspects = new LeakSuspects(() => [http('GET /0', 1)]);
    const block = (i: number, counts?: Float64Array): LeakBlock => ({
      at: i,
      value: i,
      requests: Number.NaN,
      load: 0,
      ...(counts !== undefined && { counts }),
    });
    expect(
      suspects.of(
        Array.from({ length: 9 }, (_, i) => block(i, Float64Array.of(i))),
        0,
      ),
    ).toEqual([]);
    expect(
      suspects.of(
        Array.from({ length: 16 }, (_, i) => block(i)),
        0,
      ),
    ).toEqual([]);
  });
});
