import type { Readable } from 'node:stream';
import type { RepetitionLimits } from '../../explain/repetition.js';
import { inputChunks } from './input-chunks.js';
import { JsonReader } from './json-reader.js';
import { OTLP_LISTS, OtlpReader } from './otlp-reader.js';
import { servedRequests } from './recorded-requests.js';
import type { RecordedSpan } from './recorded-span.js';
import { replay } from './replay.js';
import type { Service } from './service.js';
import { SpanReader } from './span-reader.js';
import { findingOf, TopFindings } from './trace-findings.js';
import { TraceStore } from './trace-store.js';

/** Reads files of traces and runs the detectors on each trace once it is complete. */
export class Analysis {
  readonly findings = new TopFindings();
  spans = 0;
  requests = 0;
  /** Invalid spans. */
  malformed = 0;
  /** Exports of other signals. */
  others = 0;
  /** The number of database spans without a statement, by service. */
  readonly unknown = new Map<Service, number>();
  readonly traces: TraceStore;
  private readonly reader = new SpanReader();

  constructor(
    private readonly limits: RepetitionLimits,
    maxSpans?: number,
  ) {
    this.traces = new TraceStore((traceId, spans) => this.judge(traceId, spans), maxSpans);
  }

  /** @throws {InputFault} for an unreadable file @returns the number of its spans */
  async read(file: string, stdin: Readable): Promise<number> {
    const before = this.spans;
    const otlp = new OtlpReader((span, service) => this.take(span, service));
    const json = new JsonReader(OTLP_LISTS, otlp);
    for await (const chunk of inputChunks(file, stdin)) json.push(chunk);
    json.end();
    this.others += otlp.others;
    return this.spans - before;
  }

  /** Analyzes the remaining traces after the last file. */
  end(): void {
    this.traces.end();
  }

  /** The same by name. A service can receive its name after its spans. */
  unknownByService(): Map<string, number> {
    const sums = new Map<string, number>();
    for (const [{ name }, count] of this.unknown) sums.set(name, (sums.get(name) ?? 0) + count);
    return sums;
  }

  private take(value: unknown, service: Service): void {
    this.spans++;
    const read = this.reader.read(value, service, this.countUnknown);
    if (read === undefined) this.malformed++;
    else this.traces.add(read.traceId, read.span);
  }

  private readonly countUnknown = (service: Service): void => {
    this.unknown.set(service, (this.unknown.get(service) ?? 0) + 1);
  };

  private judge(traceId: string, spans: readonly RecordedSpan[]): void {
    for (const request of servedRequests(spans)) {
      this.requests++;
      const service = request[0]?.span.service.name ?? '';
      for (const seen of replay(request, traceId, this.limits)) this.findings.add(findingOf(seen, service));
    }
  }
}
