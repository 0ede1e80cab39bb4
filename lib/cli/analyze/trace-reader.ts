import { InputFault } from './input-fault.js';
import { zipkinFault } from './input-format.js';
import { fromJaeger, isJaegerSpan, resourceOf } from './jaeger.js';
import type { JsonListener, Lists } from './json-reader.js';
import { type Fields, isFields, kindOf } from './otlp-values.js';
import { Service, Services } from './service.js';

/** With the old name of scopeSpans before OTLP 0.15. */
const OTLP: Lists = { scopeSpans: { spans: {} }, instrumentationLibrarySpans: { spans: {} } };

/**
 * The lists of traces: of an OTLP JSON export; of a trace from Tempo, whose name of resourceSpans is batches; and of traces
 * from Jaeger.
 */
export const TRACE_LISTS: Lists = {
  resourceSpans: OTLP,
  batches: OTLP,
  trace: { resourceSpans: OTLP, batches: OTLP },
  result: { resourceSpans: OTLP },
  data: { spans: {} },
  spans: {},
};

/** The names of lists of resources with their spans. */
const RESOURCES = new Set(['resourceSpans', 'batches']);
/** Members that must be lists where they exist. */
const MUST_BE_LISTS = new Set(['resourceSpans', 'batches', 'scopeSpans', 'data', 'spans']);
/** Other signals, which the Collector may write to the same file. */
const OTHER_SIGNALS = new Set(['resourceLogs', 'resourceMetrics', 'resourceProfiles']);
/** Members that are named in the message about another object. */
const MAX_NAMED = 5;
const MAX_MEMBERS = 20;

/** A span with what its document says of it. */
export interface RawSpan {
  /** In the form of OTLP JSON. */
  readonly value: unknown;
  readonly service: Service;
  /** Jaeger has moved it to correct the clocks of hosts. */
  readonly isAdjusted: boolean;
}

/** Extracts the spans of trace exports. */
export class TraceReader implements JsonListener {
  /** The number of exports of logs, metrics and profiles. */
  others = 0;
  private members: string[] = [];
  private hasTraces = false;
  /** The lists of the document that have begun. */
  private readonly lists = new Set<string>();
  private service = new Service();
  private readonly services = new Services();
  /** Whether spans preceded their resource. */
  private spansCame = false;
  /** The processes of a trace of Jaeger, which follow their spans. */
  private processes = new Map<string, Service>();

  constructor(private readonly onSpan: (span: RawSpan) => void) {}

  objectStart(list: string, line: number): void {
    if (MUST_BE_LISTS.has(list) && !this.lists.has(list)) throw notAList(line, list, {});
    if (RESOURCES.has(list)) {
      this.service = new Service();
      this.spansCame = false;
    } else if (list === '') {
      this.members = [];
      this.hasTraces = false;
      this.service = new Service();
      this.processes = new Map();
      this.lists.clear();
    } else if (list === 'data') this.processes = new Map();
  }

  listStart(key: string): void {
    this.lists.add(key);
    if (key === 'spans' || key === 'data' || RESOURCES.has(key)) this.hasTraces = true;
  }

  member(list: string, key: string, value: unknown, line: number): void {
    // What a message of protobuf lacks may be written as null.
    if (MUST_BE_LISTS.has(key) && (value !== null || list === '')) throw notAList(line, key, value);
    if (list === '' && this.members.length < MAX_MEMBERS) this.members.push(key);
    if (key === 'processes' && isFields(value)) this.describeProcesses(value);
    if (RESOURCES.has(list) && key === 'resource' && isFields(value)) this.describe(value);
  }

  element(list: string, value: unknown, line: number): void {
    if (list === 'spans') {
      this.spansCame = true;
      this.onSpan(this.spanOf(value));
      return;
    }
    if (list !== '')
      throw new InputFault(
        line,
        `Invalid element of "${list}": received ${kindOf(value)}, expected an object`,
      );
    const [first] = Array.isArray(value) ? (value as unknown[]) : [];
    if (isFields(first) && isZipkin(Object.keys(first))) throw zipkinFault(line);
    throw new InputFault(
      line,
      `Invalid OTLP trace export: received ${kindOf(value)}, expected an object with "resourceSpans"`,
    );
  }

  objectEnd(list: string, line: number): void {
    if (list !== '' || this.hasTraces) return;
    if (this.members.some((key) => OTHER_SIGNALS.has(key))) {
      this.others++;
      return;
    }
    if (isZipkin(this.members)) throw zipkinFault(line);
    const named = this.members.slice(0, MAX_NAMED).map((key) => JSON.stringify(key));
    throw new InputFault(
      line,
      `Invalid OTLP trace export: received an object with ${named.join(', ') || 'nothing'}, expected "resourceSpans"`,
    );
  }

  private describe(resource: Fields): void {
    if (this.spansCame) this.service.describe(resource);
    else this.service = this.services.get(resource);
  }

  private spanOf(value: unknown): RawSpan {
    if (!isJaegerSpan(value)) return { value, service: this.service, isAdjusted: false };
    const own = value['process'];
    const service = isFields(own)
      ? this.services.get(resourceOf(own))
      : this.processOf(String(value['processID']));
    return { value: fromJaeger(value), service, isAdjusted: true };
  }

  private processOf(id: string): Service {
    let service = this.processes.get(id);
    if (service === undefined) {
      service = new Service();
      this.processes.set(id, service);
    }
    return service;
  }

  private describeProcesses(processes: Fields): void {
    for (const [id, process] of Object.entries(processes))
      if (isFields(process)) this.processOf(id).describe(resourceOf(process));
  }
}

function notAList(line: number, key: string, value: unknown): InputFault {
  return new InputFault(line, `Invalid "${key}": received ${kindOf(value)}, expected an array`);
}

function isZipkin(members: readonly string[]): boolean {
  return members.includes('traceId') && members.includes('id') && !members.includes('spanId');
}
