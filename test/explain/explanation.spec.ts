import { describe, expect, it } from '@jest/globals';
import type { CauseName, RankedCause } from '../../lib/explain/cause.js';
import { type Explainable, explain } from '../../lib/explain/explanation.js';
import { observeStall } from '../../lib/explain/observe-stall.js';
import { summarizeStalls } from '../../lib/explain/stalls.js';
import { brief } from '../../lib/explain/words.js';
import { blockedMs } from '../../lib/process/stall.js';

const callSite = { function: 'AlbumsService.withTracks', file: 'src/albums.service.ts', line: 42, column: 7 };
const cause = (name: CauseName, share: number, more: Partial<RankedCause> = {}): RankedCause => ({
  cause: name,
  share,
  ms: share * 1000,
  certainty: 'measured',
  ...more,
});
const say = (causes: RankedCause[], more: Partial<Explainable> = {}): string =>
  explain({
    name: 'GET /albums',
    durationMs: 1000,
    thresholdMs: 500,
    expectedMs: undefined,
    isWork: false,
    causes,
    repetitions: [],
    chain: undefined,
    callSite: undefined,
    topFunctions: [],
    running: undefined,
    blocker: undefined,
    stage: undefined,
    uninstrumented: [],
    aborted: false,
    loopBusy: 0.1,
    gcMs: 0,
    throttledMs: 0,
    ...more,
  });

describe('an explanation', () => {
  it.each<[string, string]>([
    [
      say([cause('database', 0.92, { operation: 'SELECT track', count: 3 })], { expectedMs: 80 }),
      'GET /albums took 1000 ms (threshold 500, median 80): 92 % went to the database (SELECT track, 3 times). Event loop and GC were quiet.',
    ],
    [
      say([cause('external', 0.8, { operation: 'GET api/users', count: 1 }), cause('waiting', 0.18)], {
        callSite,
      }),
      'GET /albums took 1000 ms (threshold 500): 80 % went to outgoing calls (GET api/users) from AlbumsService.withTracks (albums.service.ts:42). Another 18 % went to waiting on something not instrumented (a timer, a lock or other I/O). Event loop and GC were quiet.',
    ],
    [
      say([cause('database', 0.7), cause('event_loop_blocked', 0.28)]),
      'GET /albums took 1000 ms (threshold 500): 70 % went to the database. Another 28 % went to waiting for the event loop, which other work blocked.',
    ],
    [
      say([cause('cpu', 0.9)], { callSite, running: 'pbkdf2Sync' }),
      'GET /albums took 1000 ms (threshold 500): 90 % went to pbkdf2Sync from AlbumsService.withTracks (albums.service.ts:42).',
    ],
    [
      say([cause('cpu', 0.6), cause('gc', 0.4)], {
        topFunctions: [
          { function: '(garbage collector)', share: 0.4 },
          { function: 'parse', share: 0.3 },
          { function: 'read', share: 0.15 },
        ],
        gcMs: 400,
      }),
      'GET /albums took 1000 ms (threshold 500): 60 % went to its own JavaScript: 50 % of it in parse, 25 % in read. Another 40 % went to pauses of the garbage collector (400 ms).',
    ],
    [
      say([cause('cpu', 0.9, { certainty: 'likely' })]),
      'GET /albums took 1000 ms (threshold 500): most likely 90 % went to its own JavaScript; other operations ran meanwhile.',
    ],
    [
      say([cause('event_loop_blocked', 0.7)], {
        blocker: { name: 'POST /checkout', ms: 700, running: 'pbkdf2Sync', callSite },
      }),
      'GET /albums took 1000 ms (threshold 500): 70 % went to waiting for the event loop, which POST /checkout blocked for 700 ms in pbkdf2Sync from AlbumsService.withTracks (albums.service.ts:42).',
    ],
    [
      say([cause('event_loop_blocked', 0.7)], {
        blocker: { name: 'POST /checkout', ms: 300, running: 'pbkdf2Sync', callSite },
      }),
      'GET /albums took 1000 ms (threshold 500): 70 % went to waiting for the event loop, which other work kept busy, POST /checkout for 300 ms of it in pbkdf2Sync from AlbumsService.withTracks (albums.service.ts:42).',
    ],
    [
      say([cause('waiting', 0.95)], {
        uninstrumented: ['better-sqlite3'],
        stage: 'in AlbumsController.list',
      }),
      'GET /albums took 1000 ms (threshold 500): 95 % went to waiting in AlbumsController.list on something not instrumented (a timer, a lock or other I/O); not instrumented: better-sqlite3. Event loop and GC were quiet.',
    ],
    [
      say([cause('gc', 0.6)], { gcMs: 600, aborted: true }),
      'GET /albums took 1000 ms (threshold 500): 60 % went to pauses of the garbage collector (600 ms). The client disconnected before the response was complete.',
    ],
    [
      say([cause('unknown', 0.9)], { loopBusy: 0.8, gcMs: 200 }),
      'GET /albums took 1000 ms (threshold 500). No single cause explains most of it. The event loop was busy for 80 % of the time, and GC paused it for 200 ms.',
    ],
    [
      say([cause('connection_pool', 0.9)]),
      'GET /albums took 1000 ms (threshold 500): 90 % went to waiting for a connection of the pool. Event loop and GC were quiet.',
    ],
  ])('reads: %s', (said, expected) => {
    expect(said).toBe(expected);
  });
});

describe('a shortened statement', () => {
  it.each([
    ['select * from track where album_id = ? order by id', 'SELECT track WHERE album_id = ?'],
    [
      'select "t"."id" from "track" "t" where ("t"."album_id" in (?))',
      'SELECT track WHERE (t.album_id in (?))',
    ],
    ['select * from track', 'SELECT track'],
    [
      'select distinct "d"."t_id" from (select "t"."id" as "t_id" from "track" "t" where (((("t"."id" = ?)) and ("t"."at" is null)))) "d" order by "t_id" asc limit 1',
      'SELECT track WHERE ((t.id = ?) and (t.at is null))',
    ],
    [
      'select * from `track` where ((`track`.`album_id` = lower((?)))) limit 1',
      'SELECT track WHERE (track.album_id = lower(?))',
    ],
    ['select * from track where a = ?;', 'SELECT track WHERE a = ?'],
    ['select * from track where (a = ?) and (b = ?)', 'SELECT track WHERE (a = ?) and (b = ?)'],
    [`select * from track where ${'('.repeat(9)}`, expect.stringMatching(/^SELECT track WHERE /)],
    [
      `select * from track where ${'a = ? and '.repeat(40)}b = ?`,
      expect.stringMatching(/^SELECT track WHERE .{99}…$/),
    ],
  ])('of %s', (statement, expected) => {
    expect(brief('SELECT track', statement)).toEqual(expected);
  });

  it('is the name if there is no statement', () => {
    expect(brief('GET api/where x/{}', 'GET api/where x/{}')).toBe('GET api/where x/{}');
  });
});

describe('stalls', () => {
  const operation = (name: string) => ({
    type: 'http',
    name,
    traceId: 't',
    spanId: name,
    rootSpanId: name,
    rootType: 'http',
    rootName: name,
  });
  const stack = [
    { functionName: 'hash', url: 'node:internal/crypto', line: 1, column: 1 },
    { functionName: 'withTracks', url: '/a.js', line: 1, column: 1 },
  ];

  it('are attributed to the operation that blocked the loop, within a period', () => {
    const summary = summarizeStalls(
      [
        { startedAt: 0, endedAt: 100, operation: operation('other'), stack },
        { startedAt: 100, endedAt: 150, operation: operation('own') },
        { startedAt: 150, endedAt: 170 },
        { startedAt: 180, endedAt: 400, operation: operation('another') },
        { startedAt: 500, endedAt: 600, operation: operation('later') },
      ],
      [],
      50,
      200,
      ({ spanId }) => spanId === 'own',
    );
    expect(summary).toMatchObject({ othersMs: 70, ownMs: 50, unknownMs: 20 });
    expect(summary.other).toMatchObject({ operation: { name: 'other' }, ms: 50, stack });
    expect(summary.ownStack).toBeUndefined();
  });

  it('are attributed to no operation while the process had no CPU', () => {
    const stall = { startedAt: 0, endedAt: 300, operation: operation('other') };
    const sync = [{ functionName: 'execSync', url: 'node:child_process', line: 1, column: 1 }, ...stack];
    // By the CPU time of the process where the run delay is unknown.
    expect(blockedMs({ ...stall, cpuMs: 20 })).toBe(0);
    expect(blockedMs({ ...stall, cpuMs: 20, stack: sync })).toBe(300);
    expect(blockedMs({ ...stall, cpuMs: 120 })).toBe(300);
    expect(blockedMs({ ...stall, endedAt: 50, cpuMs: 40 })).toBe(50);
    expect(blockedMs(stall)).toBe(300);
    expect(blockedMs({ ...stall, cpuMs: 90, runDelayMs: 200 })).toBe(100);
    expect(blockedMs({ ...stall, cpuMs: 5, runDelayMs: 0 })).toBe(300);
    expect(summarizeStalls([{ ...stall, cpuMs: 20 }], [], 0, 300, () => false).othersMs).toBe(0);
    expect(
      summarizeStalls([{ ...stall, cpuMs: 90, runDelayMs: 150 }], [], 0, 200, () => false),
    ).toMatchObject({ othersMs: 100, synchronousMs: 10 });
  });

  it('are attributed by samples while the event loop was never idle', () => {
    const at = (startedAt: number, name: string) => ({
      startedAt,
      endedAt: startedAt,
      operation: operation(name),
      stack,
    });
    const moments = [at(10, 'own'), at(20, 'other'), at(30, 'other'), at(40, 'other')];
    expect(summarizeStalls([], moments, 0, 100, ({ spanId }) => spanId === 'own')).toMatchObject({
      othersShare: 0.75,
      ownStack: stack,
      other: { operation: { name: 'other' } },
    });
  });

  it('are findings by operation and functions, with and without a stack', () => {
    expect(
      observeStall({ startedAt: 0, endedAt: 320, operation: operation('POST /checkout'), stack }, callSite),
    ).toMatchObject({
      type: 'event_loop_block',
      route: 'POST /checkout',
      fingerprint: 'hash < withTracks',
      ms: 320,
      explanation: expect.stringContaining(
        'POST /checkout blocked the event loop for 320 ms in hash from AlbumsService.withTracks',
      ),
    });
    expect(observeStall({ startedAt: 0, endedAt: 120 }, undefined)).toMatchObject({
      route: '(no operation)',
      fingerprint: '(stack not captured)',
      explanation: expect.stringContaining('could not be captured'),
    });
  });
});
