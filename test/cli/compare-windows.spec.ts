import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeSnapshot } from '../../lib/baseline/baseline-format.js';
import type { BaselineEntry, BaselineSnapshot } from '../../lib/baseline/baseline-snapshot.js';
import type { Comparison } from '../../lib/baseline/compare-baselines.js';
import { FileBaselineStore } from '../../lib/baseline/file-store.js';
import { LatencySketch } from '../../lib/baseline/latency-sketch.js';
import { WindowModel } from '../../lib/baseline/window-model.js';
import { modelReader } from '../../lib/cli/window-moments.js';
import { BUCKETS, bucketOf } from '../../lib/inference/latency-histogram.js';
import { snapshot } from '../baseline/programs/snapshots.js';
import { runCli } from './support/analyzing.js';

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 5);
const PER_WINDOW = 40;
const OPERATIONS = 12;
/** The spread of the logarithms of latencies, and the deciles of a normal distribution. */
const SIGMA = 0.5;
const QUANTILES = [-1.645, -1.036, -0.674, -0.385, -0.126, 0.126, 0.385, 0.674, 1.036, 1.645];

/** Mulberry32, a deterministic generator. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

interface Behaviour {
  readonly medianMs: number;
  /** The variation between days and windows, and the slowdown in the evening, as logarithms. */
  readonly days?: number;
  readonly evening?: number;
  readonly errorShare?: number;
  readonly queries?: number;
  /** Windows per hour, and the hours with traffic. */
  readonly perHour?: number;
}

/** The baseline of an operation after this many days. */
function learned(name: string, seed: number, days: number, behaviour: Behaviour): BaselineEntry {
  const { medianMs, days: dayNoise = 0.05, evening = 0.2, perHour = 2 } = behaviour;
  const { errorShare = 0.01, queries = 3 } = behaviour;
  const normal = normals(seed);
  const model = new WindowModel();
  const counts = new Float64Array(BUCKETS);
  let total = 0;
  for (let day = 0; day < days; day++) {
    const shift = dayNoise * normal();
    for (let window = 0; window < 24 * perHour; window++) {
      const hour = window / perHour;
      const level = Math.log(medianMs) + shift + 0.03 * normal() + (hour >= 18 ? evening : 0);
      for (const [quantile, z] of QUANTILES.entries()) {
        const ms = Math.exp(level + SIGMA * z);
        (counts[bucketOf(ms)] as number) += PER_WINDOW / QUANTILES.length;
        if (quantile === 0) total += PER_WINDOW;
      }
      // The mean of forty latencies of that level with its sampling error.
      const at = (z: number, off: number): number => level + SIGMA * (z + off * normal());
      const startedAt = START + (day * 24 + hour) * HOUR_MS;
      model.add({
        startedAt,
        endedAt: startedAt + HOUR_MS / perHour,
        count: PER_WINDOW,
        errors: Math.round(errorShare * PER_WINDOW + 0.3 * normal()),
        meanMs: Math.exp(at(SIGMA / 2, 0.17)),
        meanLog: at(0, 0.16),
        p50Ms: Math.exp(at(0, 0.2)),
        p90Ms: Math.exp(at(1.25, 0.27)),
        p99Ms: Math.exp(at(2.16, 0.44)),
        overP99: Number.NaN,
        queries,
      });
    }
  }
  const sketch = new LatencySketch();
  sketch.add(counts);
  return { type: 'http', name, count: total, sketch: sketch.toBytes(), model: model.toBytes() };
}

/** A release with a dozen operations, of which the first has the given properties. */
function release(seed: number, days: number, first: Partial<Behaviour> = {}): BaselineSnapshot {
  const operations = Array.from({ length: OPERATIONS }, (_, index) =>
    learned(`GET /${index}`, seed * 1000 + index, days, {
      medianMs: 10 + index,
      ...(index === 0 ? first : {}),
    }),
  );
  return snapshot({ operations, startedAt: START, savedAt: START + days * 24 * HOUR_MS });
}

describe('nestjs-performance compare with windows', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-compare-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const compared = async (
    before: BaselineSnapshot,
    after: BaselineSnapshot,
  ): Promise<{ code: number; comparison: Comparison }> => {
    const [one, other] = [join(folder, 'before'), join(folder, 'after')];
    await writeFile(one, await encodeSnapshot(before));
    await writeFile(other, await encodeSnapshot(after));
    const { code, stdout } = await runCli(['compare', '--format=json', one, other]);
    return { code, comparison: JSON.parse(stdout) as Comparison };
  };

  it('finds an operation 20 % slower among a dozen, despite the variation between days', async () => {
    for (const seed of [1, 2, 3]) {
      const { code, comparison } = await compared(release(seed, 7), release(seed + 100, 7, { medianMs: 12 }));
      const [first] = comparison.operations;
      expect({ code, name: first?.name, verdict: first?.verdict }).toEqual({
        code: 1,
        name: 'GET /0',
        verdict: 'slower',
      });
      const latency = first?.metrics.find(({ metric }) => metric === 'latency');
      expect(latency?.by).toBe('windows');
      expect(latency?.interval[0]).toBeLessThan(0.2);
      expect(latency?.interval[1]).toBeGreaterThan(0.2);
      expect(comparison.counts.slower).toBe(1);
    }
  });

  it('finds no regression between equal releases', async () => {
    for (const seed of [11, 12, 13, 14, 15]) {
      const { code, comparison } = await compared(release(seed, 7), release(seed + 100, 7));
      expect({ code, slower: comparison.counts.slower, faster: comparison.counts.faster }).toEqual({
        code: 0,
        slower: 0,
        faster: 0,
      });
    }
  });

  it('finds no regression between two days', async () => {
    for (const seed of [21, 22, 23, 24, 25]) {
      const { code } = await compared(release(seed, 1), release(seed + 100, 1));
      expect(code).toBe(0);
    }
  });

  it('finds errors and queries that increased', async () => {
    const worse = { errorShare: 0.06, queries: 5 };
    const { code, comparison } = await compared(release(31, 7), release(131, 7, worse));
    expect(code).toBe(1);
    const told = comparison.operations.flatMap(({ name, metrics }) =>
      metrics.filter(({ verdict }) => verdict === 'worse').map(({ metric }) => `${name} ${metric}`),
    );
    expect(told.sort()).toEqual(['GET /0 error_rate', 'GET /0 queries']);
  });

  it('merges the instances of a directory', async () => {
    const directory = join(folder, 'kept');
    const store = new FileBaselineStore(directory, () => {});
    await store.save(release(41, 3));
    await store.save({ ...release(42, 3), instance: 'host-2-bb' });
    const before = join(folder, 'before');
    await writeFile(before, await encodeSnapshot(release(43, 3, { medianMs: 8 })));
    const { code, stdout } = await runCli(['compare', '--format=json', before, directory]);
    const [first] = (JSON.parse(stdout) as Comparison).operations;
    expect([code, first?.name, first?.metrics[0]?.by]).toEqual([1, 'GET /0', 'windows']);
  });

  it('falls back to counts for an unreadable model or few windows', async () => {
    const cut = ({ operations, ...rest }: BaselineSnapshot): BaselineSnapshot => ({
      ...rest,
      operations: operations.map((entry) => ({ ...entry, model: entry.model.slice(0, 9) })),
    });
    const { comparison } = await compared(cut(release(51, 7)), release(151, 7));
    expect(comparison.operations.every(({ metrics }) => metrics.every(({ by }) => by === 'counts'))).toBe(
      true,
    );
  });
});

describe('the moments of a model', () => {
  it('are absent for an empty one', () => {
    expect(modelReader(1)(new WindowModel().toBytes())).toEqual({});
  });

  it('have a smaller sample size for correlated windows', () => {
    const of = (days: number): number =>
      modelReader(7)(learned('GET /', 5, 7, { medianMs: 10, days }).model).latency?.n ?? 0;
    expect(of(0.3)).toBeLessThan(of(0) / 2);
  });

  it('do not depend on the distribution of traffic over the hours', () => {
    const mean = (evening: number): number =>
      modelReader(7)(learned('GET /', 6, 7, { medianMs: 10, evening, days: 0 }).model).latency?.mean ?? 0;
    expect(mean(0.8) - mean(0)).toBeCloseTo(0.8 / 4, 1);
  });
});
