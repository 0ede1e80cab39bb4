import { describe, expect, it } from '@jest/globals';
import { type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { JsonTraceSerializer } from 'otlp-decoder';
import { analyzed } from './support/analyzing.js';
import { copies, found, one, SQL } from './support/copies.js';
import { Recording } from './support/recording.js';

/** An N+1 of six copies, recorded by OpenTelemetry's SDK. */
async function recordedBySdk(): Promise<string> {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'music' }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('test');
  const at = (ms: number): HrTime => [1_700_000_000, ms * 1e6];
  const request = tracer.startSpan(
    'GET /albums',
    {
      kind: SpanKind.SERVER,
      startTime: at(0),
      attributes: { 'http.request.method': 'GET', 'http.route': '/albums' },
    },
    ROOT_CONTEXT,
  );
  const context = trace.setSpan(ROOT_CONTEXT, request);
  for (let copy = 0; copy < 6; copy++) {
    const attributes = {
      'db.system.name': 'postgresql',
      'db.query.text': 'SELECT * FROM track WHERE album_id = $1',
    };
    const options = { kind: SpanKind.CLIENT, startTime: at(copy * 10), attributes };
    const query = tracer.startSpan('pg.query', options, context);
    query.setStatus({ code: SpanStatusCode.OK });
    query.end(at(copy * 10 + 10));
  }
  request.end(at(100));
  const spans = exporter.getFinishedSpans() as Parameters<typeof JsonTraceSerializer.serializeRequest>[0];
  const bytes = JsonTraceSerializer.serializeRequest(spans);
  await provider.shutdown();
  return Buffer.from(bytes as Uint8Array).toString();
}

const base64 = (id: unknown): string => Buffer.from(String(id), 'hex').toString('base64');

describe('the accepted input', () => {
  it('includes the export of an SDK', async () => {
    expect(await found(await recordedBySdk())).toEqual(one({ service: 'music', route: 'GET /albums' }));
  });

  it.each([
    ['new names', SQL],
    [
      'old names',
      {
        'db.system': 'postgresql',
        'db.statement': 'SELECT * FROM track WHERE album_id = $1',
        'net.peer.name': 'db',
      },
    ],
    [
      'old names of the Java agent',
      {
        'db.system': 'mysql',
        'db.statement': 'SELECT * FROM track WHERE album_id = ?',
        'db.operation': 'SELECT',
        'db.sql.table': 'track',
      },
    ],
    [
      'a collection and an operation',
      { 'db.system': 'mongodb', 'db.operation': 'find', 'db.mongodb.collection': 'tracks' },
    ],
    [
      'a summary',
      { 'db.system.name': 'mssql', 'db.operation.name': 'SELECT', 'db.query.summary': 'SELECT track' },
    ],
    ['an outgoing call', { 'http.method': 'GET', 'http.url': 'http://users/1', 'net.peer.name': 'users' }],
    ['a remote procedure', { 'rpc.system': 'grpc', 'rpc.service': 'Users', 'rpc.method': 'Get' }],
  ])('has %s', async (_, attributes) => {
    expect(await found(copies(attributes))).toEqual(one());
  });

  it('does not treat requests to one address with unknown bodies as identical', async () => {
    const attributes = { 'http.request.method': 'POST', 'url.full': 'http://mail/send' };
    expect(await found(copies(attributes))).toEqual(one({ type: 'n_plus_one' }));
    expect(await found(copies({ ...attributes, 'http.request.method': 'GET' }))).toEqual(
      one({ type: 'duplicate_queries' }),
    );
  });

  it.each([
    'id = %s',
    'id = %(id)s',
    'id=@p0',
    'id = :1',
    'id = :id',
    'id = {}',
    'id = ***',
    'id = <redacted>',
    'id = ?',
  ])('does not take a placeholder for a value: %s', async (condition) => {
    const attributes = { 'db.system': 'x', 'db.statement': `SELECT * FROM track WHERE ${condition}` };
    expect(await found(copies(attributes))).toEqual(one({ type: 'n_plus_one' }));
  });

  it('includes enums by name, ids in base64 or upper case, and times as numbers', async () => {
    const named = copies(SQL, (span) => ({
      ...span,
      kind: span['parentSpanId'] === undefined ? 'SPAN_KIND_SERVER' : 'SPAN_KIND_CLIENT',
      status: { code: 'STATUS_CODE_UNSET' },
    }));
    const encoded = copies(SQL, (span) => ({
      ...span,
      traceId: base64(span['traceId']),
      spanId: base64(span['spanId']),
      parentSpanId: span['parentSpanId'] === undefined ? '' : base64(span['parentSpanId']),
    }));
    const upper = copies(SQL, (span) => ({ ...span, traceId: String(span['traceId']).toUpperCase() }));
    const numbers = copies(SQL, (span) => ({
      ...span,
      startTimeUnixNano: Number(span['startTimeUnixNano']),
      endTimeUnixNano: Number(span['endTimeUnixNano']),
    }));
    for (const text of [named, encoded, upper, numbers]) expect(await found(text)).toEqual(one());
  });

  it('has times with microsecond precision', async () => {
    const recording = new Recording('music', 1_999_999_999_999);
    const request = recording.request();
    for (let copy = 0; copy < 1000; copy++)
      recording.query(request, 'SELECT * FROM track WHERE album_id = $1', 0.123);
    expect(await analyzed([recording.otlp])).toMatchObject([{ count: 1000, totalMs: 123 }]);
  });

  it('includes resources after spans, and the name of scopes before OTLP 0.15', async () => {
    const { resourceSpans } = JSON.parse(copies(SQL)) as {
      resourceSpans: [{ resource: unknown; scopeSpans: unknown }];
    };
    const [{ resource, scopeSpans }] = resourceSpans;
    expect(await found(JSON.stringify({ resourceSpans: [{ scopeSpans, resource }] }))).toEqual(
      one({ service: 'music' }),
    );
    const old = { resource, instrumentationLibrarySpans: scopeSpans };
    expect(await found(JSON.stringify({ resourceSpans: [old] }))).toEqual(one({ service: 'music' }));
  });

  it('includes one object or many, pretty-printed, with a byte order mark or CRLF', async () => {
    const text = copies(SQL);
    const pretty = JSON.stringify(JSON.parse(text), null, 2);
    for (const file of [
      text,
      `${text}\n`,
      pretty,
      `\ufeff${text}`,
      pretty.replaceAll('\n', '\r\n'),
      `\n\n${pretty}\n{"resourceSpans":[]}\r\n`,
    ])
      expect(await found(file)).toEqual(one());
    const two = (await found(`${text}\r\n${pretty}\n${copies(SQL)}`)) as { findings: unknown[] };
    expect(two.findings).toHaveLength(2);
  });
});
