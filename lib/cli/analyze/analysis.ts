import type { Readable } from 'node:stream';
import type { RepetitionLimits } from '../../explain/repetition.js';
import { WORKS } from '../../spans/work.js';
import { inputChunks } from './input-chunks.js';
import { JsonReader } from './json-reader.js';
import { isFields } from './otlp-values.js';
import { servedRequests } from './recorded-requests.js';
import type { RecordedSpan } from './recorded-span.js';
import { replay } from './replay.js';
import { SpanReader } from './span-reader.js';
import { findingOf, TopFindings } from './trace-findings.js';
import { type RawSpan, TRACE_LISTS, TraceReader } from './trace-reader.js';
import { TraceStore } from './trace-store.js';

/** Reads files of traces and runs the detectors on each trace once it is complete. */
export class Analysis {
  readonly findings = new TopFindings();
  spans = 0;
  requests = 0;
  /** Spans of work within requests that could be judged. */
  judged = 0;
  /** Invalid spans. */
  malformed = 0;
  /** Spans whose attributes are no list. */
  withoutAttributes = 0;
  /** Exports of other signals. */
  others = 0;
  /** By service: database spans without a statement, outgoing calls without an address, and spans outside of requests. */
  readonly withoutStatement = new Map<string, number>();
  readonly withoutAddress = new Map<string, number>();
  readonly outside = new Map<string, number>();
  readonly traces: TraceStore;
  private readonly reader = new SpanReader();

  constructor(
    private readonly limits: RepetitionLimits,
    maxSpans?: number,
  ) {
    this.traces = new TraceStore((traceId, spans) => this.judge(traceId, spans), maxSpans);
  }

  /** Spans that could not be judged. */
  get unjudged(): number {
    const counts = [this.withoutStatement, this.withoutAddress, this.outside].flatMap((one) => [
      ...one.values(),
    ]);
    return counts.reduce((sum, count) => sum + count, this.malformed + this.withoutAttributes);
  }

  /** @throws {InputFault} for an unreadable file @returns the number of its spans */
  async read(file: string, stdin: Readable): Promise<number> {
    const before = this.spans;
    const traces = new TraceReader((span) => this.take(span));
    const json = new JsonReader(TRACE_LISTS, traces);
    for await (const chunk of inputChunks(file, stdin)) json.push(chunk);
    json.end();
    this.others += traces.others;
    return this.spans - before;
  }

  /** Analyzes the remaining traces after the last file. */
  end(): void {
    this.traces.end();
  }

  private take(raw: RawSpan): void {
    this.spans++;
    const { value } = raw;
    // Without them it would look like a span of the application's own code.
    if (isFields(value) && !Array.isArray(value['attributes'] ?? [])) {
      this.withoutAttributes++;
      return;
    }
    const read = this.reader.read(raw);
    if (read === undefined) this.malformed++;
    else this.traces.add(read.traceId, read.span);
  }

  private judge(traceId: string, spans: readonly RecordedSpan[]): void {
    const { requests, outside } = servedRequests(spans);
    const roots = new Set<RecordedSpan>();
    for (const request of requests) {
      const root = request[0]?.span as RecordedSpan;
      roots.add(root);
      for (const { span } of request) this.count(span);
      for (const seen of replay(request, traceId, this.limits))
        this.findings.add(findingOf(seen, root.service.name));
    }
    this.requests += roots.size;
    for (const span of outside) increment(this.outside, span);
  }

  private count(span: RecordedSpan): void {
    if (span.lacks === 'statement') increment(this.withoutStatement, span);
    else if (span.lacks === 'address') increment(this.withoutAddress, span);
    else if (span.key !== undefined && span.work < WORKS) this.judged++;
  }
}

function increment(counts: Map<string, number>, { service: { name } }: RecordedSpan): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
