import { describe, expect, it } from '@jest/globals';
import { analyzed, runCli } from './support/analyzing.js';
import { type OtlpSpan, otlpOf, Recording } from './support/recording.js';

const BY_ID = 'SELECT * FROM book WHERE id = $1';
const LOST = 'dddddddddddddddd';
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x300;

/** Copies of a query within a parent, with overrides for each span. */
function copies(
  recording: Recording,
  parent: string,
  count: number,
  more: Record<string, unknown> = {},
): OtlpSpan[] {
  return Array.from({ length: count }, () =>
    recording.query({ traceId: recording.traceId, spanId: parent }, BY_ID, 10, more),
  );
}

/** The findings and the warnings for spans by service. */
async function judged(
  services: Record<string, OtlpSpan[]>,
): Promise<{ found: string[]; code: number; stderr: string }> {
  const lines = Object.entries(services).map(([service, spans]) => JSON.stringify(otlpOf(spans, service)));
  const { code, stdout, stderr } = await runCli(['analyze', '-'], lines.join('\n'));
  const findings =
    stdout === '' ? [] : (JSON.parse(stdout) as { type: string; service: string; count: number }[]);
  return { found: findings.map(({ type, service, count }) => `${type} ${service} ${count}`), code, stderr };
}

describe('spans without their parent', () => {
  it('belong to the request of their service that ran when they started', async () => {
    const recording = new Recording();
    recording.request();
    copies(recording, LOST, 8);
    expect(await judged({ shop: recording.spans })).toEqual({
      found: ['n_plus_one shop 8'],
      code: 1,
      stderr: '',
    });
  });

  it('belong to it although each has lost another parent', async () => {
    const recording = new Recording();
    recording.request();
    for (let copy = 0; copy < 8; copy++) copies(recording, `ddddddddddddddd${copy}`, 1);
    expect((await judged({ shop: recording.spans })).found).toEqual(['n_plus_one shop 8']);
  });

  it('bring along the spans below them, and join those of the request', async () => {
    const recording = new Recording();
    const request = recording.request();
    copies(recording, request.spanId, 3);
    const resolver = recording.span('resolve', recording.now, recording.now + 100, { parentSpanId: LOST });
    copies(recording, resolver.spanId, 3);
    expect((await judged({ shop: recording.spans })).found).toEqual(['n_plus_one shop 6']);
  });

  it('belong to the inner one of two requests', async () => {
    const recording = new Recording();
    const outer = recording.request('/outer');
    const call = recording.work(outer, 300, {
      'http.request.method': 'GET',
      'url.full': 'http://shop/inner',
    });
    recording.now = 10;
    recording.span('GET /inner', 5, 200, { kind: 2, parentSpanId: call.spanId }, { 'http.route': '/inner' });
    copies(recording, LOST, 6);
    const { stdout } = await runCli(['analyze', '-'], JSON.stringify(recording.otlp));
    expect(JSON.parse(stdout)).toMatchObject([
      { type: 'n_plus_one', count: 6, route: expect.stringContaining('/inner') },
    ]);
  });

  it('are counted and not judged if two requests ran side by side', async () => {
    const recording = new Recording();
    recording.request('/a', 1000);
    recording.span('GET /b', 1, 1001, { kind: 2 });
    recording.now = 10;
    copies(recording, LOST, 6);
    expect(await judged({ shop: recording.spans })).toEqual({
      found: [],
      code: 2,
      stderr: expect.stringContaining('6 spans of shop not analyzed'),
    });
  });

  it('are counted and not judged if no request ran', async () => {
    const recording = new Recording();
    const request = recording.request('/a', 50);
    copies(recording, request.spanId, 1);
    recording.now = 60;
    copies(recording, LOST, 6);
    expect(await judged({ shop: recording.spans })).toEqual({
      found: [],
      code: 0,
      stderr: expect.stringContaining('6 spans of shop not analyzed'),
    });
  });

  it('are not mixed with those of another trace', async () => {
    const [one, other] = [new Recording(), new Recording()];
    one.request();
    other.request();
    copies(one, LOST, 3);
    copies(other, LOST, 3);
    expect((await judged({ shop: [...one.spans, ...other.spans] })).found).toEqual([]);
  });
});

describe('spans of a second service', () => {
  it('belong to the request of their parent', async () => {
    const recording = new Recording();
    const request = recording.request();
    const [server] = recording.spans.splice(0, 1);
    copies(recording, request.spanId, 8);
    expect((await judged({ shop: [server as OtlpSpan], 'shop-postgres': recording.spans })).found).toEqual([
      'n_plus_one shop 8',
    ]);
  });

  it('belong to the request that ran if their parent is missing, too', async () => {
    const recording = new Recording();
    recording.request();
    const [server] = recording.spans.splice(0, 1);
    copies(recording, LOST, 8);
    expect((await judged({ shop: [server as OtlpSpan], 'shop-postgres': recording.spans })).found).toEqual([
      'n_plus_one shop 8',
    ]);
  });

  it('are not added to those of the first', async () => {
    const recording = new Recording();
    const request = recording.request();
    copies(recording, request.spanId, 3);
    const own = recording.spans.splice(0, 4);
    copies(recording, request.spanId, 3);
    expect((await judged({ shop: own, stock: recording.spans })).found).toEqual([]);
  });

  it("are not counted again if they are the database's own spans of the same queries", async () => {
    const recording = new Recording();
    const request = recording.request();
    const queries = copies(recording, request.spanId, 6);
    const own = recording.spans.splice(0, 7);
    recording.now = 0;
    for (const { spanId } of queries) copies(recording, spanId, 1);
    expect((await judged({ shop: own, postgres: recording.spans })).found).toEqual(['n_plus_one shop 6']);
  });

  it('are a request of their own below a span of kind SERVER', async () => {
    const recording = new Recording();
    const request = recording.request('/a');
    const call = recording.work(request, 200, {
      'http.request.method': 'GET',
      'url.full': 'http://stock/all',
    });
    const own = recording.spans.splice(0, 2);
    recording.now = 0;
    const served = recording.request('/all', 150, { parentSpanId: call.spanId });
    copies(recording, served.spanId, 6);
    expect((await judged({ shop: own, stock: recording.spans })).found).toEqual(['n_plus_one stock 6']);
  });
});

describe('the flags of a span', () => {
  it('make a SERVER span within its service a request of its own, or part of the one around it', async () => {
    for (const [flags, counts] of [
      [HAS_IS_REMOTE | IS_REMOTE, []],
      [HAS_IS_REMOTE, ['n_plus_one shop 6']],
    ] as const) {
      const recording = new Recording();
      const request = recording.request('/a');
      copies(recording, request.spanId, 3);
      const inner = recording.request('/b', 5000, { parentSpanId: request.spanId, flags });
      copies(recording, inner.spanId, 3);
      expect((await judged({ shop: recording.spans })).found).toEqual(counts);
    }
  });

  it('keep work whose parent is known to be in another process out of the requests that ran meanwhile', async () => {
    const recording = new Recording();
    copies(recording, recording.request().spanId, 1);
    copies(recording, LOST, 6, { flags: IS_REMOTE });
    expect(await judged({ shop: recording.spans })).toMatchObject({
      found: [],
      stderr: expect.stringContaining('6 spans of shop not analyzed'),
    });
  });

  it('add work whose parent is known to be in the same process', async () => {
    const recording = new Recording();
    recording.request();
    copies(recording, LOST, 6, { flags: HAS_IS_REMOTE });
    expect((await judged({ shop: recording.spans })).found).toEqual(['n_plus_one shop 6']);
  });
});

describe('traces as other tools return them', () => {
  const spans = (): OtlpSpan[] => {
    const recording = new Recording();
    copies(recording, recording.request().spanId, 6);
    return recording.spans;
  };
  const base64 = (id: unknown): string => Buffer.from(String(id), 'hex').toString('base64');
  const found = async (document: unknown): Promise<unknown> => {
    const { stdout, stderr } = await runCli(['analyze', '-'], JSON.stringify(document));
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  };
  const one = [
    expect.objectContaining({
      type: 'n_plus_one',
      count: 6,
      totalMs: 60,
      service: 'shop',
      route: 'GET /albums',
    }),
  ];

  it('include those of Tempo, in batches, with old names, within a member, and with ids in base64', async () => {
    const { resourceSpans } = otlpOf(spans(), 'shop') as {
      resourceSpans: [{ scopeSpans: unknown; resource: unknown }];
    };
    const [{ resource, scopeSpans }] = resourceSpans;
    const encoded = spans().map((span) => ({
      ...span,
      traceId: base64(span.traceId),
      spanId: base64(span.spanId),
      parentSpanId: span['parentSpanId'] === undefined ? '' : base64(span['parentSpanId']),
    }));
    for (const document of [
      { batches: resourceSpans },
      { batches: [{ resource, instrumentationLibrarySpans: scopeSpans }] },
      { trace: { resourceSpans } },
      { trace: { batches: otlpOf(encoded, 'shop').resourceSpans }, metrics: { inspectedBytes: '7' } },
    ])
      expect(await found(document)).toEqual(one);
  });

  it('include arrays of exports', async () => {
    expect(await found([otlpOf(spans(), 'shop')])).toEqual(one);
    expect(await found([otlpOf(spans(), 'shop'), otlpOf(spans(), 'shop')])).toEqual([...one, ...one]);
    expect(await analyzed([[], [otlpOf(spans(), 'shop')], otlpOf(spans(), 'shop')])).toHaveLength(2);
  });

  /** A trace of Jaeger. Its request ends before its queries, as the correction of clocks may make it. */
  const jaeger = (
    more: { id?: (id: string) => string; processes?: boolean; type?: boolean } = {},
  ): object => {
    const { id = (text) => text } = more;
    const traceID = id('00f7651916cd43dd8448eb211c80319c');
    const tags = (plain: Record<string, string>): object[] =>
      Object.entries(plain).map(([key, value]) => ({ key, type: 'string', value }));
    const span = (at: number, plain: Record<string, string>, parent?: string): object => ({
      traceID,
      spanID: id(`00f067aa0ba90${100 + at}`),
      operationName: 'span',
      references: parent === undefined ? [] : [{ refType: 'CHILD_OF', traceID, spanID: parent }],
      startTime: 1_700_000_000_000_000 + at * 10_000,
      duration: 10_000,
      tags: tags(plain),
      ...(more.processes === false ? { process: { serviceName: 'shop', tags: [] } } : { processID: 'p1' }),
    });
    const root = span(0, { 'span.kind': 'server', 'http.request.method': 'GET', 'http.route': '/albums' });
    const query = { 'span.kind': 'client', 'db.system': 'postgresql', 'db.statement': BY_ID };
    const queries = Array.from({ length: 6 }, (_, at) =>
      span(at + 1, query, (root as { spanID: string }).spanID),
    );
    return {
      traceID,
      spans: [root, ...queries],
      ...(more.processes === false
        ? {}
        : { processes: { p1: { serviceName: 'shop', tags: tags({ host: 'a' }) } } }),
    };
  };

  it('include those of Jaeger: of its API and its page, one or many, with short ids', async () => {
    const short = jaeger({ id: (id) => id.replace(/^0+/, '') });
    for (const document of [
      { data: [jaeger()], total: 0, errors: null },
      { data: [short] },
      { data: [jaeger({ processes: false })] },
      jaeger(),
    ])
      expect(await found(document)).toEqual(one);
    expect(await found([jaeger(), otlpOf(spans(), 'shop')])).toEqual([...one, ...one]);
  });

  it('include those of Jaeger in OTLP', async () => {
    expect(await found({ result: otlpOf(spans(), 'shop') })).toEqual(one);
  });

  it('exclude the errors of a failed retry in Jaeger', async () => {
    const trace = jaeger() as { spans: { tags: object[] }[] };
    for (const { tags } of trace.spans.slice(1)) tags.push({ key: 'error', type: 'bool', value: true });
    expect(await found({ data: [trace] })).toEqual([]);
  });

  it('are refused without traces', async () => {
    for (const document of [
      { data: null, errors: [{ code: 404, msg: 'trace not found' }] },
      { data: {} },
      { batches: 7 },
    ]) {
      const { code, stderr } = await runCli(['analyze', '-'], JSON.stringify(document));
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(/Invalid "(?:data|batches)": received /),
      });
    }
    expect((await runCli(['analyze', '-'], '{"data": []}')).code).toBe(2);
  });
});
