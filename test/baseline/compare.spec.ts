import { describe, expect, it } from '@jest/globals';
import { type MergedBaseline, operationKey } from '../../lib/baseline/baseline-merge.js';
import type { BaselineEntry } from '../../lib/baseline/baseline-snapshot.js';
import {
  type ComparedOperation,
  compareBaselines,
  type WindowMoments,
} from '../../lib/baseline/compare-baselines.js';
import { LatencySketch } from '../../lib/baseline/latency-sketch.js';
import { entry } from './programs/snapshots.js';

function baseline(...operations: BaselineEntry[]): MergedBaseline {
  return {
    version: '1.0.0',
    startedAt: 1_000,
    savedAt: 2_000,
    instances: ['host-1-aa'],
    operations: new Map(
      operations.map((one) => [operationKey(one), { ...one, sketch: LatencySketch.fromBytes(one.sketch) }]),
    ),
  };
}

const verdictOf = (
  before: BaselineEntry[],
  after: BaselineEntry[],
): ComparedOperation['verdict'] | undefined =>
  compareBaselines(baseline(...before), baseline(...after)).operations[0]?.verdict;

describe('compareBaselines by counts', () => {
  it('distinguishes slower, faster, new and gone operations', () => {
    expect(verdictOf([entry('a', 10, 2000)], [entry('a', 15, 2000)])).toBe('slower');
    expect(verdictOf([entry('a', 15, 2000)], [entry('a', 10, 2000)])).toBe('faster');
    expect(verdictOf([], [entry('a')])).toBe('new');
    expect(verdictOf([entry('a')], [])).toBe('gone');
  });

  it('reports no change if nothing changed, within the noise between runs, and for too few operations', () => {
    expect(verdictOf([entry('a', 10, 2000)], [entry('a', 10, 3000)])).toBe('no_change');
    expect(verdictOf([entry('a', 10, 1e6)], [entry('a', 10.8, 1e6)])).toBe('no_change');
    expect(verdictOf([entry('a', 10, 29)], [entry('a', 30, 1000)])).toBe('too_few');
    // A change below the minimum is not reported, however significant.
    const options = { minEffectPercent: 60 };
    const compared = compareBaselines(
      baseline(entry('a', 10, 2000)),
      baseline(entry('a', 15, 2000)),
      options,
    );
    expect(compared.operations[0]?.verdict).toBe('no_change');
  });

  it('gives the change with a confidence interval', () => {
    const [one] = compareBaselines(baseline(entry('a', 10, 2000)), baseline(entry('a', 15, 2000))).operations;
    const latency = one?.metrics.find(({ metric }) => metric === 'latency');
    expect(latency?.change).toBeCloseTo(0.5, 1);
    expect(latency?.interval[0]).toBeLessThan(0.5);
    expect(latency?.interval[1]).toBeGreaterThan(0.5);
    expect(latency).toMatchObject({ by: 'counts', verdict: 'worse' });
  });

  it('corrects for the number of comparisons', () => {
    const others = Array.from({ length: 500 }, (_, i) => entry(`same ${i}`, 10, 100));
    const [before, after] = [entry('a', 10, 100), entry('a', 12.8, 100)];
    expect(verdictOf([before], [after])).toBe('slower');
    expect(verdictOf([before, ...others], [after, ...others])).toBe('no_change');
  });
});

describe('compareBaselines by windows', () => {
  const models: WindowMoments[] = [
    {
      latency: { n: 50, mean: 2, variance: 0.01 },
      error_rate: { n: 50, mean: 0.01, variance: 1e-5 },
      queries: { n: 50, mean: 3, variance: 0.01 },
    },
    {
      latency: { n: 50, mean: 2.15, variance: 0.01 },
      error_rate: { n: 50, mean: 0.01, variance: 1e-5 },
      queries: { n: 50, mean: 3, variance: 0.01 },
    },
    {
      latency: { n: 50, mean: 2, variance: 0.01 },
      error_rate: { n: 50, mean: 0.05, variance: 1e-5 },
      queries: { n: 50, mean: 3, variance: 0.01 },
    },
    {
      latency: { n: 50, mean: 2, variance: 0.01 },
      error_rate: { n: 50, mean: 0.01, variance: 1e-5 },
      queries: { n: 50, mean: 6, variance: 0.01 },
    },
    { latency: { n: 4, mean: 3, variance: 0.01 } },
  ];
  const compared = (
    after: number,
    readModel = (bytes: Uint8Array) => models[bytes[0] as number],
  ): ComparedOperation | undefined =>
    compareBaselines(
      baseline(entry('a', 10, 2000, Uint8Array.of(0))),
      baseline(entry('a', 10, 2000, Uint8Array.of(after))),
      { readModel },
    ).operations[0];
  const worse = (after: number): (string | undefined)[] =>
    (compared(after)?.metrics ?? []).filter(({ verdict }) => verdict === 'worse').map(({ metric }) => metric);

  it('reports which metric got worse', () => {
    expect([0, 1, 2, 3].map(worse)).toEqual([[], ['latency'], ['error_rate'], ['queries']]);
  });

  it('compares counts if there are too few windows or the model cannot be read', () => {
    expect(compared(4)?.metrics[0]).toMatchObject({ by: 'counts', verdict: 'no_change' });
    const broken = compared(1, () => {
      throw new RangeError('no');
    });
    expect(broken?.metrics[0]).toMatchObject({ by: 'counts', verdict: 'no_change' });
  });
});
