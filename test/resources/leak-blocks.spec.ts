import { describe, expect, it } from '@jest/globals';
import { LEVELS, LeakBlocks, WINDOW_BLOCKS } from '../../lib/leaks/leak-blocks.js';

const DAY = 86_400_000;

/** Blocks of one reading each, a second apart. */
function blocksOf(values: number[]): LeakBlocks {
  const blocks = new LeakBlocks(1000);
  values.forEach((value, i) => {
    blocks.add(i * 1000, value, 0);
  });
  return blocks;
}

describe('LeakBlocks', () => {
  it('keeps the lowest reading of each block, with its time and load', () => {
    const blocks = new LeakBlocks(1000);
    blocks.add(0, 5, 1);
    for (const [at, value, load] of [
      [200, 9, 2],
      [400, 3, 7],
      [600, 4, 4],
      [1000, 8, 3],
    ] as const) {
      blocks.add(at, value, load);
    }
    expect(blocks.level(0)).toEqual([
      { at: 0, value: 5, load: 1, requests: Number.NaN },
      { at: 400, value: 3, load: 7, requests: Number.NaN },
    ]);
    expect(blocks.level(1)).toEqual([{ at: 400, value: 3, load: 7, requests: Number.NaN }]);
  });

  it('ignores readings within the minimum block length', () => {
    const blocks = new LeakBlocks(1000);
    expect(blocks.add(0, 5, 0)).toBe(1);
    expect(blocks.add(999, 1, 0)).toBe(0);
    expect(blocks.add(1000, 5, 0)).toBe(2);
  });

  it('keeps up to 16 blocks on each of 20 levels, however long it runs', () => {
    const blocks = new LeakBlocks(1);
    for (let i = 0; i < 2 ** 20; i++) blocks.add(i, i, 0);
    expect(blocks.height).toBe(LEVELS);
    for (let level = 0; level < LEVELS; level++) {
      expect(blocks.level(level).length).toBeLessThanOrEqual(WINDOW_BLOCKS);
    }
    expect(blocks.level(0)).toHaveLength(WINDOW_BLOCKS);
    expect(blocks.level(LEVELS)).toEqual([]);
    // The coarsest level has two halves of the life.
    expect(blocks.level(LEVELS - 1).map(({ at }) => at)).toEqual([0, 2 ** 19]);
  });

  it('has its whole life on the coarsest level with enough blocks', () => {
    const blocks = blocksOf(Array.from({ length: 100 }, (_, i) => i));
    // 12 blocks of eight seconds; of sixteen there are only six.
    expect(blocks.whole(8).map(({ value }) => value)).toEqual([0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88]);
    expect(blocksOf([1, 2, 3]).whole(8)).toHaveLength(3);
  });

  it('remembers the highest value before, decaying over weeks', () => {
    const blocks = new LeakBlocks(1000);
    expect(blocks.highestBefore(0, 0)).toBe(Number.NEGATIVE_INFINITY);
    blocks.add(0, 100, 10);
    for (let i = 1; i <= WINDOW_BLOCKS; i++) blocks.add(i * 1000, 20, 0);
    expect(blocks.highestBefore(0, 0)).toBe(100);
    expect(blocks.highestBefore(0, 3)).toBe(70);
    for (let i = 1; i <= 90; i++) blocks.add(i * DAY, 20, 0);
    expect(blocks.highestBefore(0, 0)).toBeLessThan(25);
  });

  it('calls for counts only at the end of a block', () => {
    const blocks = new LeakBlocks(1000);
    let asked = 0;
    const counts = (): Float64Array => Float64Array.of(++asked);
    for (const at of [0, 300, 600, 1000, 1500, 2000]) blocks.add(at, 1, 0, counts);
    expect(asked).toBe(3);
    expect(blocks.level(0).map((block) => block.counts?.[0])).toEqual([1, 2, 3]);
  });
});
