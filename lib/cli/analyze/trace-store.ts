import type { RecordedSpan } from './recorded-span.js';

/** Spans that are held at the most: some 150 MB. */
const MAX_SPANS = 500_000;

/** Gathers the spans of traces, which may be spread over a file. The trace that nothing came for the longest makes room. */
export class TraceStore {
  /** Traces that had to be given away before the input was over. */
  early = 0;
  private readonly traces = new Map<string, RecordedSpan[]>();
  private last: string | undefined;
  private held = 0;

  /** @param onTrace is given each trace once, unless spans of it come after it had to be given away */
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
      // The order of the map is the order in which they were touched last.
      this.traces.delete(traceId);
      this.traces.set(traceId, spans);
    }
    this.last = traceId;
    spans.push(span);
    if (++this.held <= this.maxSpans) return;
    // A tenth at a time: to begin with the oldest means to pass the gaps that those before it have left.
    const enough = this.maxSpans - Math.floor(this.maxSpans / 10);
    for (const oldest of this.traces.keys()) {
      if (this.held <= enough) break;
      this.early++;
      this.give(oldest);
    }
  }

  /** The input is over: gives away what is left. */
  end(): void {
    for (const traceId of this.traces.keys()) this.give(traceId);
  }

  private give(traceId: string): void {
    const spans = this.traces.get(traceId) as RecordedSpan[];
    this.traces.delete(traceId);
    this.held -= spans.length;
    this.onTrace(traceId, spans);
  }
}
