import type { Attributes, AttributeValue, HrTime, SpanContext } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { MessageWriter } from '../bytes/message-writer.js';

export type Resource = ReadableSpan['resource'];
export type Scope = ReadableSpan['instrumentationScope'];

/** Flags of a span: whether its parent is remote is known; it is. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** Bytes of a buffer that holds many spans. It is released when all of them are. */
const CHUNK_BYTES = 64 * 1024;
/** With less space a new buffer begins: most spans fit into it. */
const MIN_SPACE_BYTES = 2 * 1024;

/** A span in the format of OTLP, with the field that it is of `ScopeSpans`, as bytes of a shared buffer. */
export interface EncodedBytes {
  readonly buffer: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/**
 * Encodes spans as OTLP does it (`Span` of https://github.com/open-telemetry/opentelemetry-proto, trace/v1), byte by byte as
 * OpenTelemetry's exporter of this version. Values of attributes are texts, numbers, booleans and lists of these.
 */
export class SpanEncoder {
  private writer = new SpanWriter(CHUNK_BYTES);

  encode(span: ReadableSpan): EncodedBytes {
    if (this.writer.space < MIN_SPACE_BYTES || this.writer.hasGrown)
      this.writer = new SpanWriter(CHUNK_BYTES);
    const encoded = this.writer.span(span);
    // A span that does not fit has made the buffer twice as large: it gets bytes of its own.
    return this.writer.hasGrown ? copyOf(encoded) : encoded;
  }
}

function copyOf({ buffer, from, to }: EncodedBytes): EncodedBytes {
  const own = buffer.slice(from, to);
  return { buffer: own, from: 0, to: own.length };
}

/** The spans of a request, by their resource and their tracer. */
export type SpansToSend = Map<Resource, Map<Scope, EncodedBytes[]>>;

/** A request to export spans (`ExportTraceServiceRequest`). */
export function encodeRequest(resources: SpansToSend): Uint8Array {
  const writer = new SpanWriter(estimatedBytes(resources));
  for (const [resource, scopes] of resources) writer.resourceSpans(resource, scopes);
  return writer.written;
}

/** The spans alone, with some space for what is around them. */
function estimatedBytes(resources: SpansToSend): number {
  let bytes = MIN_SPACE_BYTES;
  for (const scopes of resources.values())
    for (const spans of scopes.values()) for (const { from, to } of spans) bytes += to - from;
  return bytes;
}

class SpanWriter extends MessageWriter {
  constructor(private readonly size: number) {
    super(size);
  }

  /** Bytes that fit before the buffer grows. */
  get space(): number {
    return this.buffer.length - this.length;
  }

  get hasGrown(): boolean {
    return this.buffer.length > this.size;
  }

  span(span: ReadableSpan): EncodedBytes {
    const from = this.length;
    const start = this.begin(2);
    const context = span.spanContext();
    const parent = span.parentSpanContext;
    this.ids(context);
    if (parent?.spanId) this.hex(4, parent.spanId);
    this.string(5, String(span.name));
    this.whole(6, span.kind + 1);
    this.hrTime(7, span.startTime);
    this.hrTime(8, span.endTime);
    this.attributes(9, span.attributes);
    this.whole(10, span.droppedAttributesCount);
    for (const event of span.events) this.event(event);
    this.whole(12, span.droppedEventsCount);
    for (const link of span.links) this.link(link);
    this.whole(14, span.droppedLinksCount);
    this.status(span.status);
    this.fixed32(16, flagsOf(context, parent));
    this.end(start);
    return { buffer: this.buffer, from, to: this.length };
  }

  resourceSpans(resource: Resource, scopes: ReadonlyMap<Scope, readonly EncodedBytes[]>): void {
    const start = this.begin(1);
    const ofResource = this.begin(1);
    this.attributes(1, resource.attributes);
    this.whole(2, 0);
    this.end(ofResource);
    for (const [scope, spans] of scopes) this.scopeSpans(scope, spans);
    if (resource.schemaUrl) this.string(3, resource.schemaUrl);
    this.end(start);
  }

  private scopeSpans(scope: Scope, spans: readonly EncodedBytes[]): void {
    const start = this.begin(2);
    const ofScope = this.begin(1);
    this.string(1, scope.name);
    if (scope.version) this.string(2, scope.version);
    this.end(ofScope);
    for (const { buffer, from, to } of spans) this.append(buffer.subarray(from, to));
    if (scope.schemaUrl) this.string(3, scope.schemaUrl);
    this.end(start);
  }

  private ids({ traceId, spanId, traceState }: SpanContext): void {
    this.hex(1, traceId);
    this.hex(2, spanId);
    const state = traceState?.serialize();
    if (state) this.string(3, state);
  }

  private event({ time, name, attributes, droppedAttributesCount }: ReadableSpan['events'][number]): void {
    const start = this.begin(11);
    this.hrTime(1, time);
    this.string(2, String(name));
    if (attributes) this.attributes(3, attributes);
    this.whole(4, droppedAttributesCount ?? 0);
    this.end(start);
  }

  private link({ context, attributes, droppedAttributesCount }: ReadableSpan['links'][number]): void {
    const start = this.begin(13);
    this.ids(context);
    if (attributes) this.attributes(4, attributes);
    this.whole(5, droppedAttributesCount ?? 0);
    this.fixed32(6, flagsOf(context, context));
    this.end(start);
  }

  private status({ code, message }: ReadableSpan['status']): void {
    const start = this.begin(15);
    if (message) this.string(2, message);
    this.whole(3, code);
    this.end(start);
  }

  private hrTime(field: number, [seconds, nanoseconds]: HrTime): void {
    this.time(field, seconds, nanoseconds);
  }

  private attributes(field: number, attributes: Attributes): void {
    for (const key of Object.keys(attributes)) {
      const start = this.begin(field);
      this.string(1, key);
      const ofValue = this.begin(2);
      this.value(attributes[key]);
      this.end(ofValue);
      this.end(start);
    }
  }

  private value(value: AttributeValue | null | undefined): void {
    if (typeof value === 'string') this.string(1, value);
    else if (typeof value === 'boolean') this.whole(2, value ? 1 : 0);
    else if (typeof value === 'number') this.number(value);
    else if (Array.isArray(value)) this.array(value as readonly AttributeValue[]);
  }

  private number(value: number): void {
    if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) this.whole(3, value);
    else this.double(4, value);
  }

  private array(values: readonly AttributeValue[]): void {
    const start = this.begin(5);
    for (const value of values) {
      const ofValue = this.begin(1);
      this.value(value);
      this.end(ofValue);
    }
    this.end(start);
  }
}

/** @param parent of the span, or the context of the link */
function flagsOf({ traceFlags }: SpanContext, parent: SpanContext | undefined): number {
  return (traceFlags & 0xff) | HAS_IS_REMOTE | (parent?.isRemote === true ? IS_REMOTE : 0);
}
