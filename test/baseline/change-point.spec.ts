import { describe, expect, it } from '@jest/globals';
import { changePoints } from '../../lib/baseline/change-point.js';
import { randomOf } from './programs/simulated-windows.js';

function series(length: number, value: (at: number) => number, seed = 1, noise = 1): number[] {
  const random = randomOf(seed);
  return Array.from({ length }, (_, at) => value(at) + noise * random.normal());
}

describe('changePoints', () => {
  it('finds two steps, with how great they are', () => {
    const found = changePoints(series(120, (at) => (at < 40 ? 100 : at < 80 ? 120 : 110)));
    expect(found.map(({ index }) => index)).toEqual([40, 80]);
    expect(found[0]?.change).toBeCloseTo(0.2, 1);
    expect(found[1]?.after).toBeCloseTo(110, 0);
  });

  it('finds where a line begins to rise', () => {
    const [found] = changePoints(series(120, (at) => 100 + Math.max(0, at - 60)));
    expect(Math.abs((found?.index as number) - 60)).toBeLessThan(8);
  });

  it('leaves out what is less than the least effect', () => {
    const values = series(100, (at) => (at < 50 ? 100 : 106));
    expect(changePoints(values)).toHaveLength(1);
    expect(changePoints(values, { minEffect: 0.1 })).toEqual([]);
  });

  it('is silent where nothing changes: noise, a line, noise that lasts, equal values', () => {
    for (let seed = 2; seed < 12; seed++) {
      expect(changePoints(series(150, () => 100, seed))).toEqual([]);
      expect(changePoints(series(150, (at) => at / 3, seed))).toEqual([]);
    }
    let level = 0;
    const steps = series(200, () => 0, 13);
    expect(changePoints(steps.map((step) => (level = 0.6 * level + step)))).toEqual([]);
    expect(changePoints(new Array(60).fill(7))).toEqual([]);
    expect(changePoints([])).toEqual([]);
    expect(changePoints([1, 2, 3])).toEqual([]);
  });

  it('names what it does not take', () => {
    expect(() => changePoints([1, Number.NaN])).toThrow('values[1] is NaN: finite numbers are allowed');
    expect(() => changePoints(new Array(4001).fill(1))).toThrow(
      'values has 4001 numbers: at most 4000 are allowed',
    );
    expect(() => changePoints([1], { minSegment: 1 })).toThrow('minSegment is 1');
    expect(() => changePoints([1], { minEffect: -1 })).toThrow('minEffect is -1');
  });
});
