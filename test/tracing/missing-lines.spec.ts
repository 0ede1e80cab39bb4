import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import type { Finding } from '../../lib/explain/finding.js';
import { liveSpanOf } from '../../lib/spans/live-span.js';
import { setParameters } from '../../lib/tracing/work-tracking.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

const QUERY = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT * FROM track WHERE album_id = $1' };
const ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/** The queries of a driver, a pool and an ORM: functions without a line of the user. */
const QUERIES = `
  const run = async (row) => {
    const span = start('pg.query', { kind: 2, attributes });
    setParameters(span, [row]);
    await sleep(1);
    span.end();
  };
  return {
    // Requests a connection, and executes the query when the pool hands it over.
    ofPool: (row) => new Promise((resolve, reject) => {
      const pool = start('pg-pool.connect', { kind: 2, attributes: { 'db.system.name': 'postgresql' } });
      setImmediate(context.bind(context.active(), () => {
        pool.end();
        run(row).then(resolve, reject);
      }));
    }),
    // Is executed once it is awaited.
    ofOrm: (row) => ({ then: (resolve, reject) => run(row).then(resolve, reject) }),
    // As before, but in no job of a promise: its stack is empty in every version of Node.
    ofQueue: (row) => ({ then: (resolve, reject) => queueMicrotask(() => run(row).then(resolve, reject)) }),
  };`;
type Queries = Record<'ofPool' | 'ofOrm' | 'ofQueue', (row: number) => PromiseLike<void>>;

describe('the line of calls whose stack has none', () => {
  let tracing: TestTracing;
  let queries: Queries;
  beforeEach(() => {
    tracing = startTracing({ httpThresholdMs: 1, detection: { nPlusOne: { minTotalMs: 0 } } });
    queries = queriesOf(QUERY);
  });
  afterEach(() => tracing.shutdown());

  function queriesOf(attributes: typeof QUERY): Queries {
    const tracer = tracing.provider.getTracer('test');
    const start = tracer.startSpan.bind(tracer);
    const tools = { start, attributes, setParameters, sleep, context, setImmediate };
    return new Function(...Object.keys(tools), QUERIES)(...Object.values(tools));
  }

  /** An incoming request whose route is known before its handler runs. */
  async function serve(handler: () => Promise<unknown>): Promise<void> {
    const root = begin();
    await context.with(trace.setSpan(ROOT_CONTEXT, root), handler);
    root.end();
  }
  function begin(): Span {
    const tracer = tracing.provider.getTracer('test');
    const attributes = { 'http.request.method': 'GET', 'http.route': '/tracks' };
    const root = tracer.startSpan('GET', { kind: SpanKind.SERVER, attributes }, ROOT_CONTEXT);
    const live = liveSpanOf(root);
    if (live === undefined) throw new Error('The request is not measured');
    live.type = 'http';
    live.name = 'GET /tracks';
    live.sink.requests.named(live);
    return root;
  }
  const finding = (): Finding | undefined => tracing.monitor.getFindings({ type: 'n_plus_one' })[0];

  it.each<[string, (queries: Queries) => () => Promise<unknown>]>([
    [
      'of a pool, one after the other',
      ({ ofPool }) =>
        async function tracks() {
          for (const row of ROWS) await ofPool(row);
        },
    ],
    [
      'of a pool, in parallel',
      ({ ofPool }) =>
        async function tracks() {
          await Promise.all(ROWS.map((row) => ofPool(row)));
        },
    ],
    [
      'of an ORM, one after the other',
      ({ ofOrm }) =>
        async function tracks() {
          for (const row of ROWS) await ofOrm(row);
        },
    ],
    [
      'of an ORM, in parallel',
      ({ ofOrm }) =>
        async function tracks() {
          await Promise.all(ROWS.map(async (row) => ofOrm(row)));
        },
    ],
  ])('is that of the query %s, from the second request on', async (_which, handler) => {
    for (let request = 0; request < 2; request++) await serve(handler(queries));
    expect(finding()?.callSite).toMatchObject({
      function: 'tracks',
      file: 'test/tracing/missing-lines.spec.ts',
    });
    expect(finding()?.explanation).toContain(`from tracks (missing-lines.spec.ts:`);
    // A later request has the line as well, though its stacks are not captured again.
    await serve(handler(queries));
    expect(finding()?.explanation).toContain(`from tracks (missing-lines.spec.ts:`);
  });

  it('is that of the right query where two wait for the pool', async () => {
    const ofAlbums = queriesOf({ ...QUERY, 'db.query.text': 'SELECT * FROM album WHERE id = $1' });
    async function both(): Promise<void> {
      await Promise.all(ROWS.flatMap((row) => [queries.ofPool(row), albumOf(row)]));
    }
    function albumOf(row: number): PromiseLike<void> {
      return ofAlbums.ofPool(row);
    }
    for (let request = 0; request < 3; request++) await serve(both);
    const sites = tracing.monitor
      .getFindings({ type: 'n_plus_one' })
      .map(({ fingerprint, callSite }) => [fingerprint, callSite?.function]);
    expect(sites).toEqual(
      expect.arrayContaining([
        [expect.stringContaining('from track'), 'both'],
        [expect.stringContaining('from album'), 'albumOf'],
      ]),
    );
  });

  it('is recorded in one request at a time, which ends', async () => {
    const handler = async (): Promise<void> => {
      for (const row of ROWS) await queries.ofQueue(row);
    };
    await serve(handler);
    const { promiseStacks } = tracing.monitor.sink.requests;
    expect(promiseStacks.isRecording).toBe(false);
    const hung = begin();
    const live = liveSpanOf(hung) as { startedAt: number };
    expect(promiseStacks.isRecording).toBe(true);
    await serve(handler);
    expect(finding()?.callSite).toBeUndefined();
    expect(promiseStacks.isRecording).toBe(true);

    live.startedAt -= 10_000;
    await serve(async () => {
      for (const row of ROWS) await queries.ofOrm(row);
    });
    expect(finding()?.callSite).toBeDefined();
    expect(promiseStacks.isRecording).toBe(false);
  });

  it('is recorded no longer when the module has shut down', async () => {
    await serve(async () => {
      for (const row of ROWS) await queries.ofQueue(row);
    });
    begin();
    const { promiseStacks } = tracing.monitor.sink.requests;
    expect(promiseStacks.isRecording).toBe(true);
    tracing.monitor.shutdown();
    expect(promiseStacks.isRecording).toBe(false);
  });
});
