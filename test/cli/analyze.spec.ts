import { describe, expect, it } from '@jest/globals';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { analyzed, runCli } from './support/analyzing.js';
import { otlpOf, Recording } from './support/recording.js';

const BY_ID = 'SELECT * FROM track WHERE album_id = $1';

/** A request with this many queries for one row each. */
function nPlusOne(copies = 12, service = 'music'): Recording {
  const recording = new Recording(service);
  const request = recording.request();
  for (let copy = 0; copy < copies; copy++) recording.query(request, BY_ID);
  return recording;
}

describe('analyze reports', () => {
  it('an N+1 as the documented JSON', async () => {
    const recording = nPlusOne();
    const [request, ...queries] = recording.spans;
    expect(await analyzed([recording.otlp])).toEqual([
      {
        type: 'n_plus_one',
        severity: 'warning',
        traceId: recording.traceId,
        parentSpanId: request?.spanId,
        spanIds: queries.map(({ spanId }) => spanId),
        fingerprint: 'select * from track where album_id = ?',
        count: 12,
        totalMs: 120,
        explanation:
          'GET /albums made 12 sequential copies of SELECT track WHERE album_id = ?, 120 ms in total. Load all of them at once: with a join, IN or a DataLoader.',
        route: 'GET /albums',
        service: 'music',
      },
    ]);
  });

  it('the innermost span that contains all repetitions', async () => {
    const recording = new Recording();
    const request = recording.request();
    const method = recording.span('AlbumsService.list', 0, 500, { parentSpanId: request.spanId });
    for (let copy = 0; copy < 6; copy++) {
      const each = recording.span('each', copy * 10, copy * 10 + 10, { parentSpanId: method.spanId });
      recording.query(each, BY_ID);
    }
    expect(await analyzed([recording.otlp])).toMatchObject([{ parentSpanId: method.spanId, count: 6 }]);
  });

  it('identical queries by literals or recorded values', async () => {
    const [literal, values, parameters] = [new Recording(), new Recording(), new Recording()];
    for (let copy = 0; copy < 6; copy++) {
      literal.query(literal.spans[0] ?? literal.request(), 'SELECT * FROM flag WHERE id = 5');
      values.query(values.spans[0] ?? values.request(), BY_ID, 10, {}, { 'db.postgresql.values': ['7'] });
      parameters.query(
        parameters.spans[0] ?? parameters.request(),
        BY_ID,
        10,
        {},
        { 'db.query.parameter.0': '7' },
      );
    }
    for (const { otlp } of [literal, values, parameters])
      expect(await analyzed([otlp])).toMatchObject([{ type: 'duplicate_queries', count: 6 }]);
  });

  it('rows queried one by one with different values, with short pauses or none', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 6; copy++) {
      recording.query(request, BY_ID, 10, {}, { 'db.postgresql.values': [String(copy)] });
      recording.now += 40;
    }
    expect(await analyzed([recording.otlp])).toMatchObject([{ type: 'n_plus_one', count: 6 }]);
  });

  it('rows queried one by one with processing in between', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 12; copy++) {
      recording.query(request, BY_ID, 3);
      recording.now += 5;
    }
    expect(await analyzed([recording.otlp])).toMatchObject([{ type: 'n_plus_one', count: 12, totalMs: 36 }]);
  });

  it('sequential calls that could have run in parallel', async () => {
    const recording = new Recording();
    const request = recording.request();
    const calls = ['users', 'prices', 'stock'].map((host) =>
      recording.work(request, 40, {
        'http.request.method': 'GET',
        'url.full': `https://${host}.example.com/all`,
        'server.address': `${host}.example.com`,
      }),
    );
    expect(await analyzed([recording.otlp])).toMatchObject([
      {
        type: 'sequential_calls',
        severity: 'warning',
        count: 3,
        totalMs: 120,
        parentSpanId: request.spanId,
        spanIds: calls.map(({ spanId }) => spanId),
        fingerprint: 'GET users.example.com/all > GET prices.example.com/all > GET stock.example.com/all',
      },
    ]);
  });

  it('parallel copies and outgoing calls', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 8; copy++) {
      recording.work(request, 50, {
        'http.method': 'GET',
        'http.url': `http://users:8080/users/${copy}?full=1`,
        'net.peer.name': 'users',
      });
      recording.now = 0;
    }
    expect(await analyzed([recording.otlp])).toMatchObject([
      {
        type: 'n_plus_one',
        count: 8,
        totalMs: 50,
        fingerprint: 'GET users:8080/users/{}',
        explanation: expect.stringContaining('8 parallel copies'),
      },
    ]);
  });

  it('findings in messages, and critical ones first', async () => {
    const consumer = new Recording('worker');
    const message = consumer.span(
      'process orders',
      0,
      9000,
      { kind: 'SPAN_KIND_CONSUMER' },
      {
        'messaging.system': 'kafka',
        'messaging.operation': 'process',
        'messaging.destination.name': 'orders',
      },
    );
    for (let copy = 0; copy < 20; copy++) consumer.query(message, 'UPDATE item SET n = $1 WHERE id = $2', 60);
    expect(await analyzed([nPlusOne(5).otlp, consumer.otlp])).toMatchObject([
      {
        severity: 'critical',
        service: 'worker',
        route: 'process orders',
        explanation: expect.stringContaining('Send them as one statement.'),
      },
      { severity: 'warning', count: 5, service: 'music' },
    ]);
  });

  it('a finding once for spans spread over exports, in any order, or duplicated', async () => {
    const { spans } = nPlusOne();
    const exports = [...spans].reverse().map((span) => otlpOf([span], 'music'));
    expect(await analyzed([...exports, otlpOf(spans, 'music')])).toMatchObject([{ count: 12 }]);
  });

  it('queries once that a query builder and its driver both record', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 6; copy++) {
      const outer = recording.query(request, 'select * from `track` where `id` = ?');
      recording.now -= 10;
      recording.query(outer, 'select * from `track` where `id` = ?');
    }
    expect(await analyzed([recording.otlp])).toMatchObject([{ count: 6 }]);
  });

  it('each request separately when a service calls itself', async () => {
    const recording = new Recording();
    const request = recording.request('/outer');
    for (let copy = 0; copy < 3; copy++) recording.query(request, BY_ID);
    const call = recording.work(request, 200, {
      'http.request.method': 'GET',
      'url.full': 'http://music/inner',
      'server.address': 'music',
    });
    recording.now -= 200;
    const inner = recording.request('/inner', 200, { parentSpanId: call.spanId });
    for (let copy = 0; copy < 6; copy++) recording.query(inner, BY_ID);
    expect(await analyzed([recording.otlp])).toMatchObject([{ route: 'GET /inner', count: 6 }]);
  });
});

describe('the thresholds of analyze', () => {
  it('are those of the live library by default', async () => {
    const monitor = new PerformanceMonitor();
    const { minRepetitions, minTotalMs } = monitor.options.detection.nPlusOne;
    monitor.shutdown();
    const { stdout } = await runCli(['analyze', '--help']);
    expect(stdout).toContain(`minimum repetitions within one request (default ${minRepetitions})`);
    expect(stdout).toContain(`minimum total time of repetitions in ms (default ${minTotalMs})`);
  });

  it('can be set', async () => {
    const { otlp } = nPlusOne(3);
    expect(await analyzed([otlp], '--min-repetitions', '3')).toMatchObject([{ count: 3, severity: 'info' }]);
    expect(await analyzed([otlp], '--min-repetitions=3', '--min-total-ms=31')).toEqual([]);
  });
});
