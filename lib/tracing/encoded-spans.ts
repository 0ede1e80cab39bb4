import { type Context, type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { reportFault } from '../async/thrown.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import {
  type EncodedBytes,
  encodeRequest,
  type Resource,
  type Scope,
  SpanEncoder,
  type SpansToSend,
} from './span-encoder.js';

/** What encodes a request of an exporter, and decodes its response. */
interface Serializer {
  serializeRequest(spans: readonly ReadableSpan[]): Uint8Array | undefined;
  deserializeResponse(bytes: Uint8Array): unknown;
}

/** What an exporter by OTLP passes its spans to. */
interface ExportDelegate {
  _serializer?: Partial<Serializer>;
}

/** Of a context, a batch processor reads whether the span is sampled. */
const SAMPLED: SpanContext = { traceId: '', spanId: '', traceFlags: TraceFlags.SAMPLED };

/**
 * A span that waits for its export as bytes, in place of objects: those would outlive the collections of young objects. It
 * has what a batch processor reads of a span.
 */
class EncodedSpan {
  constructor(
    readonly resource: Resource,
    readonly scope: Scope,
    readonly bytes: EncodedBytes,
  ) {}

  spanContext(): SpanContext {
    return SAMPLED;
  }
}

/** Encodes the sampled spans that end, for an exporter that {@link acceptEncodedSpans} has prepared. */
export class EncodingProcessor implements SpanProcessor {
  private readonly encoder = new SpanEncoder();

  /** @param batches collects encoded spans for the exporter */
  constructor(private readonly batches: SpanProcessor) {}

  onStart(span: Span, parentContext: Context): void {
    this.batches.onStart(span, parentContext);
  }

  /** Never throws: a span that cannot be encoded is lost, and no other. */
  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    const bytes = this.encode(span);
    if (bytes === undefined) return;
    const encoded = new EncodedSpan(span.resource, span.instrumentationScope, bytes);
    this.batches.onEnd(encoded as unknown as ReadableSpan);
  }

  forceFlush(): Promise<void> {
    return this.batches.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.batches.shutdown();
  }

  private encode(span: ReadableSpan): EncodedBytes | undefined {
    const measured = meter.enter(COST.encoding);
    try {
      return this.encoder.encode(span);
    } catch (error) {
      reportFault('encoding a span failed', error);
      return undefined;
    } finally {
      meter.leave(COST.encoding, measured);
    }
  }
}

/**
 * Lets an exporter by OTLP over gRPC take spans that are encoded already.
 *
 * There is no public access to its serializer. If the exporter changes inside, it gets spans as they are, and nothing else
 * changes.
 * @returns whether it accepts encoded spans from now on, and no others
 */
export function acceptEncodedSpans(exporter: SpanExporter): boolean {
  const delegate = (exporter as { _delegate?: ExportDelegate })._delegate;
  const serializer = delegate?._serializer;
  if (delegate === undefined || typeof serializer?.serializeRequest !== 'function') return false;
  delegate._serializer = {
    serializeRequest: (spans) => encodeRequest(byResource(spans as unknown as readonly EncodedSpan[])),
    deserializeResponse: (bytes) => serializer.deserializeResponse?.(bytes),
  };
  return true;
}

/** In the order in which resources and tracers appear. */
function byResource(spans: readonly EncodedSpan[]): SpansToSend {
  const resources: SpansToSend = new Map();
  for (const { resource, scope, bytes } of spans) {
    const scopes = resources.get(resource) ?? new Map<Scope, EncodedBytes[]>();
    const ofScope = scopes.get(scope);
    if (ofScope !== undefined) ofScope.push(bytes);
    else resources.set(resource, scopes.set(scope, [bytes]));
  }
  return resources;
}
