import { describe, expect, it } from '@jest/globals';
import { type MergeOptions, mergeSnapshots } from '../../lib/baseline/baseline-merge.js';
import type { BaselineSnapshot } from '../../lib/baseline/baseline-snapshot.js';
import { planTidy, type TidyOptions, tidy } from '../../lib/baseline/baseline-tidy.js';
import { KeyvBaselineStore } from '../../lib/baseline/keyv-store.js';
import { OperationPeriods } from '../../lib/baseline/operation-periods.js';
import { WindowModel } from '../../lib/baseline/window-model.js';
import { releaseEntry } from './programs/release-entries.js';
import { randomOf, windowOf } from './programs/simulated-windows.js';
import { entry, snapshot } from './programs/snapshots.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 1000 * DAY;
const MODEL = modelOf(2);
const MERGE: MergeOptions = { halfLifeMs: 7 * DAY, at: NOW };
const TIDY: TidyOptions = {
  halfLifeMs: 7 * DAY,
  now: NOW,
  staleMs: HOUR,
  maxAgeMs: 30 * DAY,
  maxVersions: 10,
};

function modelOf(windows: number): Uint8Array<ArrayBuffer> {
  const model = new WindowModel();
  const random = randomOf(1);
  for (let i = 0; i < windows; i++) model.add(windowOf(random, NOW + i * HOUR, HOUR, 40));
  return new Uint8Array(model.toBytes());
}

function of(instance: string, change: Partial<BaselineSnapshot> = {}): BaselineSnapshot {
  return snapshot({
    instance,
    savedAt: NOW,
    operations: [entry('GET /a', 10, 100, MODEL)],
    ...change,
  });
}
const total = (snapshots: readonly BaselineSnapshot[]): number[] =>
  mergeSnapshots(snapshots, MERGE).map(({ operations }) => operations.get('http\nGET /a')?.count ?? 0);

describe('mergeSnapshots', () => {
  it('adds instances of one version in any order, and separates versions', () => {
    const all = [of('a'), of('b'), of('c', { version: '2.0.0', savedAt: NOW - 1 })];
    const [first, second] = mergeSnapshots(all, MERGE);
    expect([first?.version, second?.version]).toEqual(['1.0.0', '2.0.0']);
    expect(first?.instances).toEqual(['a', 'b']);
    const operation = first?.operations.get('http\nGET /a');
    expect(operation?.count).toBe(200);
    expect(WindowModel.fromBytes(operation?.model as Uint8Array).weight).toBe(4);
    expect(mergeSnapshots([...all].reverse(), MERGE)).toEqual(mergeSnapshots(all, MERGE));
  });

  it('halves the weight of data that is a half-life older', () => {
    expect(total([of('a', { savedAt: NOW - 7 * DAY })])[0]).toBeCloseTo(50, 9);
  });

  it('counts no instance twice', () => {
    const archive = of('archive-1', { absorbs: ['a', 'b'] });
    expect(total([of('a'), of('b'), archive, of('c')])).toEqual([200]);
    // Of two archives with a common part, only one counts.
    expect(total([archive, of('archive-2', { absorbs: ['b', 'c'] })])).toEqual([100]);
    expect(total([archive, of('archive-3', { absorbs: ['c', 'd'] })])).toEqual([200]);
  });

  it('keeps the periods of instances from before a new baseline', () => {
    const at = (startedAt: number): BaselineSnapshot['operations'] => [
      releaseEntry('GET /a', { startedAt, minutes: 20 }),
    ];
    const rebasedAt = NOW - HOUR;
    const rebased = at(NOW - HOUR).map((one) => ({ ...one, rebasedAt }));
    const all = [
      of('a', { startedAt: NOW - 9 * DAY, operations: at(NOW - 2 * HOUR) }),
      of('b', { startedAt: NOW - 9 * DAY, operations: rebased }),
    ];
    const merged = mergeSnapshots(all, MERGE)[0]?.operations.get('http\nGET /a');
    expect(merged).toMatchObject({ count: rebased[0]?.count, rebasedAt });
    const periods = OperationPeriods.fromBytes(merged?.periods as Uint8Array).list();
    expect(periods.map(({ startedAt }) => (NOW - startedAt) / HOUR)).toEqual([5 / 6, 1, 11 / 6, 2]);
    const unreadable = all.map((one) => ({
      ...one,
      operations: one.operations.map((each) => ({ ...each, sketch: Uint8Array.of(9) })),
    }));
    expect(mergeSnapshots(unreadable, MERGE)[0]?.operations.size).toBe(0);
  });

  it('leaves out a sketch or a model that cannot be read', () => {
    const broken = of('b', { operations: [{ ...entry('GET /a'), sketch: Uint8Array.of(9) }] });
    expect(total([of('a'), broken])).toEqual([100]);
    const foreign = of('b', { operations: [entry('GET /a', 10, 100, Uint8Array.of(9))] });
    expect(mergeSnapshots([foreign], MERGE)[0]?.operations.get('http\nGET /a')).toMatchObject({
      count: 100,
      model: new Uint8Array(0),
    });
  });
});

describe('planTidy', () => {
  const over = { savedAt: NOW - 2 * HOUR };

  it('keeps the snapshots of live instances', () => {
    expect(planTidy([of('a'), of('b')], TIDY)).toEqual({ archives: [], remove: [] });
    expect(planTidy([of('a', over), of('b')], TIDY)).toEqual({ archives: [], remove: [] });
  });

  it('merges the same runs into the same archive, and removes them only once it is stored', () => {
    const runs = [of('a', over), of('b', over), of('c')];
    const plan = planTidy(runs, TIDY);
    expect(plan.remove).toEqual([]);
    expect(planTidy([...runs].reverse(), TIDY)).toEqual(plan);
    const [archive] = plan.archives;
    expect(archive?.absorbs).toEqual(['a', 'b']);
    expect(planTidy([...runs, ...plan.archives], TIDY)).toEqual({ archives: [], remove: ['a', 'b'] });
    const after = total([...runs, ...plan.archives])[0] as number;
    expect(Math.abs(after - (total(runs)[0] as number))).toBeLessThan(1e-6);
  });

  it('keeps ten versions, and removes snapshots older than thirty days', () => {
    const versions = Array.from({ length: 13 }, (_, i) =>
      of(`v${i}`, { version: `${i}`, savedAt: NOW - (i + 2) * HOUR }),
    );
    expect(planTidy(versions, TIDY).remove).toEqual(['v10', 'v11', 'v12']);
    const old = of('old', { savedAt: NOW - 31 * DAY });
    expect(planTidy([old, of('live')], TIDY).remove).toEqual(['old']);
  });

  it('does not remove everything if its clock may be wrong', () => {
    const [live, before] = [of('live'), of('before', { savedAt: NOW - 2 * DAY })];
    const ahead = { ...TIDY, now: NOW + 31 * DAY, instance: 'own' };
    const own = of('own', { savedAt: ahead.now });
    expect(planTidy([live, before, own], ahead).remove).toEqual([]);
    // A snapshot that is that much older than another one is old by any clock.
    expect(planTidy([live, of('old', { savedAt: NOW - 31 * DAY }), own], ahead).remove).toEqual(['old']);
  });

  it('merges the snapshots of 300 restarts without loss', async () => {
    const values = new Map<string, unknown>();
    const map = {
      get: async (key: string) => values.get(key),
      set: async (key: string, value: unknown) => values.set(key, value),
      delete: async (key: string) => values.delete(key),
    };
    const store = new KeyvBaselineStore(map, 30 * DAY, () => {});
    for (let i = 0; i < 300; i++) await store.save(of(`run-${i}`, over));
    const before = total((await store.load('shop')) ?? [])[0] as number;
    for (let round = 0; round < 12; round++) await tidy(store, 'shop', TIDY);
    const left = (await store.load('shop')) ?? [];
    expect(left).toHaveLength(1);
    expect(Math.abs((total(left)[0] as number) / before - 1)).toBeLessThan(0.001);
  });
});
