import { type Context, diag, type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { type LiveSpan, liveSpanOf } from '../spans/live-span.js';

/** The bounds of the spans that wait for the end of their trace. */
export interface SlowTraceLimits {
  readonly maxBufferedSpans: number;
  readonly maxSpansPerTrace: number;
}

/**
 * Stands before the exporting processor and hands it, beside the sampled spans, the whole of an unsampled trace
 * (its part in this process) when its local root, or a span under it, was slow or failed.
 *
 * The spans of an unsampled trace wait on the state of their local root until it ends. Where there is no room,
 * the trace that has waited longest is given up. Spans that end after their root follow its verdict.
 */
export class SlowTraceProcessor implements SpanProcessor {
  private readonly waiting = new Set<TraceBuffer>();
  private buffered = 0;
  /** Spans that were given up for want of room. */
  dropped = 0;

  constructor(
    private readonly exporting: SpanProcessor,
    private readonly limits: SlowTraceLimits,
  ) {}

  onStart(span: Span, parentContext: Context): void {
    this.exporting.onStart(span, parentContext);
  }

  onEnd(span: ReadableSpan): void {
    try {
      if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) this.exporting.onEnd(span);
      else this.hold(span);
    } catch (error) {
      diag.error('nestjs-performance: a span could not be kept for export', error);
    }
  }

  forceFlush(): Promise<void> {
    return this.exporting.forceFlush();
  }

  shutdown(): Promise<void> {
    this.waiting.clear();
    this.buffered = 0;
    return this.exporting.shutdown();
  }

  /** The number of spans that wait at present. */
  get size(): number {
    return this.buffered;
  }

  private hold(span: ReadableSpan): void {
    const state = liveSpanOf(span);
    if (state === undefined) return;
    const { root } = state;
    const buffer = this.bufferOf(root);
    if (buffer.verdict === 'export' || (buffer.verdict === 'drop' && root.request.isNotable)) {
      this.export(span);
    } else if (state === root) {
      this.decide(buffer, root, span);
    } else if (buffer.verdict === 'wait') {
      this.add(buffer, span);
    }
  }

  private decide(buffer: TraceBuffer, root: LiveSpan, span: ReadableSpan): void {
    this.waiting.delete(buffer);
    this.buffered -= buffer.spans.length;
    buffer.verdict = root.request.isNotable ? 'export' : 'drop';
    if (root.request.isNotable) {
      for (const waiting of buffer.spans) this.export(waiting);
      this.export(span);
    }
    buffer.spans = [];
  }

  private add(buffer: TraceBuffer, span: ReadableSpan): void {
    if (buffer.spans.length >= this.limits.maxSpansPerTrace) {
      this.dropped++;
      return;
    }
    if (this.buffered >= this.limits.maxBufferedSpans) this.giveUpOldest();
    buffer.spans.push(span);
    this.buffered++;
    this.waiting.add(buffer);
  }

  private giveUpOldest(): void {
    for (const oldest of this.waiting) {
      this.waiting.delete(oldest);
      this.buffered -= oldest.spans.length;
      this.dropped += oldest.spans.length;
      oldest.spans = [];
      return;
    }
  }

  private bufferOf(root: LiveSpan): TraceBuffer {
    const { request } = root;
    request.buffer ??= new TraceBuffer();
    return request.buffer as TraceBuffer;
  }

  private export(span: ReadableSpan): void {
    this.exporting.onEnd(sampled(span));
  }
}

class TraceBuffer {
  spans: ReadableSpan[] = [];
  verdict: 'wait' | 'export' | 'drop' = 'wait';
}

/** The same span as one that is sampled: batch processors leave out any other. */
function sampled(span: ReadableSpan): ReadableSpan {
  const original = span.spanContext();
  const context: SpanContext = { ...original, traceFlags: original.traceFlags | TraceFlags.SAMPLED };
  return Object.create(span, { spanContext: { value: () => context } }) as ReadableSpan;
}
