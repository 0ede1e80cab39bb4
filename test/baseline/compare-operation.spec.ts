import { describe, expect, it } from '@jest/globals';
import { compareOperation, judgeOperations } from '../../lib/baseline/compare-operation.js';
import { estimateChanges } from '../../lib/baseline/estimate-change.js';
import type { ChangeMeasure, MeasureChange, OperationChange } from '../../lib/baseline/operation-change.js';
import { sideOfWindows } from '../../lib/baseline/side-of-windows.js';
import { holm } from '../../lib/inference/holm.js';
import { BUCKETS } from '../../lib/inference/latency-histogram.js';
import { shareDifferenceInterval } from '../../lib/inference/share-difference.js';
import { OpenWindow } from '../../lib/statistics/open-window.js';
import { type OperationWindow, PARTS } from '../../lib/statistics/operation-window.js';
import { MINUTE, randomOf, START, windowOf } from './programs/simulated-windows.js';

interface Given {
  windows?: number;
  perWindow?: number;
  ms?: number;
  tail?: number;
  errors?: number;
  queries?: number;
  cpuMs?: number;
  seed?: number;
}

/** Windows of thirty latencies each. */
function windowsOf({
  windows = 40,
  perWindow = 30,
  ms = 100,
  tail = 1,
  errors = 0,
  queries = 3,
  cpuMs = 20,
  seed = 1,
}: Given): OperationWindow[] {
  const random = randomOf(seed);
  return Array.from({ length: windows }, (_, index): OperationWindow => {
    const partsMs = PARTS.map((part) => (part === 'self_busy' ? cpuMs * (0.9 + 0.2 * random.uniform()) : 0));
    return windowOf(random, START + index * MINUTE, MINUTE, perWindow, {
      medianMs: ms,
      tail,
      errorRate: errors,
      queries,
      partsMs,
    });
  });
}

const compared = (before: Given, after: Given): OperationChange =>
  compareOperation(sideOfWindows(windowsOf({ ...before })), sideOfWindows(windowsOf({ seed: 2, ...after })));

function measureOf(change: OperationChange, measure: ChangeMeasure): MeasureChange {
  return change.measures.find((one) => one.measure === measure) as MeasureChange;
}

describe('compareOperation', () => {
  it.each<[ChangeMeasure, Given]>([
    ['median', { ms: 160 }],
    ['tail', { tail: 4 }],
    ['errors', { errors: 0.05 }],
    ['statements', { queries: 4 }],
    ['cpu', { cpuMs: 40 }],
  ])('finds that the %s got worse, and better the other way round', (measure, changed) => {
    expect(compared({}, changed)).toMatchObject({ verdict: 'worse', before: { count: 1200 } });
    expect(measureOf(compared({}, changed), measure).verdict).toBe('worse');
    expect(measureOf(compared(changed, {}), measure).verdict).toBe('better');
  });

  it('gives the difference with its interval in the unit of the measure and in percent', () => {
    const median = measureOf(compared({}, { ms: 160 }), 'median');
    expect(median.before).toBeGreaterThan(90);
    expect(median.before).toBeLessThan(110);
    expect(median.interval?.[0]).toBeGreaterThan(20);
    expect(median.interval?.[0]).toBeLessThan(60);
    expect(median.interval?.[1]).toBeGreaterThan(60);
    expect(median.percent).toBeCloseTo((100 * (median.difference as number)) / (median.before as number), 6);
    expect(median.percentInterval?.[0]).toBeLessThan(60);
    expect(median.percentInterval?.[1]).toBeGreaterThan(60);
    const errors = measureOf(compared({}, { errors: 0.05 }), 'errors');
    expect(errors.after).toBeCloseTo(0.05, 1);
    expect(errors).toMatchObject({ before: 0, after: errors.difference });
    expect(errors).not.toHaveProperty('percent');
  });

  it('judges the same only where the interval excludes a change that matters', () => {
    const long = compared({ windows: 1000 }, { windows: 1000 });
    expect(long.verdict).toBe('same');
    expect(long.measures.map(({ verdict }) => verdict)).toEqual(new Array(5).fill('same'));
    const short = compared({ windows: 1000 }, { windows: 8 });
    expect(short.verdict).toBe('not enough data');
    expect(measureOf(short, 'median')).toMatchObject({
      verdict: 'not enough data',
      before: expect.any(Number),
    });
    // A change of 5 % is certain with so many windows, and too small to matter.
    const slight = measureOf(compared({ windows: 1000 }, { windows: 1000, ms: 105 }), 'median');
    expect(slight.pValue).toBeLessThan(0.01);
    expect(slight.verdict).toBe('same');
  });

  it('judges nothing from few executions, few windows, or what is unknown on one side', () => {
    // The share of failures alone makes nothing the same, however many executions there are.
    const many = { windows: 4, perWindow: 3000 };
    const fast = compared(many, { ...many, ms: 300 });
    expect(measureOf(fast, 'errors').verdict).toBe('same');
    expect(fast.verdict).toBe('not enough data');
    const [few, none] = [compared({}, { windows: 4 }), compared({}, { windows: 0 })];
    expect(few.measures.map(({ verdict }) => verdict)).toEqual(new Array(5).fill('not enough data'));
    expect(measureOf(few, 'errors')).toHaveProperty('difference', 0);
    expect(measureOf(few, 'median')).toEqual({ measure: 'median', verdict: 'not enough data' });
    expect(none).toMatchObject({ verdict: 'not enough data', after: { count: 0 } });
    expect(none.measures.every((one) => !('difference' in one))).toBe(true);
    const [{ partsMs: _, tailMs: __, ...window } = {}] = windowsOf({ windows: 1, queries: Number.NaN });
    const side = sideOfWindows(new Array(40).fill(window));
    expect(Object.keys(side)).toEqual(['count', 'errors', 'median']);
  });

  it('ignores a change below the minimum of milliseconds, however great in percent', () => {
    const change = compared({ ms: 1, cpuMs: 0.1 }, { ms: 2, cpuMs: 0.2 });
    expect(measureOf(change, 'median').pValue).toBeLessThan(1e-6);
    expect(measureOf(change, 'median').verdict).toBe('same');
    const sides = [{ ms: 1 }, { ms: 2, seed: 2 }].map((given) => sideOfWindows(windowsOf(given)));
    const [before, after] = sides as [(typeof sides)[0], (typeof sides)[0]];
    expect(measureOf(compareOperation(before, after, { minEffectMs: 0.5 }), 'median').verdict).toBe('worse');
  });

  it('is rarely wrong about what did not change, with few windows too', () => {
    const wrong = Array.from({ length: 200 }, (_, seed) =>
      compared({ windows: 30, seed: 2 * seed }, { windows: 16, seed: 2 * seed + 1 }),
    ).filter(({ verdict }) => verdict === 'worse' || verdict === 'better');
    expect(wrong.length).toBeLessThanOrEqual(2);
  });

  it('corrects for all operations that are judged together', () => {
    const before = sideOfWindows(windowsOf({}));
    const after = sideOfWindows(windowsOf({ ms: 120, windows: 16, seed: 2 }));
    const one = { before, after, estimates: estimateChanges(before, after) };
    const alone = judgeOperations([one])[0] as OperationChange;
    const same = { before, after: before, estimates: estimateChanges(before, before) };
    const together = judgeOperations([...new Array(500).fill(same), one]).at(-1) as OperationChange;
    expect(measureOf(alone, 'median').verdict).toBe('worse');
    expect(measureOf(together, 'median').verdict).toBe('not enough data');
    expect(measureOf(together, 'median').interval).toEqual(measureOf(alone, 'median').interval);
  });
});

describe('the tail of a window', () => {
  it('is the geometric mean of the slowest 5 %, the last one in part', () => {
    const window = new OpenWindow();
    const counts = new Float64Array(BUCKETS);
    const slow = counts.length - 40;
    counts[10] = 27;
    counts[slow - 20] = 2;
    counts[slow] = 1;
    window.fold({ count: 30, errors: 0, sum: 30, max: 1e9 } as never, counts, 0, 60_000);
    const tail = Math.log(window.close(undefined).tailMs as number);
    const logOf = (index: number): number => {
      const only = new OpenWindow();
      const ones = new Float64Array(counts.length);
      ones[index] = 1;
      only.fold({ count: 1, errors: 0, sum: 1, max: 1e9 } as never, ones, 0, 60_000);
      return only.close(undefined).meanLog;
    };
    expect(tail).toBeCloseTo((logOf(slow) + 0.5 * logOf(slow - 20)) / 1.5, 9);
  });
});

describe('holm', () => {
  it('gives a published example, in the order given', () => {
    // Holm 1979 with m = 4: the smallest times 4, the next times 3, never falling.
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });
});

describe('shareDifferenceInterval', () => {
  it('gives Newcombe’s examples', () => {
    // Newcombe 1998, table II, method 10: 56/70 and 48/80, and 0/10 and 10/10.
    const [low, high] = shareDifferenceInterval(48, 80, 56, 70);
    expect(low).toBeCloseTo(0.0524, 4);
    expect(high).toBeCloseTo(0.3339, 4);
    const [least, most] = shareDifferenceInterval(0, 10, 10, 10);
    expect(least).toBeCloseTo(0.6075, 4);
    expect(most).toBeCloseTo(1, 4);
  });
});
