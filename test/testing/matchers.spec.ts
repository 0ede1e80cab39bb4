import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import {
  type PerformanceRecording,
  performanceMatchers,
  recordPerformance,
} from '../../lib/testing/index.js';
import { openStore, type Store } from './store.js';

expect.extend(performanceMatchers);

let store: Store;
beforeAll(async () => {
  store = await openStore();
}, 60_000);
afterAll(() => store?.close());

const recordGet = (path: string): Promise<PerformanceRecording<number>> =>
  recordPerformance(() => store.get(path));

/** The message of a failing matcher. */
function messageOf(matcher: () => void): string {
  try {
    matcher();
  } catch (error) {
    return (error as Error).message.replace(/store\.ts:\d+/g, 'store.ts:LINE');
  }
  throw new Error('the matcher passed');
}

const N_PLUS_ONE = `  5 times within GET /albums/with-tracks/:how:
    select * from track where album_id = ?
    at AlbumsService.tracksOf (test/testing/store.ts:LINE), called from AlbumsService.withTracks (test/testing/store.ts:LINE)
    with different values each time: query all at once (a join, IN, a DataLoader)`;

describe('toHaveNoRepeatedQueries', () => {
  it('fails on an N+1 with the statement, count, request and call site', async () => {
    const recording = await recordGet('/albums/with-tracks/withTracks');
    expect(recording.result).toBe(200);
    expect(messageOf(() => expect(recording).toHaveNoRepeatedQueries())).toBe(
      `expect(recording).toHaveNoRepeatedQueries()\n\n1 statement was repeated:\n\n${N_PLUS_ONE}`,
    );
    expect(recording).not.toHaveNoRepeatedQueries();
  });

  it('names a caller that does not await, although only the first query shows it', async () => {
    const recording = await recordGet('/do/loop');
    expect(recording.queries.map(({ calledFrom }) => calledFrom !== undefined)).toEqual([true, false, false]);
    expect(messageOf(() => expect(recording).toHaveNoRepeatedQueries())).toContain(
      '    at AlbumsService.loop (test/testing/store.ts:LINE), called from AlbumsController.do (test/testing/store.ts:LINE)\n',
    );
  });

  it('fails on a parallel N+1 through a connection pool', async () => {
    const recording = await recordGet('/albums/with-tracks/withTracksAtOnce');
    expect(messageOf(() => expect(recording).toHaveNoRepeatedQueries())).toMatch(
      /5 times within GET \/albums\/with-tracks\/:how:\n.*\n {4}at AlbumsService\.tracksOf \(test\/testing\/store\.ts:LINE\)/,
    );
  });

  it('fails on a repeated query with its call sites', async () => {
    const recording = await recordGet('/do/countTwice');
    const message = messageOf(() => expect(recording).toHaveNoRepeatedQueries());
    expect(message).toContain('2 times within GET /do/:what:\n    select count(*) from album\n');
    expect(message.match(/at AlbumsService\.countTwice .*: 1 of them/g)).toHaveLength(2);
    expect(message).toContain('with the same values each time: query once and reuse the result');
  });

  it('fails on a service called by the test, outside of any request', async () => {
    const recording = await recordPerformance(() => store.albums.withTracks());
    expect(recording.requests).toEqual([]);
    expect(messageOf(() => expect(recording).toHaveNoRepeatedQueries())).toContain(
      `outside of any request:\n${N_PLUS_ONE.replace(/.*\n/, '')}`,
    );
  });

  it('passes if each of several requests executes a statement once', async () => {
    const recording = await recordPerformance(async () => {
      for (const id of [1, 2, 3]) await store.get(`/albums/${id}/tracks`);
      await store.get('/albums/with-tracks/fewQueries');
    });
    expect(recording.queries).toHaveLength(5);
    expect(recording).toHaveNoRepeatedQueries();
    expect(messageOf(() => expect(recording).not.toHaveNoRepeatedQueries())).toBe(
      'expect(recording).not.toHaveNoRepeatedQueries()\n\nExpected a repeated statement within one request, received 5 queries without repetition.',
    );
  });

  it('ignores BEGIN, COMMIT, SET, pings and retried queries', async () => {
    expect(await recordGet('/do/inTransactions')).toHaveNoRepeatedQueries();
    const retried = await recordGet('/do/retried');
    expect(retried.queries.map(({ error }) => error)).toEqual([true, true, false]);
    expect(retried).toHaveNoRepeatedQueries();
  });

  it('passes for a request without queries', async () => {
    const recording = await recordGet('/static');
    expect(recording.requests).toMatchObject([{ name: 'GET /static', queryCount: 0 }]);
    expect(recording).toHaveNoRepeatedQueries();
    expect(messageOf(() => expect(recording).not.toHaveNoRepeatedQueries())).toMatch(
      /received no queries\.$/,
    );
  });

  it('respects min and ignore', async () => {
    const recording = await recordGet('/albums/with-tracks/withTracks');
    expect(recording).toHaveNoRepeatedQueries({ min: 6 });
    expect(recording).not.toHaveNoRepeatedQueries({ min: 5 });
    const global = /FROM TRACK/gi;
    for (const ignore of [['SELECT track'], ['where album_id ='], [global], ['nothing', /album_id/]])
      for (let time = 0; time < 2; time++) expect(recording).toHaveNoRepeatedQueries({ ignore });
    expect(recording).not.toHaveNoRepeatedQueries({ ignore: ['SELECT album', /^insert/] });
  });

  it('lists up to ten statements', () => {
    const query = { type: 'database', name: 'SELECT', durationMs: 1, error: false };
    const queries = Array.from({ length: 24 }, (_, at) => ({
      ...query,
      statement: `select ${'x'.repeat(at < 2 ? 400 : 0)} from t${at >> 1}`,
    }));
    const recording = { operations: queries, queries, requests: [], unfinished: [], unseen: [] };
    const message = messageOf(() => expect(recording).toHaveNoRepeatedQueries());
    expect(message).toContain('12 statements were repeated:');
    expect(message.match(/2 times/g)).toHaveLength(10);
    expect(message).toMatch(/\n {2}and 2 more$/);
    expect(message).toContain(`${'x'.repeat(292)}…\n`);
  });
});

describe('toMakeAtMostQueries', () => {
  it('fails above the number, and lists the queries', async () => {
    const recording = await recordGet('/albums/with-tracks/withTracks');
    expect(messageOf(() => expect(recording).toMakeAtMostQueries(5))).toBe(
      `expect(recording).toMakeAtMostQueries(5)

Expected at most 5 queries, received 6:

${N_PLUS_ONE}

  1 time within GET /albums/with-tracks/:how:
    select id, title from album order by id
    at AlbumsService.list (test/testing/store.ts:LINE), called from AlbumsService.withTracks (test/testing/store.ts:LINE)`,
    );
    expect(recording).not.toMakeAtMostQueries(5);
  });

  it('counts failed queries', async () => {
    const recording = await recordGet('/do/retried');
    expect(messageOf(() => expect(recording).toMakeAtMostQueries(2))).toMatch(
      /received 3:\n\n {2}3 times within GET \/do\/:what:\n(?: {4}.*\n)+ {4}2 of them failed/,
    );
  });

  it('passes up to the number', async () => {
    const recording = await recordGet('/albums/with-tracks/withTracks');
    expect(recording).toMakeAtMostQueries(6);
    expect(messageOf(() => expect(recording).not.toMakeAtMostQueries(6))).toContain(
      'expect(recording).not.toMakeAtMostQueries(6)\n\nExpected more than 6 queries, received 6:',
    );
    expect(await recordGet('/static')).toMakeAtMostQueries(0);
  });

  it('does not count BEGIN, COMMIT, SET and pings', async () => {
    const recording = await recordGet('/do/inTransactions');
    expect(recording.queries.map(({ statement }) => statement)).toEqual(['insert into track values (?)']);
    expect(recording).toMakeAtMostQueries(1);
    expect(recording).not.toMakeAtMostQueries(0);
  });
});

describe('toStayUnderThresholds', () => {
  it('fails on an operation above its threshold', async () => {
    const recording = await recordGet('/calculate/30');
    expect(messageOf(() => expect(recording).toStayUnderThresholds())).toMatch(
      /^expect\(recording\)\.toStayUnderThresholds\(\)\n\n1 operation exceeded the threshold:\n\n {2}AlbumsService\.calculate \(calculation\) within GET \/calculate\/:ms took \d+ ms \(threshold 20 ms\)\n {4}at AlbumsController\.calculate \(test\/testing\/store\.ts:LINE\)$/,
    );
    expect(recording).not.toStayUnderThresholds({ types: ['calculation', 'http'] });
  });

  it('passes for other types', async () => {
    const recording = await recordGet('/calculate/30');
    expect(recording).toStayUnderThresholds({ types: ['http', 'database'] });
    expect(messageOf(() => expect(recording).not.toStayUnderThresholds({ types: ['http'] }))).toMatch(
      /Expected an operation above its threshold, received 1 operation below\.$/,
    );
  });

  it('fails without operations of a type, with and without .not', async () => {
    const recording = await recordGet('/static');
    const why = 'No operation of databse was recorded. Recorded types: http, external.';
    expect(messageOf(() => expect(recording).toStayUnderThresholds({ types: ['databse'] }))).toContain(why);
    expect(messageOf(() => expect(recording).not.toStayUnderThresholds({ types: ['databse'] }))).toContain(
      why,
    );
  });
});

describe('a recording without evidence', () => {
  const MATCHERS: Record<string, (recording: unknown, not: boolean) => void> = {
    toHaveNoRepeatedQueries: (recording, not) =>
      not ? expect(recording).not.toHaveNoRepeatedQueries() : expect(recording).toHaveNoRepeatedQueries(),
    toMakeAtMostQueries: (recording, not) =>
      not ? expect(recording).not.toMakeAtMostQueries(3) : expect(recording).toMakeAtMostQueries(3),
    toStayUnderThresholds: (recording, not) =>
      not ? expect(recording).not.toStayUnderThresholds() : expect(recording).toStayUnderThresholds(),
  };

  describe.each(Object.keys(MATCHERS))('%s', (name) => {
    const matcher = MATCHERS[name] as (typeof MATCHERS)[string];

    it.each([false, true])('fails if nothing was recorded (.not: %s)', async (not) => {
      const recording = await recordPerformance(() => {});
      expect(messageOf(() => matcher(recording, not))).toMatch(
        /No request, tracked method or query was recorded\. Check that the request is sent and awaited/,
      );
    });

    it.each([
      [undefined, 'undefined'],
      [Promise.resolve(), 'a promise'],
      [{ operations: [] }, 'an object'],
    ])('rejects %s', (received, shown) => {
      expect(() => matcher(received, false)).toThrow(
        `${name}: Invalid value of expect(): received ${shown}, expected a recording: expect(await recordPerformance(`,
      );
    });
  });

  it('fails if only outgoing calls of the test were recorded', async () => {
    const other = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const recording = await recordPerformance(() => fetch(`http://127.0.0.1:${port}/`));
    other.close();
    other.closeAllConnections();
    expect(messageOf(() => expect(recording).toHaveNoRepeatedQueries())).toContain(
      'No request, tracked method or query was recorded except 1 outgoing call.',
    );
  });

  it('fails without queries if a driver is not recorded, unless allowed', async () => {
    const monitor = store.app.get(PerformanceMonitor);
    const { drivers } = monitor;
    monitor.drivers = [
      ...drivers,
      { driver: 'sqlite3', seen: false, how: 'no instrumentation is known', advice: 'decorate the methods' },
      { driver: 'kafkajs', seen: false, how: 'no instrumentation' },
    ];
    try {
      const blind = await recordGet('/static');
      expect(blind.unseen).toEqual([{ driver: 'sqlite3', advice: 'decorate the methods' }]);
      expect(messageOf(() => expect(blind).toMakeAtMostQueries(0))).toBe(
        "expect(recording).toMakeAtMostQueries(0)\n\nNo query was recorded, but the application uses drivers whose queries are not recorded:\n\n  sqlite3: decorate the methods\n\nIf this test does not use them: recordPerformance(fn, { allowUnseen: ['sqlite3'] }).",
      );
      const allowed = await recordPerformance(() => store.get('/static'), { allowUnseen: ['sqlite3'] });
      expect(allowed).toMakeAtMostQueries(0);
      expect(await recordGet('/albums')).toHaveNoRepeatedQueries();
    } finally {
      monitor.drivers = drivers;
    }
  });
});

describe('invalid input', () => {
  let recording: PerformanceRecording;
  beforeAll(async () => {
    recording = await recordGet('/static');
  });

  it.each([
    [
      () => expect(recording).toMakeAtMostQueries(-1),
      'toMakeAtMostQueries: Invalid number: received -1, expected',
    ],
    [() => expect(recording).toMakeAtMostQueries(Number.NaN), 'Invalid number: received NaN'],
    [
      () => expect(recording).toHaveNoRepeatedQueries({ min: 1 }),
      'Invalid min: received 1, expected a whole number from 2',
    ],
    [
      () => expect(recording).toHaveNoRepeatedQueries({ ignore: [/a/, 7 as never] }),
      'Invalid ignore[1]: received 7, expected a string or a RegExp',
    ],
    [() => expect(recording).toStayUnderThresholds({ types: [] }), 'Invalid types: received an array'],
    [
      () => expect(recording).toStayUnderThresholds({ types: 'http' as never }),
      'Invalid types: received "http"',
    ],
  ])('is rejected with its name and value (%#)', (matcher, message) => {
    expect(matcher).toThrow(message);
  });
});
