import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Attributes, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import type { Finding } from '../../lib/explain/finding.js';
import { setParameters } from '../../lib/tracing/work-tracking.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

describe('the live detectors', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing({ detection: { nPlusOne: { minTotalMs: 5 } } });
  });
  afterEach(() => tracing.shutdown());

  const start = (kind: SpanKind, attributes: Attributes, parent?: Span): Span =>
    tracing.provider
      .getTracer('test')
      .startSpan('span', { kind, attributes }, parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT);
  const serve = (): Span => start(SpanKind.SERVER, { 'http.request.method': 'GET', 'http.route': '/albums' });
  const begin = (parent: Span, text: string, values?: readonly unknown[]): Span => {
    const span = start(SpanKind.CLIENT, { 'db.system.name': 'postgresql', 'db.query.text': text }, parent);
    setParameters(span, values);
    return span;
  };
  const query = async (parent: Span, text: string, values?: readonly unknown[], ms = 3): Promise<void> => {
    const span = begin(parent, text, values);
    await sleep(ms);
    span.end();
  };
  const get = async (parent: Span, attributes: Attributes, ms = 3): Promise<void> => {
    const span = start(SpanKind.CLIENT, { 'http.request.method': 'GET', ...attributes }, parent);
    await sleep(ms);
    span.end();
  };
  const findings = async (handle: (root: Span) => Promise<void>): Promise<Finding[]> => {
    const root = serve();
    await handle(root);
    root.end();
    return tracing.monitor.getFindings();
  };
  const busy = (ms: number): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  const ROWS = [1, 2, 3, 4, 5, 6, 7, 8];

  it.each<[string, 'n_plus_one' | 'duplicate_queries', (row: number) => [string, unknown[]?]]>([
    ['literals and no bound value', 'n_plus_one', (row) => [`SELECT * FROM a WHERE id = ${row}`, []]],
    [
      'literals and an equal bound value',
      'n_plus_one',
      (row) => [`SELECT * FROM a WHERE t = $1 AND id = ${row}`, ['x']],
    ],
    ['equal literals and no bound value', 'duplicate_queries', () => ['SELECT * FROM a WHERE id = 7', []]],
    [
      'equal literals and bound values',
      'duplicate_queries',
      () => ['SELECT * FROM a WHERE t = $1 AND id = 7', ['x']],
    ],
    ['a truncated text', 'n_plus_one', () => ['SELECT * FROM a WHERE id...', []]],
    [
      'the latest rows of each',
      'n_plus_one',
      (row) => ['SELECT * FROM a WHERE b = $1 ORDER BY id LIMIT $2 OFFSET $3', [row, 5, 0]],
    ],
  ])('compare all values: %s', async (_, type, statement) => {
    const found = await findings(async (root) => {
      for (const row of ROWS) await query(root, ...statement(row));
    });
    expect(found).toMatchObject([{ type, repetitions: 8 }]);
  });

  it('are silent about pages of a list', async () => {
    const found = await findings(async (root) => {
      for (const row of ROWS)
        await query(root, 'SELECT * FROM a WHERE b = $1 ORDER BY id LIMIT $2 OFFSET $3', [7, 20, row * 20]);
      for (const row of ROWS) await get(root, { 'url.full': `http://api/items?author=7&page=${row}` });
    });
    expect(found).toEqual([]);
  });

  it('distinguish calls by the path of any convention', async () => {
    const found = await findings(async (root) => {
      for (const path of ['/users', '/orders', '/stock', '/prices', '/offers'])
        await get(root, { 'url.path': path, 'server.address': 'api' }, 1);
      for (const word of ['ec2', 's3', 'k8s', 'oauth2', 'md5'])
        await get(root, { 'url.full': `http://cloud/${word}/status` }, 1);
    });
    // They may well be a chain, but no repetition.
    expect(found.filter(({ type }) => type !== 'sequential_calls')).toEqual([]);
  });

  it('distinguish a poll from a loop with JavaScript between bound statements', async () => {
    const text = 'SELECT state FROM job WHERE id = $1';
    const loop = await findings(async (root) => {
      for (const _ of ROWS) {
        await query(root, text);
        busy(8);
      }
    });
    expect(loop).toMatchObject([{ type: 'n_plus_one', repetitions: 8 }]);
    tracing.monitor.resetStats();
    const poll = await findings(async (root) => {
      for (const _ of ROWS) {
        await query(root, text, [7]);
        await sleep(15);
      }
    });
    expect(poll).toEqual([]);
  });

  it('count an execution that outlives its request', async () => {
    const found = await findings(async (root) => {
      for (const row of ROWS.slice(0, 4)) await query(root, 'SELECT * FROM a WHERE id = $1', [row]);
      begin(root, 'SELECT * FROM a WHERE id = $1', [5]);
      await sleep(3);
    });
    expect(found).toMatchObject([{ type: 'n_plus_one', repetitions: 5 }]);
  });

  it('report a few slow calls of one shape, and quick ones never', async () => {
    const found = await findings(async (root) => {
      for (const row of [1, 2, 3]) await get(root, { 'url.full': `http://api/reports/${row}` }, 110);
      for (const row of [1, 2, 3]) await get(root, { 'url.full': `http://api/users/${row}` });
    });
    expect(found).toMatchObject([
      { type: 'sequential_calls', fingerprint: 'GET api/reports/{}', repetitions: 3 },
    ]);
  });

  it('report no chain across long gaps', async () => {
    const found = await findings(async (root) => {
      for (const path of ['a', 'b', 'c', 'd']) {
        await get(root, { 'url.full': `http://api/${path}` }, 15);
        await sleep(70);
      }
    });
    expect(found).toEqual([]);
  });

  it('put together what one line repeats: the query, its variants and its relations', async () => {
    const load = async (root: Span, row: number): Promise<void> => {
      const texts = ['SELECT * FROM album WHERE id = $1', 'SELECT * FROM artist WHERE album_id = $1'];
      for (const text of row > 6 ? texts : [...texts, 'SELECT * FROM cover WHERE album_id = $1'])
        await query(root, text, [row]);
    };
    const found = await findings(async (root) => {
      for (const row of ROWS) await load(root, row);
    });
    expect(found).toMatchObject([
      {
        type: 'n_plus_one',
        fingerprint: 'select * from album where id = ?',
        repetitions: 8,
        explanation: expect.stringContaining('with 8 of SELECT artist, 6 of SELECT cover'),
      },
    ]);
  });

  it('keep apart what two lines repeat alternately', async () => {
    const albums = (root: Span, row: number): Promise<void> =>
      query(root, 'SELECT * FROM album WHERE id = $1', [row]);
    const artists = async (root: Span, row: number): Promise<void> => {
      await query(root, 'SELECT * FROM artist WHERE id = $1', [row]);
    };
    const found = await findings(async (root) => {
      for (const row of ROWS) {
        await albums(root, row);
        await artists(root, row);
      }
    });
    expect(found.map(({ fingerprint }) => fingerprint).sort()).toEqual([
      'select * from album where id = ?',
      'select * from artist where id = ?',
    ]);
  });

  it('emit a finding once, however often its route is requested', async () => {
    const heard: number[] = [];
    tracing.monitor.onFinding(({ count }) => heard.push(count));
    for (let time = 0; time < 5; time++)
      await findings(async (root) => {
        for (const row of ROWS) await query(root, 'SELECT * FROM a WHERE id = $1', [row], 1);
      });
    await sleep(5);
    expect(heard).toEqual([1]);
    expect(tracing.monitor.getFindings()).toMatchObject([{ count: 5 }]);
  });
});
