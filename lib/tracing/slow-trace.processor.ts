import { type Context, type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { reportFault } from '../async/thrown.js';
import { type LiveSpan, liveSpanOf } from '../spans/live-span.js';

/** Limits of the spans that wait for the end of their trace. */
export interface SlowTraceLimits {
  readonly maxBufferedSpans: number;
  readonly maxSpansPerTrace: number;
}

/**
 * Passes sampled spans to the exporting processor, and all spans of an unsampled trace (of its part in this process) if its
 * local root or a span below it was slow or failed.
 *
 * The spans of an unsampled trace wait in the state of their request until its root ends. Beyond the limit, the trace that
 * has waited longest is dropped. Spans that end after their root follow its verdict.
 */
export class SlowTraceProcessor implements SpanProcessor {
  private readonly waiting = new Set<TraceBuffer>();
  private buffered = 0;
  /** The number of spans that were dropped because of the limits. */
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
      reportFault('exporting a span failed', error);
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

  /** The number of waiting spans. */
  get size(): number {
    return this.buffered;
  }

  private hold(span: ReadableSpan): void {
    const live = liveSpanOf(span);
    if (live === undefined) return;
    const { root } = live;
    const buffer = this.bufferOf(root);
    if (buffer.verdict === 'export' || (buffer.verdict === 'drop' && root.request.isNotable)) {
      this.export(span);
    } else if (live === root) {
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
    if (this.buffered >= this.limits.maxBufferedSpans) this.dropOldest();
    buffer.spans.push(span);
    this.buffered++;
    this.waiting.add(buffer);
  }

  private dropOldest(): void {
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

/** The same span, marked as sampled: batch processors skip all others. */
function sampled(span: ReadableSpan): ReadableSpan {
  const original = span.spanContext();
  const context: SpanContext = { ...original, traceFlags: original.traceFlags | TraceFlags.SAMPLED };
  return Object.create(span, { spanContext: { value: () => context } }) as ReadableSpan;
}
