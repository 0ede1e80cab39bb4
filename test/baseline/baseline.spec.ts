import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type SimulatedOperation, SimulatedService } from './simulated-service.js';

const albums: SimulatedOperation = {
  name: 'GET /albums',
  perMinute: 60,
  medianMs: () => 50,
  queries: 3,
  part: 'database',
};
const select: SimulatedOperation = {
  type: 'database',
  name: 'SELECT albums',
  perMinute: 60,
  medianMs: () => 40,
};

function slower(operation: SimulatedOperation, factor: number): SimulatedOperation {
  return { ...operation, medianMs: (minute) => operation.medianMs(minute) * factor };
}

describe('a baseline', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'baseline-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  function service(version?: string, options = {}): SimulatedService {
    return new SimulatedService({ directory, ...options }, version === undefined ? {} : { version });
  }

  function baselineOf({ statistics }: SimulatedService, { type = 'http', name }: SimulatedOperation) {
    return statistics.history(type, name)?.baseline;
  }

  it('has a baseline once there is enough data', () => {
    const running = service();
    running.run(3, [{ ...albums, perMinute: 5 }]);
    expect(baselineOf(running, albums)).toBeUndefined();
    running.run(30, [albums]);
    expect(baselineOf(running, albums)?.p50Ms).toBeGreaterThan(45);
    expect(baselineOf(running, albums)?.p50Ms).toBeLessThan(55);
    expect(baselineOf(running, albums)?.p95Ms).toBeGreaterThan(100);
    expect(running.errors).toEqual([]);
  });

  it('reports what got slower, where the time goes, and which statements got slower as well', () => {
    const running = service();
    // With less than a day of history, it takes hours.
    running.run(24 * 60, [albums, select]);
    expect(running.opened).toEqual([]);
    running.run(40, [slower(albums, 1.5), slower(select, 1.5)]);
    const told = running.baseline.regressions().find(({ name }) => name === 'GET /albums');
    expect(told).toMatchObject({ metric: 'latency', against: 'baseline', state: 'open' });
    expect(told?.change).toBeGreaterThan(0.3);
    expect(told?.change).toBeLessThan(0.8);
    expect(told?.interval[0]).toBeLessThan(0.5);
    expect(told?.interval[1]).toBeGreaterThan(0.5);
    expect(told?.parts[0]?.part).toBe('database');
    expect(told?.alongside?.map(({ name }) => name)).toEqual(['SELECT albums']);
    expect(told?.explanation).toContain('SELECT albums');
    expect(running.opened.map(({ name }) => name).sort()).toEqual(['GET /albums', 'SELECT albums']);
  });

  it('reads the store once for the verdicts of five seconds, again after a failure', async () => {
    const values = new Map<string, unknown>();
    let fails = true;
    let reads = 0;
    const store = {
      get: async (key: string) => {
        reads++;
        if (fails) throw new Error('unreachable');
        return values.get(key);
      },
      set: async (key: string, value: unknown) => values.set(key, value),
      delete: async (key: string) => values.delete(key),
    };
    const running = service('2.0.0', { store });
    running.run(5, [albums]);
    expect((await running.baseline.release()).versions).toHaveLength(1);
    fails = false;
    const previous = service('1.0.0', { store });
    previous.run(5, [albums]);
    await previous.baseline.save();
    reads = 0;
    const other = async (): Promise<string | undefined> => (await running.baseline.release()).before?.version;
    expect(await other()).toBe('1.0.0');
    const once = reads;
    expect(once).toBeGreaterThan(0);
    // One after the other.
    expect([await other(), await other()]).toEqual(['1.0.0', '1.0.0']);
    expect(reads).toBe(once);
    for (const end = Date.now() + 15_000; reads === once && Date.now() < end; ) {
      await pause(100);
      await other();
    }
    expect(reads).toBe(2 * once);
    await running.baseline.shutdown();
  }, 20_000);

  it('says nothing of a service that stays as it is, for two days', () => {
    const running = service();
    running.run(2 * 24 * 60, [{ ...albums, perMinute: 20 }]);
    expect(running.opened).toEqual([]);
    expect(running.trended).toEqual([]);
    expect(running.baseline.trends()).toEqual([]);
  });

  it('reports more queries and more errors', () => {
    const running = service();
    running.run(120, [albums]);
    running.run(40, [{ ...albums, queries: 40, errorShare: 0.1 }]);
    expect(running.opened.map(({ metric }) => metric).sort()).toEqual(['error_rate', 'queries']);
  });

  it('says when it is over', () => {
    const running = service();
    running.run(120, [albums]);
    running.run(40, [slower(albums, 2)]);
    expect(running.baseline.regressions()).toMatchObject([{ state: 'open' }]);
    running.run(40, [albums]);
    expect(running.baseline.regressions()).toMatchObject([{ state: 'over' }]);
    expect(baselineOf(running, albums)?.p50Ms).toBeLessThan(55);
  });

  it('takes what lasts a day for the new normal', () => {
    const running = service();
    running.run(120, [albums]);
    running.run(25 * 60, [slower(albums, 2)]);
    expect(running.opened).toHaveLength(1);
    expect(running.baseline.regressions()).toMatchObject([{ state: 'over' }]);
    running.run(60, [slower(albums, 2)]);
    expect(running.opened).toHaveLength(1);
    expect(baselineOf(running, albums)?.p50Ms).toBeGreaterThan(90);
  });

  it('keeps its baselines across a restart', async () => {
    const before = service('1.0.0');
    before.run(120, [albums]);
    expect(await before.baseline.save()).toBe(true);
    const after = service('1.0.0');
    await after.baseline.load();
    after.run(1, [albums]);
    expect(baselineOf(after, albums)?.count).toBeGreaterThan(6000);
    // What begins with the process is reported after an hour.
    after.run(75, [slower(albums, 1.5)]);
    expect(after.opened).toMatchObject([{ against: 'baseline', name: 'GET /albums' }]);
  });

  it('takes what was stored also for operations that were seen before it was read', async () => {
    const before = service('1.0.0');
    before.run(60, [albums]);
    await before.baseline.save();
    const after = service('1.0.0');
    after.run(1, [albums]);
    expect(baselineOf(after, albums)?.count).toBe(60);
    await after.baseline.load();
    expect(baselineOf(after, albums)?.count).toBeGreaterThan(3000);
  });

  it('compares a new version with the last one', async () => {
    const before = service('1.0.0');
    before.run(180, [albums, select]);
    await before.baseline.save();
    await new Promise((done) => setTimeout(done, 5));
    const after = service('1.1.0');
    await after.baseline.load();
    expect(after.baseline.status).toMatchObject({ comparesVersions: true, previousVersion: '1.0.0' });
    after.run(75, [slower(albums, 1.4), select]);
    expect(after.opened).toMatchObject([
      {
        name: 'GET /albums',
        metric: 'latency',
        against: 'version',
        version: '1.1.0',
        previousVersion: '1.0.0',
      },
    ]);
    expect(after.opened[0]?.explanation).toContain('1.0.0');
  });

  it('says nothing of a new version that is as fast as the last one', async () => {
    const before = service('1.0.0');
    before.run(180, [albums, select]);
    await before.baseline.save();
    await new Promise((done) => setTimeout(done, 5));
    const after = service('1.1.0', {});
    await after.baseline.load();
    after.run(12 * 60, [albums, select]);
    expect(after.opened).toEqual([]);
  });

  it('derives adaptive thresholds from baselines if enabled', () => {
    const running = service(undefined, { adaptive: { enabled: true, factor: 2, minCount: 200 } });
    running.run(3, [albums]);
    expect(running.statistics.history('http', albums.name)?.adaptiveMs).toBe(Number.POSITIVE_INFINITY);
    running.run(30, [albums]);
    const { adaptiveMs, baseline: known } = running.statistics.history('http', albums.name) ?? {};
    expect(adaptiveMs).toBe(2 * (known?.p95Ms ?? 0));
  });

  it('keeps baselines when statistics are reset', () => {
    const running = service();
    running.run(60, [albums]);
    running.statistics.reset();
    running.run(1, [albums]);
    expect(baselineOf(running, albums)?.count).toBeGreaterThan(3000);
  });

  it('reports a trend, and when it reaches the threshold', () => {
    const running = service(undefined, { regressions: { enabled: false } });
    running.run(10 * 60, [{ ...albums, medianMs: (minute) => 100 + minute * 0.5 }]);
    expect(running.trended).toHaveLength(1);
    expect(running.baseline.trends()).toMatchObject([{ unit: 'ms', forecast: { limit: 1000 } }]);
  });

  it('knows no more operations than it may', () => {
    const running = new SimulatedService({ directory }, { maxOperations: 3 });
    running.run(
      2,
      Array.from({ length: 10 }, (_, index) => ({ ...albums, name: `GET /${index}` })),
    );
    for (let index = 0; index < 3; index++) {
      running.statistics.reset();
      running.run(
        2,
        Array.from({ length: 3 }, (_, each) => ({ ...albums, name: `POST /${index}/${each}` })),
      );
    }
    expect(running.baseline.historyOf('http', 'GET /new')).toBeUndefined();
    expect(running.baseline.historyOf('http', 'GET /0')).toBeDefined();
  });

  it('learns nothing of streams, while the process warms up, or when it is off', () => {
    const warming = service(undefined, { warmUpSeconds: 3600 });
    warming.run(50, [albums]);
    expect(baselineOf(warming, albums)).toBeUndefined();
    const off = service(undefined, { enabled: false });
    off.run(50, [albums]);
    expect(off.statistics.history('http', albums.name)).toBeUndefined();
    const streaming = service();
    const history = streaming.baseline.historyOf('http', albums.name);
    if (history !== undefined) history.isStream = true;
    streaming.run(50, [albums]);
    expect(history?.baseline).toBeUndefined();
  });

  it('saves nothing where nothing was learned, and on shutdown what was not judged', async () => {
    const idle = service();
    idle.baseline.start();
    await idle.baseline.shutdown();
    expect(await readdir(directory)).toEqual([]);
    const running = service();
    running.baseline.start();
    // Too few for a window.
    running.run(2, [{ ...albums, perMinute: 10 }]);
    await running.baseline.shutdown();
    expect(await readdir(directory)).toHaveLength(1);
    const next = service();
    await next.baseline.load();
    next.run(31, [{ ...albums, perMinute: 1 }]);
    expect(baselineOf(next, albums)?.count).toBeGreaterThan(45);
  });

  it('does not wait for a store that never answers', async () => {
    const never = (): Promise<never> => new Promise(() => {});
    const running = service(undefined, { store: { get: never, set: never, delete: never } });
    running.baseline.start();
    void running.baseline.load();
    running.run(40, [albums]);
    expect(baselineOf(running, albums)).toBeDefined();
    await running.baseline.shutdown();
    expect(running.errors).toEqual([]);
  });

  it('does not take again for normal what other runs knew before the new normal', async () => {
    const before = service('1.0.0');
    before.run(180, [albums]);
    await before.baseline.save();
    const after = service('1.0.0');
    await after.baseline.load();
    after.run(26 * 60, [{ ...slower(albums, 2), perMinute: 40 }]);
    expect(after.baseline.regressions()).toMatchObject([{ state: 'over' }]);
    await after.baseline.load();
    after.run(60, [slower(albums, 2)]);
    expect(after.opened).toHaveLength(1);
    expect(baselineOf(after, albums)?.p50Ms).toBeGreaterThan(90);
  });

  it('goes on where it can neither read nor write', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    const running = service(undefined, { directory: file });
    await running.baseline.load();
    running.run(60, [albums]);
    expect(await running.baseline.save()).toBe(false);
    expect(running.warnings.length).toBeGreaterThan(0);
    expect(baselineOf(running, albums)).toBeDefined();
    expect(running.errors).toEqual([]);
  });
});
