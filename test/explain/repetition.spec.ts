import { describe, expect, it } from '@jest/globals';
import { type Loader, loadersOf } from '../../lib/explain/loader.js';
import { explainRepetition } from '../../lib/explain/observe-calls.js';
import { judgeRepetition, type Repetition } from '../../lib/explain/repetition.js';
import { RequestWork } from '../../lib/spans/request-work.js';
import { SpanTiming } from '../../lib/spans/span-timing.js';
import { StatementCache } from '../../lib/spans/statement.js';
import { CACHE, DATABASE, EXTERNAL, RPC, SELF_BUSY } from '../../lib/spans/work.js';
import { type Inputs, WorkGroup, type WorkKey } from '../../lib/spans/work-group.js';

const LIMITS = { minRepetitions: 5, minTotalMs: 25 };
const key = (fingerprint: string, effect: WorkKey['effect'] = 'read'): WorkKey => ({
  fingerprint,
  name: fingerprint,
  effect,
});

/** A request on a simulated clock. The event loop is idle unless a test says otherwise. */
class Request {
  readonly root = new SpanTiming(undefined, SELF_BUSY, 0, 0);
  readonly work = new RequestWork(LIMITS.minRepetitions);
  now = 0;
  idle = 0;

  /** Lets time pass without work to wait for: idle, or busy with JavaScript. */
  pass(ms: number, busy = false): void {
    this.now += ms;
    if (!busy) this.idle += ms;
  }

  call(
    fingerprint: string,
    durationMs: number,
    options: {
      inputs?: Inputs;
      error?: boolean;
      effect?: WorkKey['effect'];
      work?: number;
      parent?: SpanTiming;
    } = {},
  ): void {
    const begin = this.begin(fingerprint, options);
    this.pass(durationMs);
    begin(durationMs);
  }

  begin(
    fingerprint: string,
    {
      inputs,
      error = false,
      effect,
      work = DATABASE,
      parent = this.root,
    }: {
      inputs?: Inputs;
      error?: boolean;
      effect?: WorkKey['effect'];
      work?: number;
      parent?: SpanTiming;
    } = {},
  ): (durationMs: number) => void {
    const alone = this.work.started(this.idle);
    const group = this.work.begin(key(fingerprint, effect), work, parent, this.now, this.idle);
    return (durationMs) => {
      this.work.ended(this.idle);
      if (group === undefined) return;
      this.work.end(
        group,
        { durationMs, error, inputs, rows: undefined, spanId: 'id' },
        alone,
        this.now,
        this.idle,
      );
    };
  }

  group(fingerprint: string): WorkGroup | undefined {
    return this.work.groups.find((group) => group.key.fingerprint === fingerprint);
  }

  judge(fingerprint: string): Repetition | undefined {
    const group = this.group(fingerprint);
    return group === undefined ? undefined : judgeRepetition(group, LIMITS, this.now);
  }
}

describe('a repetition is found', () => {
  it('of sequential queries for each row', () => {
    const request = new Request();
    for (let row = 0; row < 20; row++) request.call('q', 5, { inputs: [row] });
    expect(request.judge('q')).toMatchObject({
      type: 'n_plus_one',
      count: 20,
      totalMs: 100,
      sequential: true,
    });
  });

  it('interleaved with another query: load A, load B, load A', () => {
    const request = new Request();
    for (let row = 0; row < 6; row++) {
      request.call('a', 5, { inputs: [row] });
      request.call('b', 5, { inputs: [row] });
    }
    expect(request.judge('a')).toMatchObject({ count: 6 });
    expect(request.judge('b')).toMatchObject({ count: 6 });
  });

  it('of parallel queries', () => {
    const request = new Request();
    const ends = Array.from({ length: 10 }, (_, row) => request.begin('q', { inputs: [row] }));
    request.pass(40);
    for (const end of ends) end(40);
    expect(request.judge('q')).toMatchObject({ count: 10, totalMs: 40, sequential: false });
  });

  it('of outgoing calls, and across decorated methods', () => {
    const request = new Request();
    const services = [
      new SpanTiming(request.root, SELF_BUSY, 0, 0),
      new SpanTiming(request.root, SELF_BUSY, 0, 0),
    ];
    for (let row = 0; row < 8; row++)
      request.call('GET api/users/{}', 10, { inputs: [row], work: EXTERNAL, parent: services[row % 2] });
    expect(request.judge('GET api/users/{}')).toMatchObject({ count: 8 });
    expect(request.group('GET api/users/{}')?.owner).toBe(request.root);
  });

  it('with unknown values', () => {
    const request = new Request();
    for (let row = 0; row < 20; row++) request.call('q', 5);
    expect(request.judge('q')).toMatchObject({ type: 'n_plus_one' });
  });

  it('as duplicate queries if the values are equal', () => {
    const request = new Request();
    for (let row = 0; row < 10; row++) request.call('q', 5, { inputs: [42] });
    expect(request.judge('q')).toMatchObject({ type: 'duplicate_queries', count: 10 });
  });

  it('with JavaScript of any duration between the queries', () => {
    const request = new Request();
    for (let row = 0; row < 10; row++) {
      request.call('q', 5);
      request.pass(50, true);
    }
    expect(request.judge('q')).toMatchObject({ type: 'n_plus_one' });
  });

  it('of writes', () => {
    const request = new Request();
    for (let row = 0; row < 10; row++) request.call('insert', 5, { inputs: [row], effect: 'write' });
    expect(request.judge('insert')).toBeDefined();
  });
});

describe('no repetition is found in', () => {
  it.each<[string, (request: Request) => void]>([
    [
      'fewer executions than the limit',
      (request) => times(4, (row) => request.call('q', 50, { inputs: [row] })),
    ],
    [
      'executions with a short total time',
      (request) => times(20, (row) => request.call('q', 1, { inputs: [row] })),
    ],
    ['one slow query', (request) => request.call('q', 500, { inputs: [1] })],
    ['failing retries', (request) => times(10, () => request.call('q', 50, { inputs: [1], error: true }))],
    [
      'retries until one succeeds',
      (request) => {
        times(5, () => request.call('q', 50, { inputs: [1], error: true }));
        request.call('q', 50, { inputs: [1] });
      },
    ],
    [
      'a poll',
      (request) =>
        times(10, () => {
          request.call('q', 5, { inputs: [1] });
          request.pass(50);
        }),
    ],
    [
      'a poll with unknown values',
      (request) =>
        times(10, () => {
          request.call('q', 5);
          request.pass(50);
        }),
    ],
    [
      'a poll for changes since the last one',
      (request) =>
        times(10, (turn) => {
          request.call('q', 5, { inputs: [turn] });
          request.pass(100);
        }),
    ],
    ['BEGIN and COMMIT', (request) => times(10, () => request.call('q', 50, { effect: 'control' }))],
    ['a cache', (request) => times(50, (row) => request.call('q', 5, { inputs: [row], work: CACHE }))],
    ['executions that have not ended', (request) => times(10, () => request.begin('q'))],
  ])('%s', (_what, run) => {
    const request = new Request();
    run(request);
    expect(request.group('q')).toBeDefined();
    expect(request.judge('q')).toBeUndefined();
  });
});

/** Ten executions with the values of each row. */
const byRow = (
  fingerprint: string,
  more: Partial<WorkKey> = {},
  inputs: (row: number) => Inputs | undefined = (row) => [row],
): Repetition | undefined => {
  const group = new WorkGroup(
    { ...key(fingerprint), ...more },
    DATABASE,
    new SpanTiming(undefined, SELF_BUSY, 0, 0),
    undefined,
  );
  times(10, (row) => {
    group.begin(group.owner, row * 10, 0);
    group.end(
      { durationMs: 10, error: false, inputs: inputs(row), rows: undefined, spanId: 'id' },
      row * 10 + 10,
      0,
    );
  });
  return judgeRepetition(group, LIMITS, 100);
};

describe('pagination', () => {
  const statements = new StatementCache();
  const keyOf = (text: string): WorkKey => statements.get(text).key;

  it.each<[string, (page: number) => Inputs | undefined]>([
    ['SELECT * FROM t ORDER BY id LIMIT $1 OFFSET $2', (page) => [20, page * 20]],
    ['SELECT * FROM t WHERE a = $1 ORDER BY id LIMIT $2 OFFSET $3', (page) => [7, 20, page * 20]],
    ['SELECT * FROM t WHERE a = ? ORDER BY id LIMIT ?, ?', (page) => [7, page * 20, 20]],
    [
      'SELECT * FROM t WHERE a = @a ORDER BY id OFFSET @b ROWS FETCH NEXT @c ROWS ONLY',
      (page) => [7, page, 20],
    ],
    ['SELECT * FROM t WHERE a = $1 AND t."id" > $2 ORDER BY t."id" LIMIT $3', (page) => [7, page, 20]],
    ['SELECT TOP (@n) * FROM t WHERE a = @a AND id > @id ORDER BY id', (page) => [7, page, 20]],
    [
      'SELECT * FROM t WHERE a = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT 20',
      (page) => [7, page, page, -1, -2],
    ],
    ['SELECT * FROM t LIMIT ? OFFSET ?', () => undefined],
    ['SELECT * FROM t WHERE id > $1 ORDER BY id LIMIT $2', () => undefined],
  ])('is %s where only the page differs', (text, inputs) => {
    expect(byRow(text, keyOf(text), inputs)).toBeUndefined();
  });

  it.each<[string, (row: number) => Inputs | undefined]>([
    ['SELECT * FROM t WHERE a = $1 ORDER BY id LIMIT $2 OFFSET $3', (row) => [row, 20, 0]],
    ['SELECT * FROM t WHERE a = $1 ORDER BY id LIMIT $2 OFFSET $3', (row) => [row, 20, row * 20]],
    ['SELECT * FROM t WHERE a = $1 ORDER BY id LIMIT $2 OFFSET $3', () => undefined],
    ['SELECT * FROM t WHERE a = $1 AND b > $2 ORDER BY b LIMIT $3', (row) => [row, 5, 20]],
    ['SELECT * FROM t WHERE a > $1 ORDER BY b LIMIT $2', (row) => [row, 20]],
    ['SELECT "t"."id" FROM "t" WHERE ("t"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3', (row) => [row, 1, 0, -1]],
    [
      'SELECT * FROM t WHERE id = @id ORDER BY (SELECT NULL) OFFSET @o ROWS FETCH NEXT @n ROWS ONLY',
      (row) => [row, 1, 0],
    ],
    // One row at a time.
    ['SELECT * FROM t WHERE a = 5 ORDER BY id LIMIT 1 OFFSET $1', (row) => [row, -1, -2]],
    // Another number of values than the text has.
    ['SELECT * FROM t WHERE a = $1 ORDER BY id LIMIT $2 OFFSET $3', (row) => [row, row]],
    ['SELECT * FROM t WHERE id = $1', (row) => [row]],
  ])('is not %s where something else differs or is unknown', (text, inputs) => {
    expect(byRow(text, keyOf(text), inputs)).toMatchObject({ type: 'n_plus_one' });
  });

  it.each([
    ['of a list', (page: number) => `SELECT * FROM t WHERE a = 7 ORDER BY id LIMIT 20 OFFSET ${page * 20}`],
    [
      'behind the last key',
      (page: number) => `SELECT * FROM t WHERE a = 7 AND id > ${page} ORDER BY id LIMIT 20`,
    ],
  ])('by literals is paging %s', (_, text) => {
    expect(byRow('q', keyOf(text(0)), (page) => statements.get(text(page)).inputs)).toBeUndefined();
  });

  it('by literals is none where another literal differs, too', () => {
    const text = (row: number): string => `SELECT * FROM t WHERE a = ${row} ORDER BY id LIMIT 20 OFFSET 0`;
    expect(byRow('q', keyOf(text(0)), (row) => statements.get(text(row)).inputs)).toBeDefined();
  });
});

describe('writes of several rows are', () => {
  it('inserts with several rows in their text', () => {
    const insert = 'insert into t(a) values (?)';
    expect(byRow(insert, { effect: 'write', shape: 'rows' })).toBeUndefined();
    expect(byRow(insert, { effect: 'write' })).toBeDefined();
  });
});

describe('the advice', () => {
  const advice = (
    fingerprint: string,
    effect: WorkKey['effect'],
    work = DATABASE,
    input?: number,
  ): string => {
    const request = new Request();
    times(10, (row) => request.call(fingerprint, 10, { inputs: [input ?? row], effect, work }));
    const [loader] = loadersOf([request.judge(fingerprint) as Repetition], () => undefined);
    return /in total\. (.*)/.exec(explainRepetition(loader as Loader, 'GET /', undefined))?.[1] ?? '';
  };

  it.each<[string, string, WorkKey['effect'], number?, number?]>([
    ['Load all of them at once: with a join, IN or a DataLoader.', 'SELECT t', 'read'],
    ['Load all of them at once: with a join, IN or a DataLoader.', 'find users', 'read'],
    ['Run it once and keep the result for the request.', 'SELECT t', 'read', DATABASE, 5],
    ['Run it once and keep the result for the request.', 'GET api/a', 'read', EXTERNAL, 5],
    ['Send them as one statement.', 'INSERT t', 'write'],
    ['Send them as one statement.', 'MERGE t', 'write'],
    ['Send them as one statement.', 'UPDATE t', 'write', DATABASE, 5],
    ['Send them as a batch if the API allows it.', 'insertOne users', 'write'],
    ['Send them as a batch if the API allows it.', 'POST api/a', 'write', EXTERNAL],
    [
      'Request all of them at once if the API allows it, or run the calls in parallel.',
      'GET api/a/{}',
      'read',
      EXTERNAL,
    ],
    [
      'Request all of them at once if the API allows it, or run the calls in parallel.',
      'Users/Get',
      'read',
      RPC,
    ],
  ])('is %j for %s, a %s', (expected, fingerprint, effect, work = DATABASE, input = undefined) => {
    expect(advice(fingerprint, effect, work, input)).toBe(expected);
  });
});

describe('RequestWork', () => {
  it('limits its groups, and drops groups without repetition first', () => {
    const request = new Request();
    for (let row = 0; row < 6; row++) request.call('often', 10, { inputs: [row] });
    for (let n = 0; n < 100_000; n++) request.call(`once ${n}`, 0);
    expect(request.work.groups.length).toBe(64);
    expect(request.judge('often')).toBeDefined();
    expect(request.group('often')?.spanIds.length).toBe(6);
  });

  it('drops no repeated group for a new one', () => {
    const request = new Request();
    for (let n = 0; n < 64; n++) for (let i = 0; i < 2; i++) request.call(`twice ${n}`, 1);
    request.call('new', 1);
    expect(request.group('new')).toBeUndefined();
  });

  it('limits the span ids of a group', () => {
    const request = new Request();
    for (let row = 0; row < 1000; row++) request.call('q', 1, { inputs: [row] });
    expect(request.group('q')?.spanIds.length).toBe(20);
  });

  it('wants a stack at the start of the fifth execution, and not before', () => {
    const request = new Request();
    const asked: boolean[] = [];
    for (let row = 0; row < 6; row++) {
      asked.push(request.work.wantsStack);
      request.call('q', 10, { inputs: [row] });
    }
    expect(asked).toEqual([false, false, false, false, true, true]);
    const frames = [{ functionName: 'a', url: '/a.js', line: 1, column: 1 }];
    const group = request.group('q');
    if (group !== undefined) request.work.keepStack(group, frames);
    expect(request.work.wantsStack).toBe(false);
    expect(request.judge('q')?.frames).toBe(frames);
  });

  it('captures up to eight stacks in one request', () => {
    const request = new Request();
    for (let n = 0; n < 20; n++)
      for (let row = 0; row < 6; row++) request.call(`q${n}`, 1, { inputs: [row] });
    let taken = 0;
    while (request.work.wantsStack && request.work.mayCaptureStack) {
      request.work.stackCaptured();
      taken++;
    }
    expect(taken).toBe(8);
  });
});

describe('the stacks that request connections of a pool', () => {
  const frames = [{ functionName: 'list', url: '/app/a.js', line: 1, column: 1 }];

  it('belong to the query that runs on the connection handed over last, and are read then', () => {
    const { work } = new Request();
    let read = 0;
    const hold = () => () => {
      read++;
      return frames;
    };
    const [first, second] = [{}, {}];
    work.poolRequested(first, hold);
    work.poolReceived(first);
    expect(read).toBe(0);
    expect(work.takePoolFrames(5)).toBe(frames);
    expect(work.takePoolFrames(5)).toEqual([]);
    work.poolRequested(first, hold);
    work.poolReceived(second);
    expect(work.takePoolFrames(5)).toEqual([]);
  });

  it('are kept for up to 32 connections of a request', () => {
    const { work } = new Request();
    let held = 0;
    for (let n = 0; n < 100; n++) {
      const pool = {};
      work.poolRequested(pool, () => {
        held++;
        return () => frames;
      });
      if (n % 2 === 0) work.poolReceived(pool);
    }
    expect(held).toBe(32);
  });
});

describe('CallChain', () => {
  const chain = (run: (request: Request) => void) => {
    const request = new Request();
    run(request);
    return request.work.chain.best;
  };

  it('finds sequential reads that do not depend on each other', () => {
    expect(
      chain((request) => {
        request.call('a', 30, { inputs: [1, 2] });
        request.call('b', 40, { inputs: [1] });
        request.call('c', 50, { inputs: [] });
      }),
    ).toMatchObject({ count: 3, sumMs: 120, maxMs: 50, names: ['a', 'b', 'c'] });
  });

  it.each<[string, (request: Request) => void]>([
    [
      'a waterfall: each call depends on the result of the one before',
      (request) => {
        request.call('a', 30, { inputs: [1] });
        request.call('b', 30, { inputs: [2] });
        request.call('c', 30, { inputs: [3] });
      },
    ],
    ['unknown values', (request) => times(3, (n) => request.call(`q${n}`, 30))],
    ['writes', (request) => times(3, (n) => request.call(`q${n}`, 30, { inputs: [], effect: 'write' }))],
    ['a cache', (request) => times(3, (n) => request.call(`q${n}`, 30, { inputs: [], work: CACHE }))],
    [
      'parallel calls',
      (request) => {
        const ends = [0, 1, 2].map((n) => request.begin(`q${n}`, { inputs: [] }));
        request.pass(30);
        for (const end of ends) end(30);
      },
    ],
    [
      'a transaction: its statements share a connection',
      (request) => {
        request.call('BEGIN', 1, { effect: 'control' });
        times(3, (n) => request.call(`q${n}`, 30, { inputs: [] }));
        request.call('COMMIT', 1, { effect: 'control' });
      },
    ],
  ])('is silent on %s', (_what, run) => {
    expect(chain(run)?.count ?? 0).toBeLessThan(3);
  });

  it('keeps the chain with the greatest possible saving', () => {
    const best = chain((request) => {
      times(4, (n) => request.call(`long${n}`, 50, { inputs: [] }));
      request.call('break', 1, { inputs: [], effect: 'write' });
      times(3, (n) => request.call(`short${n}`, 5, { inputs: [] }));
    });
    expect(best).toMatchObject({ count: 4, sumMs: 200 });
  });
});

function times(count: number, run: (n: number) => void): void {
  for (let n = 0; n < count; n++) run(n);
}
