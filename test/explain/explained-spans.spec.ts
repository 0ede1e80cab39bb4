import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Attributes,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { setParameters, setRowCount } from '../../lib/tracing/work-tracking.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

const SERVED = { 'http.request.method': 'GET', 'http.route': '/albums' };

describe('the explanation of a slow operation', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing({
      httpThresholdMs: 1,
      databaseThresholdMs: 60_000,
      detection: { nPlusOne: { minTotalMs: 5 } },
    });
  });
  afterEach(() => tracing.shutdown());

  const start = (name: string, kind: SpanKind, attributes: Attributes, parent?: Span): Span =>
    tracing.provider
      .getTracer('test')
      .startSpan(name, { kind, attributes }, parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT);
  const serve = (kind = SpanKind.SERVER): Span => start('GET', kind, SERVED);
  const query = (parent: Span, text: string): Span =>
    start('pg.query', SpanKind.CLIENT, { 'db.system.name': 'postgresql', 'db.query.text': text }, parent);
  const busy = (ms: number): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  const slow = (): SlowOperation => tracing.monitor.getSlowOperations()[0] as SlowOperation;

  /** The work of an application for each row: the call site is in this loop. */
  async function loadTracks(parent: Span, rows: number, text: string): Promise<void> {
    for (let row = 0; row < rows; row++) {
      const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text };
      const within = trace.setSpan(ROOT_CONTEXT, parent);
      const span = tracing.provider
        .getTracer('test')
        .startSpan('pg.query', { kind: SpanKind.CLIENT, attributes }, within);
      setParameters(span, [row]);
      // Longer than the code takes that is compiled meanwhile.
      await sleep(12);
      setRowCount(span, 2);
      span.end();
    }
  }

  it('has an N+1 and its call site, on the span, too', async () => {
    const root = serve();
    await loadTracks(root, 12, 'SELECT * FROM track WHERE album_id = $1');
    root.end();
    expect(slow()).toMatchObject({
      cause: 'n_plus_one',
      callSite: {
        function: expect.stringContaining('loadTracks'),
        file: 'test/explain/explained-spans.spec.ts',
      },
      nPlusOne: { statement: 'select * from track where album_id = ?', count: 12 },
    });
    expect(slow().explanation).toMatch(
      /^GET \/albums took \d+ ms \(threshold 1\): \d+ % went to 12 sequential copies of SELECT track WHERE album_id = \? from loadTracks \(explained-spans\.spec\.ts:\d+\)\. /,
    );
    const exported = tracing.exported().find(({ kind }) => kind === SpanKind.SERVER);
    expect(exported?.attributes).toMatchObject({
      'performance.cause': 'n_plus_one',
      'performance.cause.share': expect.any(Number),
      'performance.explanation': slow().explanation,
      'performance.n_plus_one.count': 12,
      'performance.n_plus_one.statement': 'select * from track where album_id = ?',
      'performance.call_site': expect.stringMatching(/^loadTracks \(test\/explain/),
    });
    expect(tracing.monitor.getFindings()).toMatchObject([
      { type: 'n_plus_one', route: 'GET /albums', count: 1, repetitions: 12, callSite: slow().callSite },
    ]);
  });

  it('captures no stack without a repetition', async () => {
    const root = serve();
    await loadTracks(root, 3, 'SELECT * FROM track WHERE album_id = $1');
    root.end();
    expect(tracing.monitor.getFindings()).toEqual([]);
    expect(tracing.monitor.getSlowQueries({ all: true })[0]).not.toHaveProperty('callSite');
  });

  it('has causes but no finding for work that nobody waits for', async () => {
    const root = serve(SpanKind.INTERNAL);
    root.setAttribute('performance.operation.type', 'http');
    await loadTracks(root, 12, 'UPDATE track SET seconds = 1 WHERE id = $1');
    root.end();
    expect(tracing.monitor.getFindings()).toEqual([]);
    expect(slow()).toMatchObject({ cause: 'database' });
  });

  it('counts 12 copies in one request, and none in 12 requests', async () => {
    for (let page = 0; page < 12; page++) {
      const root = serve();
      await loadTracks(root, 1, 'SELECT * FROM track OFFSET $1');
      root.end();
    }
    expect(tracing.monitor.getFindings()).toEqual([]);
  });

  it('does not report retries as a repetition', async () => {
    const root = serve();
    for (let attempt = 0; attempt < 8; attempt++) {
      const span = query(root, 'SELECT * FROM track');
      await sleep(5);
      if (attempt < 7) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    }
    root.end();
    expect(tracing.monitor.getFindings()).toEqual([]);
  });

  it('names the innermost operation in which it waited for most of its time', async () => {
    const root = serve();
    const spans: Span[] = [];
    for (const name of ['Orders.place', 'Bus.execute', 'PlaceOrder.execute'])
      spans.push(start(name, SpanKind.INTERNAL, {}, spans.at(-1) ?? root));
    await sleep(200);
    for (const span of spans.reverse()) span.end();
    root.end();
    expect(slow().explanation).toContain(
      'went to waiting in PlaceOrder.execute on something not instrumented',
    );
  });

  it('distinguishes waiting from own JavaScript', async () => {
    const waiting = serve();
    await sleep(60);
    waiting.end();
    expect(slow()).toMatchObject({ cause: 'waiting' });
    const working = serve();
    for (let i = 0; i < 6; i++) {
      busy(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    working.end();
    expect(slow().causes.find(({ cause }) => cause === 'cpu')).toMatchObject({ certainty: 'measured' });
  });

  it('is less certain of own JavaScript with a concurrent request', async () => {
    const other = serve();
    const working = serve();
    for (let i = 0; i < 6; i++) {
      busy(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    working.end();
    expect(slow().causes.find(({ cause }) => cause === 'cpu')).toMatchObject({ certainty: 'likely' });
    other.end();
  });

  it('has the wait for a connection of the pool', async () => {
    const root = serve();
    const pool = start('pg-pool.connect', SpanKind.CLIENT, { 'db.system.name': 'postgresql' }, root);
    await sleep(60);
    pool.end();
    const span = query(root, 'SELECT * FROM track');
    await sleep(5);
    span.end();
    root.end();
    expect(slow()).toMatchObject({ cause: 'connection_pool' });
  });

  it('names work that still ran at the end of the request', async () => {
    const root = serve();
    query(root, 'SELECT * FROM track WHERE slow = $1');
    await sleep(60);
    root.end();
    expect(slow()).toMatchObject({ cause: 'database' });
    expect(slow().causes[0]).toMatchObject({ operation: 'SELECT track', count: 1 });
  });

  it('has the work below decorated methods', async () => {
    const root = serve();
    const service = start(
      'Albums.list',
      SpanKind.INTERNAL,
      { 'performance.operation.type': 'internal' },
      root,
    );
    await loadTracks(service, 10, 'SELECT * FROM track WHERE album_id = $1');
    service.end();
    root.end();
    expect(slow()).toMatchObject({ cause: 'n_plus_one' });
    expect(tracing.monitor.getFindings()[0]?.spanId).toBe(service.spanContext().spanId);
  });

  it('has the median of the operation with enough data', async () => {
    for (let i = 0; i < 12; i++) serve().end();
    const root = serve();
    await sleep(30);
    root.end();
    expect(slow().explanation).toMatch(/\(threshold 1, median [\d.]+\)/);
  });

  it('comes with rows, routes and the call site of a slow statement', async () => {
    tracing.monitor.thresholds.setRoute('GET /albums', 1);
    const text = 'SELECT * FROM track WHERE title LIKE $1';
    const monitored = startTracing({ databaseThresholdMs: 1 });
    for (let i = 0; i < 3; i++) {
      const root = monitored.provider
        .getTracer('t')
        .startSpan('GET', { kind: SpanKind.SERVER, attributes: SERVED });
      const span = monitored.provider
        .getTracer('t')
        .startSpan(
          'pg.query',
          { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql', 'db.query.text': text } },
          trace.setSpan(context.active(), root),
        );
      await sleep(5);
      setRowCount(span, 4);
      span.end();
      root.end();
    }
    expect(monitored.monitor.getSlowQueries()).toMatchObject([
      {
        fingerprint: 'select * from track where title like ?',
        count: 3,
        slowCount: 3,
        avgRows: 4,
        callSite: { file: 'test/explain/explained-spans.spec.ts' },
      },
    ]);
    await monitored.shutdown();
  });

  it('is cleared with findings and queries on a reset', async () => {
    const root = serve();
    await loadTracks(root, 12, 'SELECT * FROM track WHERE album_id = $1');
    root.end();
    tracing.monitor.resetStats();
    expect(tracing.monitor.getFindings()).toEqual([]);
    expect(tracing.monitor.getSlowQueries({ all: true })).toEqual([]);
  });
});
