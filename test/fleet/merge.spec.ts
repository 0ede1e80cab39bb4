import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { reading } from '../support/readings.js';
import { counted, mapStore, observed, type SimulatedInstance, simulated } from './simulated-instance.js';

/** The view of a further instance, which nothing has called. */
async function viewOf(instances: readonly SimulatedInstance[], store: ReturnType<typeof mapStore>) {
  for (const { fleet } of instances) await fleet.publish();
  return simulated('reader', { store }).fleet.view();
}

describe('operations of several instances', () => {
  it('have the figures of one instance that has counted all of them', async () => {
    // Summaries have the longest and the shortest one in microseconds.
    const duration = fc.integer({ min: 10, max: 5_000_000 }).map((microseconds) => microseconds / 1000);
    const durations = fc.array(duration, { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(durations, durations, durations, async (...of) => {
        const store = mapStore();
        const instances = of.map((_, index) => simulated(`i${index}`, { store }));
        for (const [index, instance] of instances.entries()) counted(instance, 'GET /', of[index] ?? []);
        const merged = (await viewOf(instances, store)).operations;
        // Counted by one, and summarised without any merging.
        const one = simulated('one', { store: mapStore() });
        counted(one, 'GET /', of.flat());
        const [expected] = one.statistics.namedStatistics(performance.now(), 1);
        const { windows, totalMs, excessMs } = expected as NonNullable<typeof expected>;
        const figures = {
          ...windows.minute,
          avgDuration: expect.closeTo(windows.minute.avgDuration ?? Number.NaN, 1),
        };
        expect(merged).toEqual([
          {
            ...{ type: 'http', name: 'GET /', thresholdMs: 100, instances: 3 },
            ...{ minute: figures, lifetime: figures },
            totalMs: expect.closeTo(totalMs, 1),
            excessMs: expect.closeTo(excessMs, 1),
          },
        ]);
      }),
      { numRuns: 40 },
    );
  });

  it('are ranked by excess time, with the number of instances that list them', async () => {
    const store = mapStore();
    const [one, two] = [simulated('one', { store }), simulated('two', { store })];
    counted(one, 'GET /often', Array(50).fill(90));
    counted(one, 'GET /slow', [150]);
    counted(two, 'GET /slow', [250]);
    const { operations } = await viewOf([one, two], store);
    expect(operations).toEqual([
      expect.objectContaining({
        name: 'GET /slow',
        instances: 2,
        excessMs: 200,
        totalMs: 400,
        thresholdMs: 100,
      }),
      expect.objectContaining({ name: 'GET /often', instances: 1, excessMs: 0, totalMs: 4500 }),
    ]);
  });

  it('have no threshold where those of the instances differ', async () => {
    const store = mapStore();
    const [one, two] = [simulated('one', { store }), simulated('two', { store })];
    counted(one, 'GET /', [10]);
    counted(two, 'GET /', [10], { limitMs: 50 });
    expect((await viewOf([one, two], store)).operations[0]).not.toHaveProperty('thresholdMs');
  });

  it('are limited: 50 of an instance, 100 of all', async () => {
    const store = mapStore();
    const instances = ['a', 'b', 'c'].map((name) => simulated(name, { store }));
    for (const [index, instance] of instances.entries())
      for (let route = 0; route < 400; route++) counted(instance, `GET /${index}/${route}`, [route + 1]);
    const view = await viewOf(instances, store);
    expect(view.operations).toHaveLength(100);
    const names = view.operations.map(({ name }) => name);
    expect(names).toContain('GET /0/399');
    expect(names).not.toContain('GET /0/349');
  });
});

describe('versions', () => {
  it('stand side by side while several are live, also for each operation', async () => {
    const store = mapStore();
    const [one, two, three] = [
      simulated('one', { store }, { version: '1.0.0' }),
      simulated('two', { store }, { version: '1.0.0' }),
      simulated('three', { store }, { version: '1.1.0' }),
    ];
    counted(one, 'GET /', [10, 10]);
    counted(two, 'GET /', [10, 20]);
    counted(three, 'GET /', [400, 400, 400]);
    const view = await viewOf([one, two, three], store);
    const known = view.versions.filter(({ version }) => version !== undefined);
    expect(known.map(({ version, instances }) => [version, instances]).sort()).toEqual([
      ['1.0.0', 2],
      ['1.1.0', 1],
    ]);
    const byVersion = Object.fromEntries(
      (view.operations[0]?.versions ?? []).map(({ version = '', lifetime }) => [version, lifetime]),
    );
    expect(byVersion['1.0.0']).toMatchObject({ count: 4, slowCount: 0 });
    expect(byVersion['1.1.0']).toMatchObject({ count: 3, slowCount: 3, minDuration: 400 });
    expect(view.operations[0]?.lifetime).toMatchObject({ count: 7, slowCount: 3 });
  });
});

describe('findings of several instances', () => {
  it('are one by fingerprint, with the instances that have it', async () => {
    const store = mapStore();
    const [one, two] = [simulated('one', { store }), simulated('two', { store })];
    observed(one, {}, 1000);
    observed(one, {}, 3000);
    observed(two, { ms: 70, explanation: 'The latest.' }, 5000);
    observed(two, { fingerprint: 'select 1', ms: 10 });
    const { findings } = await viewOf([one, two], store);
    expect(findings).toEqual([
      expect.objectContaining({
        ...{ count: 3, totalMs: 190, worstMs: 70, firstSeen: 1000, lastSeen: 5000 },
        ...{ explanation: 'The latest.', instances: 2, on: expect.arrayContaining(['one', 'two']) },
      }),
      expect.objectContaining({ fingerprint: 'select 1', instances: 1, on: ['two'] }),
    ]);
  });
});

describe('instances', () => {
  it('are listed with their requests, the one that answers first', async () => {
    const store = mapStore();
    const one = simulated('one', { store }, { version: '1.0.0', worker: '2' });
    counted(one, 'GET /', Array(30).fill(20));
    counted(one, 'GET /', [950]);
    counted(one, 'SELECT track', Array(90).fill(5), { type: 'database' });
    observed(one);
    const view = await viewOf([one], store);
    expect(view.self).toBe('reader');
    expect(view.instances).toEqual([
      expect.objectContaining({ id: 'reader', self: true, state: 'live', findings: 0 }),
      expect.objectContaining({
        ...{ id: 'one', version: '1.0.0', worker: '2', host: 'host', pid: 1, state: 'live', findings: 1 },
        rssMb: expect.any(Number),
        requests: {
          type: 'http',
          perSecond: expect.closeTo(31 / 60, 1),
          minute: expect.objectContaining({ count: 31, errorCount: 1, slowCount: 1, maxDuration: 950 }),
        },
      }),
    ]);
  });

  it('of another service in the same store are not seen', async () => {
    const store = mapStore();
    await simulated('other', { store }, { service: 'stock' }).fleet.publish();
    const view = await viewOf([], store);
    expect(view.instances).toHaveLength(1);
    expect(view.ignored).toBe(0);
  });
});

describe('the process of an instance', () => {
  it('has the CPU time of its last five seconds, however often it is sampled', async () => {
    const store = mapStore();
    const one = simulated('one', { store });
    // Busy until it came to rest, when samples are five seconds apart.
    for (const [at, cpuUserMs] of [
      [0, 0],
      [5000, 5000],
      [10_000, 5050],
    ] as const) {
      one.resources.history.add(reading(at, { cpuUserMs }));
    }
    const { instances } = await viewOf([one], store);
    expect(instances.find(({ id }) => id === 'one')?.cpuPercent).toBe(1);
  });
});
