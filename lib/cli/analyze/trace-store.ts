import type { RecordedSpan } from './recorded-span.js';

/** The maximum number of buffered spans: about 150 MB. */
const MAX_SPANS = 500_000;

/** Collects the spans of traces, which may be spread over files. At its limit it releases the least recently used traces. */
export class TraceStore {
  /** The number of traces released before the end of the input. */
  early = 0;
  private readonly traces = new Map<string, RecordedSpan[]>();
  private last: string | undefined;
  private held = 0;

  /** @param onTrace receives each trace once, or again if spans follow its early release */
  constructor(
    private readonly onTrace: (traceId: string, spans: readonly RecordedSpan[]) => void,
    private readonly maxSpans = MAX_SPANS,
  ) {}

  add(traceId: string, span: RecordedSpan): void {
    let spans = this.traces.get(traceId);
    if (spans === undefined) {
      spans = [];
      this.traces.set(traceId, spans);
    } else if (this.last !== traceId) {
      // Keeps the map in order of last use.
      this.traces.delete(traceId);
      this.traces.set(traceId, spans);
    }
    this.last = traceId;
    spans.push(span);
    if (++this.held <= this.maxSpans) return;
    // Releases a tenth at once, as iterating a map skips its deleted entries each time.
    const enough = this.maxSpans - Math.floor(this.maxSpans / 10);
    for (const oldest of this.traces.keys()) {
      if (this.held <= enough) break;
      this.early++;
      this.release(oldest);
    }
  }

  /** Releases the remaining traces at the end of the input. */
  end(): void {
    for (const traceId of this.traces.keys()) this.release(traceId);
  }

  private release(traceId: string): void {
    const spans = this.traces.get(traceId) as RecordedSpan[];
    this.traces.delete(traceId);
    this.held -= spans.length;
    this.onTrace(traceId, spans);
  }
}
