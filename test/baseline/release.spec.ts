import { describe, expect, it } from '@jest/globals';
import { runToCompletion } from '../../lib/async/cooperative.js';
import type { BaselineEntry, BaselineSnapshot } from '../../lib/baseline/baseline-snapshot.js';
import { judgingVersion } from '../../lib/baseline/release.js';
import type { ReleaseVerdict } from '../../lib/baseline/release-verdict.js';
import { type MemoryBehaviour, memoryOf } from './programs/process-memories.js';
import { joined, type ReleaseBehaviour, releaseEntry } from './programs/release-entries.js';
import { HOUR, MINUTE, START } from './programs/simulated-windows.js';
import { entry, snapshot } from './programs/snapshots.js';

const RELEASED = START + 10 * HOUR;
const BEFORE = { startedAt: RELEASED - 2 * HOUR, minutes: 120, seed: 1 };
const AFTER = { startedAt: RELEASED, minutes: 60, seed: 2 };

const saved = (
  version: string,
  savedAt: number,
  operations: readonly BaselineEntry[],
  memory?: Uint8Array,
): BaselineSnapshot =>
  snapshot({
    ...{ version, instance: `host-${version}`, startedAt: savedAt - HOUR, savedAt, operations },
    ...(memory === undefined ? {} : { memory }),
  });

function judged(
  before: readonly BaselineEntry[],
  after: readonly BaselineEntry[],
  memory: { readonly before?: Uint8Array; readonly after?: Uint8Array } = {},
): ReleaseVerdict {
  const snapshots = [
    saved('1', RELEASED, before, memory.before),
    saved('2', RELEASED + HOUR, after, memory.after),
  ];
  return runToCompletion(judgingVersion(snapshots, { service: 'shop', version: '2' }));
}

const of = (before: Partial<ReleaseBehaviour>, after: Partial<ReleaseBehaviour>): ReleaseVerdict =>
  judged(
    [releaseEntry('GET /a', { ...BEFORE, ...before })],
    [releaseEntry('GET /a', { ...AFTER, ...after })],
  );

describe('the verdict of a release', () => {
  it('is neither worse by a cold start nor by an incident, but by what lasts', () => {
    expect(of({}, { medianMs: 160 }).verdict).toBe('worse');
    const cold = [3, 1.5, 0.6, 0.2, 0.1, 0].map((excess, index) =>
      releaseEntry('GET /a', {
        startedAt: RELEASED + index * 10 * MINUTE,
        minutes: 10,
        medianMs: 100 * (1 + excess),
        seed: index + 10,
      }),
    );
    expect(judged([releaseEntry('GET /a', BEFORE)], [cold.reduce(joined)]).verdict).toBe('not enough data');
    for (const at of [0, 20, 40]) {
      const incident = [0, 20, 40].map((begin) =>
        releaseEntry('GET /a', {
          startedAt: RELEASED + begin * MINUTE,
          minutes: 20,
          errorRate: begin === at ? 0.3 : 0.002,
          seed: begin + 10,
        }),
      );
      expect(judged([releaseEntry('GET /a', BEFORE)], [incident.reduce(joined)]).verdict).toBe(
        'not enough data',
      );
    }
    // Nor is it better because an incident is over.
    const over = [
      releaseEntry('GET /a', { ...BEFORE, minutes: 100 }),
      releaseEntry('GET /a', { startedAt: RELEASED - 20 * MINUTE, minutes: 20, errorRate: 0.4, seed: 3 }),
    ];
    expect(judged([over.reduce(joined)], [releaseEntry('GET /a', AFTER)]).verdict).toBe('not enough data');
    expect(of({ errorRate: 0.2 }, {}).verdict).toBe('better');
  });

  it('is not given before half an hour', () => {
    expect(of({}, { medianMs: 400, minutes: 25 }).verdict).toBe('not enough data');
    expect(of({}, { medianMs: 400, minutes: 40 }).verdict).toBe('worse');
  });

  it('is not kept back by a rolling deployment that takes minutes', () => {
    for (const overlap of [10, 20, 30]) {
      const minutes = BEFORE.minutes + overlap;
      const verdict = of({ minutes }, { medianMs: 160 });
      expect(verdict).toMatchObject({ verdict: 'worse', isSameTime: false });
      expect(of({ medianMs: 160, minutes }, {}).verdict).toBe('better');
    }
    const minutes = BEFORE.minutes + 40;
    expect(of({ minutes }, { medianMs: 160 })).toMatchObject({ verdict: 'worse', isSameTime: true });
  });

  it('is not changed by ten minutes after the hours that are merged', () => {
    const hours = (change: Partial<ReleaseBehaviour>): BaselineEntry => {
      const startedAt = RELEASED + 8 * HOUR;
      const unchanged = { startedAt, minutes: 10, seed: 3 };
      return [
        releaseEntry('GET /a', { startedAt: RELEASED, minutes: 480, seed: 2, ...change }),
        releaseEntry('GET /a', unchanged),
        releaseEntry('GET /a', { startedAt: startedAt + 10 * MINUTE, minutes: 110, seed: 4, ...change }),
      ].reduce(joined);
    };
    expect(judged([releaseEntry('GET /a', BEFORE)], [hours({ medianMs: 160 })]).verdict).toBe('worse');
  });

  it('names what changed below: statements that are slower, more often, or new', () => {
    const sql = (name: string, behaviour: ReleaseBehaviour): BaselineEntry =>
      releaseEntry(name, { type: 'database', ...behaviour });
    const verdict = judged(
      [
        releaseEntry('GET /a', BEFORE),
        sql('SELECT one', { ...BEFORE, seed: 3 }),
        sql('SELECT many', { ...BEFORE, seed: 4 }),
        sql('SELECT same', { ...BEFORE, seed: 5 }),
      ],
      [
        releaseEntry('GET /a', { ...AFTER, medianMs: 160 }),
        sql('SELECT one', { ...AFTER, medianMs: 180, seed: 6 }),
        sql('SELECT many', { ...AFTER, perMinute: 150, seed: 7 }),
        sql('SELECT same', { ...AFTER, seed: 8 }),
        sql('SELECT new', { ...AFTER, seed: 9 }),
      ],
    );
    expect(verdict.operations.map(({ name }) => name)).toEqual(['GET /a']);
    expect(verdict.below).toMatchObject([
      { name: 'SELECT new', perRequest: { before: 0, after: 1 } },
      { type: 'database', name: 'SELECT many', perRequest: { before: 1, after: 5 } },
      { name: 'SELECT one', median: { verdict: 'worse' } },
    ]);
    expect(verdict.below[1]).not.toHaveProperty('median');
  });

  it('judges a service that handles no requests by its messages', () => {
    const type = 'messaging';
    expect(of({ type }, { type, medianMs: 160 })).toMatchObject({ verdict: 'worse', counts: { worse: 1 } });
  });

  it('lists a bounded number of operations, the worse ones first', () => {
    const many = (given: ReleaseBehaviour, type: string): BaselineEntry[] =>
      Array.from({ length: 210 }, (_, index) => {
        const slower = given.startedAt === RELEASED && (type !== 'http' || index === 205);
        return releaseEntry(`${type} ${index}`, {
          ...given,
          type,
          perMinute: 5,
          every: 6,
          medianMs: slower ? 400 : 100,
        });
      });
    const [before, after] = ([BEFORE, AFTER] as const).map((given) => [
      ...many(given, 'http'),
      ...many(given, 'database').slice(0, 30),
    ]) as [BaselineEntry[], BaselineEntry[]];
    const verdict = judged(before, after);
    expect(verdict.operations).toHaveLength(200);
    expect(verdict.operations[0]).toMatchObject({ name: 'http 205', verdict: 'worse' });
    expect(verdict.counts['not enough data']).toBe(209);
    expect(verdict.below).toHaveLength(20);
    expect(verdict.explanation).toMatch(
      /^Version 2 is worse than 1: http 205 \(median .+ ms, \+\d+ % \(\+\d+ to \+\d+ %\)/,
    );
  });

  it('reports operations that only one version has, and ignores data that it cannot read', () => {
    const damaged = { ...entry('GET /b'), periods: new Uint8Array([64, 1, 2]) };
    const verdict = judged(
      [releaseEntry('GET /a', BEFORE), releaseEntry('GET /old', BEFORE), damaged],
      [releaseEntry('GET /a', AFTER), releaseEntry('GET /new', AFTER), releaseEntry('GET /b', AFTER)],
    );
    expect(verdict.counts).toMatchObject({ new: 1, gone: 1 });
    expect(verdict.operations.map(({ name }) => name)).toEqual(['GET /a']);
  });

  it('compares with the other version that saved last, whether it is newer or older', () => {
    const snapshots = ['1', '2', '3'].map((version, index) =>
      saved(version, RELEASED + index * HOUR, [
        releaseEntry('GET /a', { ...AFTER, startedAt: RELEASED + index * HOUR }),
      ]),
    );
    const before = (version: string): string | undefined =>
      runToCompletion(judgingVersion(snapshots, { service: 'shop', version })).before?.version;
    expect(['1', '2', '3'].map(before)).toEqual(['3', '3', '2']);
    const { verdict, explanation } = runToCompletion(
      judgingVersion(snapshots, { service: 'shop', version: undefined }),
    );
    expect(verdict).toBe('not enough data');
    expect(explanation).toMatch(/^The version of this application is unknown: set serviceVersion, OTEL_RES/);
  });

  it('finds five of six worse releases of twenty within an hour at 500 requests an hour, and no false one', () => {
    const worse: Record<number, Partial<ReleaseBehaviour>> = {
      2: { medianMs: 145 },
      5: { tail: 3 },
      8: { errorRate: 0.06 },
      11: { queries: 6 },
      14: { cpuMs: 36 },
      17: { medianMs: 135, queries: 5 },
    };
    const traffic = { perMinute: 500 / 60, every: 3.75 };
    const verdicts = Array.from({ length: 20 }, (_, index) => {
      const names = ['GET /a', 'GET /b', 'GET /c'];
      const all = (given: ReleaseBehaviour, change: Partial<ReleaseBehaviour> = {}): BaselineEntry[] =>
        names.map((name, place) =>
          releaseEntry(name, {
            ...given,
            ...traffic,
            ...(place === 1 ? change : {}),
            seed: 1000 * index + 10 * place + (given.seed ?? 0),
          }),
        );
      return judged(all(BEFORE), all(AFTER, worse[index]));
    });
    const found = verdicts.flatMap(({ verdict, operations }, index) =>
      verdict === 'worse' && operations[0]?.name === 'GET /b' ? [index] : [],
    );
    expect(found.filter((index) => worse[index] !== undefined).length).toBeGreaterThanOrEqual(5);
    expect(found.filter((index) => worse[index] === undefined)).toEqual([]);
    expect(verdicts.filter(({ verdict }) => verdict === 'better')).toEqual([]);
    expect(verdicts.filter(({ verdict }) => verdict === 'worse')).toHaveLength(found.length);
  });

  describe('with the memory of the process', () => {
    const ofMemory = (
      before: Partial<MemoryBehaviour> | undefined,
      after: Partial<MemoryBehaviour> | undefined,
      seed = 1,
    ): { before?: Uint8Array; after?: Uint8Array } => ({
      ...(before && {
        before: memoryOf({ startedAt: RELEASED - 5 * HOUR, minutes: 250, seed: 2 * seed, ...before }),
      }),
      ...(after && { after: memoryOf({ startedAt: RELEASED, minutes: 70, seed: 2 * seed + 1, ...after }) }),
    });
    // A rolling release with much traffic: the same without memory.
    const both = { startedAt: RELEASED, minutes: 120, perMinute: 1000 };
    let entries: [BaselineEntry[], BaselineEntry[]] | undefined;
    const steady = (memory: ReturnType<typeof ofMemory>): ReleaseVerdict => {
      entries ??= [[releaseEntry('GET /a', both)], [releaseEntry('GET /a', { ...both, seed: 2 })]];
      return judged(...entries, memory);
    };

    it('finds each of four releases of twenty that hold more, and no false one', () => {
      const more: Record<number, Partial<MemoryBehaviour>> = {
        3: { heapMb: 150 },
        7: { cacheMb: 120 },
        12: { leakMb: 60 },
        18: { nativeMb: 220 },
      };
      const silent: Partial<MemoryBehaviour>[] = [
        {},
        { noise: 0.15 },
        { perMinute: 150, perExecutionMb: 0.3 },
        { cacheMb: 150, fillMinutes: 60 },
      ];
      const changes = Array.from({ length: 20 }, (_, index) => {
        const { perMinute, ...same } = silent[index % silent.length] as Partial<MemoryBehaviour>;
        const traffic = perMinute === undefined ? {} : { perMinute };
        const after = {
          ...(more[index] === undefined ? { ...same, ...traffic } : more[index]),
          processes: 2,
        };
        const before = { ...(more[index] === undefined ? same : {}), processes: 2 };
        const operation = (given: ReleaseBehaviour): BaselineEntry[] => [releaseEntry('GET /a', given)];
        return judged(operation(BEFORE), operation(AFTER), ofMemory(before, after, index + 1));
      });
      const found = changes.flatMap(({ verdict }, index) => (verdict === 'worse' ? [index] : []));
      expect(found).toEqual(Object.keys(more).map(Number));
      expect(changes.filter(({ verdict }) => verdict === 'better')).toEqual([]);
      expect(changes[3]?.explanation).toMatch(
        /^Version 2 is worse than 1: the process \(heap after collections [\d.]+ MB -> 1\d\d MB, \+[\d.]+ % \(\+[\d.]+ to \+[\d.]+ %\), 30 min to 1 h after the start.*\)\.$/,
      );
      expect(changes[18]?.process?.measures.map(({ verdict }) => verdict)).toEqual(['same', 'worse']);
    });

    it('is the same only if the memory is', () => {
      const same = steady(ofMemory({ processes: 4 }, { processes: 4 }));
      expect(same.verdict).toBe('same');
      expect(same.explanation).toContain('for each main operation and the memory, the interval');
      const open = steady(ofMemory({ processes: 4 }, { processes: 4, minutes: 35 }));
      expect(open).toMatchObject({ verdict: 'not enough data', process: { verdict: 'not enough data' } });
      expect(open.explanation).toBe(
        'Version 2 has not enough data to be judged against 1: the memory of the process may still have changed by more than what matters.',
      );
      // The other one is of a release of this package that records none.
      for (const memory of [ofMemory({}, undefined), ofMemory(undefined, {})])
        expect(steady(memory)).toMatchObject({ verdict: 'same', process: { verdict: 'not enough data' } });
      expect(steady({})).not.toHaveProperty('process');
    });

    it('names it behind the operations', () => {
      const { verdict, explanation } = judged(
        [releaseEntry('GET /a', BEFORE)],
        [releaseEntry('GET /a', { ...AFTER, medianMs: 160 })],
        ofMemory({}, { heapMb: 300 }),
      );
      expect(verdict).toBe('worse');
      expect(explanation).toMatch(
        /^Version 2 is worse than 1: GET \/a \(median .+\); the process \(heap after /,
      );
      // Less memory does not make up for an operation that is worse.
      const mixed = judged(
        [releaseEntry('GET /a', BEFORE)],
        [releaseEntry('GET /a', { ...AFTER, medianMs: 160 })],
        ofMemory({ heapMb: 300 }, {}),
      );
      expect(mixed).toMatchObject({ verdict: 'worse', process: { verdict: 'better' } });
    });
  });
});
