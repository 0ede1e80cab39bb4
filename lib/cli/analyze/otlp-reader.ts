import { InputFault } from './input-fault.js';
import type { JsonListener, Lists } from './json-reader.js';
import { type Fields, isFields, kindOf } from './otlp-values.js';
import { Service, Services } from './service.js';

/** The lists of an OTLP JSON trace export, with the old name of scopeSpans before OTLP 0.15. */
export const OTLP_LISTS: Lists = {
  resourceSpans: { scopeSpans: { spans: {} }, instrumentationLibrarySpans: { spans: {} } },
};

/** Other signals, which the Collector may write to the same file. */
const OTHER_SIGNALS = new Set(['resourceLogs', 'resourceMetrics', 'resourceProfiles']);

/** Extracts the spans of trace exports. */
export class OtlpReader implements JsonListener {
  /** The number of exports of logs, metrics and profiles. */
  others = 0;
  private members: string[] = [];
  private exportsTraces = false;
  private service = new Service();
  private readonly services = new Services();
  /** Whether spans preceded their resource. */
  private spansCame = false;

  /** @param onSpan receives each raw span with its service */
  constructor(private readonly onSpan: (span: unknown, service: Service) => void) {}

  objectStart(list: string): void {
    if (list === 'resourceSpans') {
      this.service = new Service();
      this.spansCame = false;
    } else if (list === '') {
      this.members = [];
      this.exportsTraces = false;
    }
  }

  listStart(key: string): void {
    if (key === 'resourceSpans') this.exportsTraces = true;
  }

  member(list: string, key: string, value: unknown, line: number): void {
    if (list === '') {
      if (key === 'resourceSpans') throw new InputFault(line, expected(key, value));
      if (this.members.length < 5) this.members.push(key);
    } else if (list === 'resourceSpans') {
      if (key === 'resource' && isFields(value)) this.describe(value);
      if (key === 'scopeSpans' && value !== null) throw new InputFault(line, expected(key, value));
    } else if (key === 'spans' && value !== null) throw new InputFault(line, expected(key, value));
  }

  element(list: string, value: unknown, line: number): void {
    if (list === 'spans') {
      this.spansCame = true;
      this.onSpan(value, this.service);
    } else if (list === '')
      throw new InputFault(
        line,
        `Invalid OTLP trace export: received ${kindOf(value)}, expected an object with "resourceSpans"`,
      );
    else
      throw new InputFault(
        line,
        `Invalid element of "${list}": received ${kindOf(value)}, expected an object`,
      );
  }

  private describe(resource: Fields): void {
    if (this.spansCame) this.service.describe(resource);
    else this.service = this.services.get(resource);
  }

  objectEnd(list: string, line: number): void {
    if (list !== '' || this.exportsTraces) return;
    if (this.members.some((key) => OTHER_SIGNALS.has(key))) {
      this.others++;
      return;
    }
    const found =
      this.members.length === 0 ? 'nothing' : this.members.map((key) => JSON.stringify(key)).join(', ');
    throw new InputFault(
      line,
      `Invalid OTLP trace export: received an object with ${found}, expected "resourceSpans"`,
    );
  }
}

function expected(key: string, value: unknown): string {
  return `Invalid "${key}": received ${kindOf(value)}, expected an array`;
}
