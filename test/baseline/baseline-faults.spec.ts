import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { runToCompletion } from '../../lib/async/cooperative.js';
import { BaselineKeeper } from '../../lib/baseline/baseline-keeper.js';
import { BaselineLearner } from '../../lib/baseline/baseline-learner.js';
import type { KeyValueStore } from '../../lib/baseline/baseline-options.js';
import { planTidy } from '../../lib/baseline/baseline-tidy.js';
import { FileBaselineStore } from '../../lib/baseline/file-store.js';
import type { StoredBaseline } from '../../lib/baseline/stored-baseline.js';
import type { LearnedHistory } from '../../lib/baseline/watched-history.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import type { BaselineLatency } from '../../lib/statistics/operation-history.js';
import { type SimulatedOperation, SimulatedService, type Simulation } from './simulated-service.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const albums: SimulatedOperation = { name: 'GET /albums', perMinute: 60, medianMs: () => 50 };
const slowAlbums: SimulatedOperation = { ...albums, medianMs: () => 100 };

/** A store in memory, and what is done instead of its `get` and `set`. */
function memoryStore(): KeyValueStore & { values: Map<string, unknown>; fails: boolean } {
  const values = new Map<string, unknown>();
  return {
    values,
    fails: false,
    async get(key) {
      if (this.fails) throw new Error('the connection is lost');
      return values.get(key);
    },
    async set(key, value) {
      if (this.fails) throw new Error('the connection is lost');
      values.set(key, value);
    },
    async delete(key) {
      values.delete(key);
    },
  };
}

describe('a baseline whose surroundings fail', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'baseline-'));
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    await rm(directory, { recursive: true });
  });

  function service(options = {}, simulation: Simulation = {}): SimulatedService {
    return new SimulatedService({ directory, ...options }, simulation);
  }

  function baselineOf(
    { statistics }: SimulatedService,
    { name }: SimulatedOperation,
  ): BaselineLatency | undefined {
    return statistics.history('http', name)?.baseline;
  }

  it('keeps what an operation took that was first seen while the others took theirs', async () => {
    const before = service();
    before.run(40, [albums]);
    await before.baseline.save();
    const options = resolveOptions({ baseline: { directory } }).baseline;
    const run = { service: 'albums', version: undefined, startedAt: Date.now() };
    const loaded = await new BaselineKeeper(options, run, () => {}).load();
    const { statistics } = before;
    const around = {
      ...{ maxOperations: 10, operations: () => statistics.withHistory(), thresholdOf: () => undefined },
      ...{ onRegression: () => {}, onTrend: () => {}, onError: () => {} },
    };
    const learner = new BaselineLearner(options, around, undefined, 0);
    learner.historyOf('http', 'GET /artists');
    const taking = learner.taking(loaded?.stored as StoredBaseline);
    taking.next();
    const history = learner.historyOf('http', albums.name);
    expect(history?.baseline?.count).toBeGreaterThan(2000);
    runToCompletion(taking);
    expect(history?.watched?.baselineLatency()?.count).toBeGreaterThan(2000);
  });

  it('keeps loaded data if the store cannot be read again', async () => {
    const store = memoryStore();
    const before = service({ store });
    before.run(60, [albums]);
    await before.baseline.save();
    const after = service({ store });
    await after.baseline.load();
    after.run(1, [albums]);
    store.fails = true;
    await after.baseline.load();
    after.run(1, [albums]);
    expect(baselineOf(after, albums)?.count).toBeGreaterThan(3000);
    expect(after.baseline.historyOf('http', 'GET /first seen now')?.baseline).toBeUndefined();
    expect(after.warnings).toEqual([expect.stringContaining('the connection is lost')]);
  });

  it('keeps loaded data if the store has lost everything, as a replaced server', async () => {
    const store = memoryStore();
    const before = service({ store });
    before.run(60, [albums]);
    await before.baseline.save();
    const after = service({ store });
    await after.baseline.load();
    after.run(1, [albums]);
    await after.baseline.save();
    store.values.clear();
    await after.baseline.load();
    expect(baselineOf(after, albums)?.count).toBeGreaterThan(3000);
  });

  it('takes a Keyv whose adapter fails in silence for one that fails', async () => {
    const silent = { get: async () => undefined, set: async () => false, delete: async () => false };
    const running = service({ store: silent });
    await running.baseline.load();
    expect(running.baseline.status.state).toBe('loading');
    expect(running.warnings).toEqual([expect.stringContaining('could not be read')]);
  });

  it('gives objectives back what they had counted, once it can be read, and once alone', async () => {
    const store = memoryStore();
    const slo = { saved: () => ({ bad: 3 }), restore: jest.fn() };
    const before = service({ store }, { slo: { saved: slo.saved, restore: () => {} } });
    await before.baseline.load();
    // With nothing learned.
    await before.baseline.save();
    // A run that ends before it has read them must not take their place.
    const between = service({ store }, { slo: { saved: () => ({ bad: 0 }), restore: () => {} } });
    between.baseline.start();
    await between.baseline.shutdown();
    const after = service({ store }, { slo });
    store.fails = true;
    await after.baseline.load();
    expect(slo.restore).not.toHaveBeenCalled();
    store.fails = false;
    await after.baseline.load();
    await after.baseline.load();
    expect(slo.restore.mock.calls).toEqual([[{ bad: 3 }]]);
  });

  it('continues if the counts of objectives cannot be saved', async () => {
    const fault = new Error('no counters');
    const slo = {
      saved: (): never => {
        throw fault;
      },
      restore: () => {},
    };
    const running = service({}, { slo });
    running.run(40, [albums]);
    await running.baseline.load();
    expect(await running.baseline.save()).toBe(false);
    expect(running.errors).toEqual([fault]);
  });

  it('goes on with all others where one operation cannot be learned', async () => {
    const running = service();
    running.run(40, [albums, { ...albums, name: 'GET /artists' }]);
    const { watched } = (running.statistics.history('http', albums.name) ?? {}) as Partial<LearnedHistory>;
    Object.assign(watched ?? {}, {
      addLatencies: () => {
        throw new Error('too much');
      },
    });
    running.run(40, [albums, { ...albums, name: 'GET /artists' }]);
    expect(running.errors).toHaveLength(1);
    expect(baselineOf(running, { ...albums, name: 'GET /artists' })?.count).toBeGreaterThan(4500);
    // It started over.
    expect(baselineOf(running, albums)?.count).toBeLessThan(2500);
    expect(await running.baseline.save()).toBe(true);
  });

  it('saves without changes before other instances take the run for over', async () => {
    const running = service();
    running.run(40, [albums]);
    await running.baseline.save();
    const [file = ''] = await readdir(directory);
    const savedAt = async (): Promise<number> =>
      JSON.parse((await readFile(join(directory, file), 'utf8')).split('\n')[0] as string).savedAt;
    const first = await savedAt();
    const clock = jest.spyOn(Date, 'now');
    clock.mockReturnValue(first + 9 * MINUTE);
    await running.baseline.save();
    expect(await savedAt()).toBe(first);
    clock.mockReturnValue(first + 17 * MINUTE);
    await running.baseline.save();
    expect(await savedAt()).toBe(first + 17 * MINUTE);
  });

  it('does not merge itself, and is another run where others have done so', async () => {
    const store = new FileBaselineStore(directory, () => {});
    const other = service();
    other.run(60, [albums]);
    await other.baseline.save();
    const running = service();
    running.run(60, [albums]);
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 1500);
    await running.baseline.save();
    const snapshots = (await store.load('albums')) ?? [];
    expect(snapshots).toHaveLength(2);
    const own = snapshots.find(({ instance }) => instance === running.baseline.snapshot().instance)?.instance;
    const bounds = { staleMs: MINUTE, maxAgeMs: 30 * DAY, maxVersions: 10, halfLifeMs: 7 * DAY };
    const plan = { ...bounds, now: Date.now() + 2 * MINUTE };
    expect(planTidy(snapshots, { ...plan, instance: own as string }).archives).toEqual([]);
    const { archives } = planTidy(snapshots, plan);
    for (const archive of archives) await store.save(archive);
    const counted = baselineOf(running, albums)?.count as number;
    await running.baseline.load();
    expect(running.baseline.snapshot().instance).not.toBe(own);
    expect(baselineOf(running, albums)?.count).toBeCloseTo(2 * counted, -2);
    running.run(2, [albums]);
    expect(baselineOf(running, albums)?.count).toBeLessThan(2.1 * counted);
  });

  it('keeps its own data if that is more than an archive contains', async () => {
    const store = new FileBaselineStore(directory, () => {});
    const running = service();
    running.run(40, [albums]);
    await running.baseline.save();
    const other = service();
    other.run(40, [albums]);
    await other.baseline.save();
    const bounds = { staleMs: MINUTE, maxAgeMs: 30 * DAY, maxVersions: 10, halfLifeMs: 7 * DAY };
    const plan = { ...bounds, now: Date.now() + 2 * MINUTE };
    const { archives } = planTidy((await store.load('albums')) ?? [], plan);
    for (const archive of archives) await store.save(archive);
    // Long since, and none of it could be saved.
    running.run(400, [albums]);
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 1200);
    await running.baseline.load();
    expect(baselineOf(running, albums)?.count).toBeGreaterThan(25_000);
  });

  it('reports once a version that got slower, until a day later that is its baseline', async () => {
    const before = service({}, { version: '1.0.0' });
    before.run(120, [albums]);
    await before.baseline.save();
    await new Promise((done) => setTimeout(done, 5));
    const running = service({}, { version: '1.1.0' });
    await running.baseline.load();
    running.run(60, [albums]);
    running.run(25 * 60, [{ ...slowAlbums, perMinute: 40 }]);
    running.run(120, [slowAlbums]);
    expect(running.opened).toHaveLength(1);
    expect(baselineOf(running, albums)?.p50Ms).toBeGreaterThan(90);
    // And not again after a restart.
    await running.baseline.save();
    const after = service({}, { version: '1.1.0' });
    await after.baseline.load();
    after.run(60, [slowAlbums]);
    expect(after.opened).toEqual([]);
    expect(baselineOf(after, albums)?.p50Ms).toBeGreaterThan(90);
  });

  it('leaves trends out that nothing was heard of for long', () => {
    const running = service({ regressions: { enabled: false } });
    running.run(10 * 60, [{ ...albums, medianMs: (minute) => 100 + minute * 0.5 }]);
    const [trend] = running.baseline.trends();
    const to = trend?.to as number;
    expect(running.baseline.trends(to + DAY / 2)).toHaveLength(1);
    expect(running.baseline.trends(to + 2 * DAY)).toEqual([]);
  });

  it('waits at its end for what is being saved, and saves once more', async () => {
    const saved: string[] = [];
    const store = memoryStore();
    const slow = {
      ...store,
      async set(key: string, value: string) {
        await new Promise((done) => setTimeout(done, 50));
        store.values.set(key, value);
        if (key.includes(':of:')) saved.push(value);
      },
    };
    const running = service({ store: slow });
    running.baseline.start();
    running.run(40, [albums]);
    void running.baseline.save();
    await new Promise((done) => setTimeout(done, 5));
    running.run(2, [albums]);
    await running.baseline.shutdown();
    expect(saved.map((text) => JSON.parse(text.split('\n')[0] as string).ended)).toEqual([undefined, true]);
  });

  it('is read where what is old cannot be put in order', async () => {
    const store = memoryStore();
    const old = service({ store });
    old.run(40, [albums]);
    await old.baseline.save();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 2 * DAY);
    const second = service({ store });
    second.run(40, [albums]);
    await second.baseline.save();
    clock.mockReturnValue(Date.now() + 4 * DAY);
    const hanging = { ...store, set: () => new Promise<never>(() => {}) };
    const running = service({ store: hanging });
    await running.baseline.load();
    expect(running.baseline.status.state).toBe('learning');
    expect(running.baseline.historyOf('http', albums.name)?.baseline).toBeDefined();
    expect(running.errors).toEqual([]);
  });
});
