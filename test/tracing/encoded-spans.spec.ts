import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type Attributes,
  createTraceState,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-node';
import fc from 'fast-check';
import { acceptEncodedSpans, EncodingProcessor } from '../../lib/tracing/encoded-spans.js';
import { SpanEncoder } from '../../lib/tracing/span-encoder.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';

const RESOURCE = resourceFromAttributes({
  'service.name': 'shop',
  'process.pid': 7,
  'process.tags': ['a', 'b'],
});
const SCOPE = { name: 'shop', version: '1' };
const CONTEXT: SpanContext = {
  traceId: 'ab'.repeat(16),
  spanId: '09'.repeat(8),
  traceFlags: TraceFlags.SAMPLED,
};

function spanOf(given: Partial<ReadableSpan> & { context?: SpanContext } = {}): ReadableSpan {
  const { context = CONTEXT, ...fields } = given;
  return {
    name: 'GET /albums',
    kind: SpanKind.SERVER,
    spanContext: () => context,
    startTime: [1_700_000_000, 999_999_999],
    endTime: [1_700_000_001, 1],
    duration: [0, 2],
    status: { code: SpanStatusCode.UNSET },
    attributes: {},
    links: [],
    events: [],
    ended: true,
    resource: RESOURCE,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    ...fields,
  };
}

/** Keeps the requests that it would send. */
class KeptRequests implements SpanExporter {
  readonly requests: Uint8Array[] = [];
  readonly _delegate = { _serializer: ProtobufTraceSerializer };

  export(spans: ReadableSpan[], done: (result: { code: number }) => void): void {
    this.requests.push(this._delegate._serializer.serializeRequest(spans) as Uint8Array);
    done({ code: 0 });
  }

  async shutdown(): Promise<void> {}
}

/** The requests of this package for spans. */
async function encoded(spans: readonly ReadableSpan[], options = {}): Promise<Uint8Array[]> {
  const exporter = new KeptRequests();
  expect(acceptEncodedSpans(exporter)).toBe(true);
  const processor = new EncodingProcessor(new BatchSpanProcessor(exporter, options));
  for (const span of spans) processor.onEnd(span);
  await processor.forceFlush();
  await processor.shutdown();
  return exporter.requests;
}

/** That it has the bytes which OpenTelemetry's exporter would send. */
async function expectSame(...spans: ReadableSpan[]): Promise<void> {
  const [request] = await encoded(spans);
  expect(Buffer.from(request ?? []).toString('hex')).toBe(
    Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? []).toString('hex'),
  );
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ minLength: 60, maxLength: 300 }),
);
const number = fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger());
const value = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.array(fc.option(text, { nil: null })),
  fc.array(fc.option(number, { nil: undefined })),
  fc.array(fc.boolean()),
);
const attributes = fc.dictionary(text, value) as fc.Arbitrary<Attributes>;
const hexDigits = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((given) => Buffer.from(given).toString('hex'));
const context: fc.Arbitrary<SpanContext> = fc.record(
  {
    traceId: hexDigits(16),
    spanId: hexDigits(8),
    traceFlags: fc.constant(TraceFlags.SAMPLED),
    isRemote: fc.boolean(),
    traceState: fc.constantFrom(createTraceState('shop=1,cart=2'), createTraceState('')),
  },
  { requiredKeys: ['traceId', 'spanId', 'traceFlags'] },
);
const time = fc.tuple(fc.integer({ min: 0, max: 2 ** 32 }), fc.integer({ min: 0, max: 999_999_999 }));
const count = fc.oneof(fc.constant(0), fc.nat());
const span = fc
  .record({
    name: text,
    kind: fc.constantFrom(...[0, 1, 2, 3, 4]) as fc.Arbitrary<SpanKind>,
    context,
    parentSpanContext: fc.option(context, { nil: undefined }),
    startTime: time,
    endTime: time,
    attributes,
    status: fc.record(
      { code: fc.constantFrom(...[0, 1, 2]) as fc.Arbitrary<SpanStatusCode>, message: text },
      { requiredKeys: ['code'] },
    ),
    events: fc.array(fc.record({ name: text, time, attributes, droppedAttributesCount: count }), {
      maxLength: 3,
    }),
    links: fc.array(fc.record({ context, attributes, droppedAttributesCount: count }), { maxLength: 3 }),
    droppedAttributesCount: count,
    droppedEventsCount: count,
    droppedLinksCount: count,
    instrumentationScope: fc.constantFrom(
      SCOPE,
      { name: 'pg' },
      { name: '', schemaUrl: 'https://example.org/1' },
    ),
    resource: fc.constantFrom(RESOURCE, resourceFromAttributes({}, { schemaUrl: 'https://example.org/2' })),
  })
  .map((given) => spanOf(given as never));

describe('spans that wait for their export as bytes', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it('are the bytes that OpenTelemetry sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(span, { minLength: 1, maxLength: 5 }), (spans) => expectSame(...spans)),
    );
  });

  it.each([
    ['no attributes', {}],
    [
      'every kind of number',
      { a: 0, b: -0, c: -1, d: 127, e: 128, f: -(2 ** 63), g: 2 ** 62, h: 2 ** 64, i: NaN },
    ],
    ['a fraction', { a: 0.1, b: -1e-300, c: Number.POSITIVE_INFINITY }],
    [
      'texts at the limit of one byte of length',
      { a: 'x'.repeat(127), b: 'x'.repeat(128), c: 'ü'.repeat(64) },
    ],
    ['a text that no UTF-8 can hold', { a: '\ud800', b: `${'x'.repeat(100)}\udfff` }],
    ['an empty key', { '': '' }],
    ['a long text', { a: 'x'.repeat(16_384), b: 'x'.repeat(2 ** 21) }],
  ])('with %s', async (_, given) => {
    await expectSame(spanOf({ attributes: given }));
  });

  it('are the same in one request, beyond the size of a buffer', async () => {
    const spans = Array.from({ length: 500 }, (_, index) =>
      spanOf({ name: `GET /albums/${index}`, attributes: { 'db.query.text': 'x'.repeat(index * 10) } }),
    );
    await expectSame(...spans);
  });

  it('take buffers of one size, however long the spans are', () => {
    const encoder = new SpanEncoder();
    const lengths = Array.from({ length: 3000 }, (_, index) => (index * 7919) % 20_000);
    for (const length of [...lengths, 1_000_000, ...lengths]) {
      const { buffer, from, to } = encoder.encode(spanOf({ attributes: { text: 'x'.repeat(length) } }));
      expect(to - from).toBeGreaterThan(length);
      expect(buffer.length).toBeLessThanOrEqual(Math.max(64 * 1024, to - from));
    }
    // What a long span needed is not filled on: the next ones share a buffer again.
    encoder.encode(spanOf({ attributes: { text: 'x'.repeat(1_000_000) } }));
    const [first, second] = [encoder.encode(spanOf()), encoder.encode(spanOf())];
    expect([first.buffer.length, second.buffer]).toEqual([64 * 1024, first.buffer]);
  });

  it('are the same whether they fit into a buffer or not', async () => {
    const spans = Array.from({ length: 100 }, (_, index) =>
      spanOf({ name: `${index}`, attributes: { text: 'x'.repeat((index * 7919) % 90_000) } }),
    );
    await expectSame(...spans);
  });

  it('leave out those that are not sampled', async () => {
    const unsampled = { ...CONTEXT, traceFlags: TraceFlags.NONE };
    expect(await encoded([spanOf({ context: unsampled })])).toEqual([]);
  });

  it('keep no more than the queue of the batches', async () => {
    const spans = Array.from({ length: 20 }, (_, index) => spanOf({ name: `GET /${index};` }));
    const limits = { maxQueueSize: 8, maxExportBatchSize: 8, scheduledDelayMillis: 60_000 };
    const exporter = new KeptRequests();
    acceptEncodedSpans(exporter);
    const held: (() => void)[] = [];
    const send = exporter.export.bind(exporter);
    exporter.export = (batch, done) => void held.push(() => send(batch, done));
    const processor = new EncodingProcessor(new BatchSpanProcessor(exporter, limits));
    for (const one of spans) processor.onEnd(one);
    // The first batch waits for its answer, the queue behind it is full.
    const flushed = processor.forceFlush();
    for (const release of held) release();
    await flushed;
    const names = Buffer.concat(exporter.requests)
      .toString('latin1')
      .match(/GET \/\d+;/g);
    expect(names).toEqual(spans.slice(0, 16).map(({ name }) => name));
  });

  it('lose only the span that cannot be encoded', async () => {
    const broken = spanOf({ startTime: undefined as never });
    const [request] = await encoded([spanOf({ name: 'one' }), broken, spanOf({ name: 'two' })]);
    const expected = ProtobufTraceSerializer.serializeRequest([
      spanOf({ name: 'one' }),
      spanOf({ name: 'two' }),
    ]);
    expect(Buffer.from(request ?? [])).toEqual(Buffer.from(expected ?? []));
  });

  it('have a text as their name, whatever the application has given', async () => {
    const [request] = await encoded([spanOf({ name: 5 as never })]);
    expect(request).toEqual((await encoded([spanOf({ name: '5' })]))[0]);
  });

  it('reach a receiver through the exporter of OpenTelemetry', async () => {
    const receiver = await OtlpReceiver.start();
    cleanups.push(() => receiver.stop());
    const exporter = new OTLPTraceExporter({ url: receiver.endpoint });
    expect(acceptEncodedSpans(exporter)).toBe(true);
    const processor = new EncodingProcessor(new BatchSpanProcessor(exporter));
    processor.onEnd(spanOf({ attributes: { 'http.route': '/albums', 'http.response.status_code': 200 } }));
    await processor.shutdown();
    expect(receiver.spans).toEqual([
      expect.objectContaining({
        name: 'GET /albums',
        traceId: CONTEXT.traceId,
        spanId: CONTEXT.spanId,
        attributes: { 'http.route': '/albums', 'http.response.status_code': 200 },
      }),
    ]);
    expect(receiver.resource).toEqual({
      'service.name': 'shop',
      'process.pid': 7,
      'process.tags': ['a', 'b'],
    });
  });

  it('need an exporter that encodes where this package expects it', () => {
    const without: SpanExporter[] = [{ export() {}, shutdown: async () => {} }];
    without.push(
      { ...without[0], _delegate: {} } as never,
      { ...without[0], _delegate: { _serializer: {} } } as never,
    );
    expect(without.map(acceptEncodedSpans)).toEqual([false, false, false]);
  });
});
