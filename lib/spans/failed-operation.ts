import type { OperationType } from '../operation/operation.js';
import type { OperationLog } from './operation-log.js';

/** An operation that failed with an error that is no expected one. */
export interface FailedOperation {
  readonly type: OperationType;
  readonly name: string;
  readonly durationMs: number;
  /** The status of the response to an incoming HTTP request. */
  readonly statusCode: number | undefined;
  /** What was thrown; undefined if that was not seen. */
  readonly thrown: unknown;
  /** The exception that was recorded on its span, if any. */
  readonly recorded: RecordedException | undefined;
  /** What was logged within it, where `logging.keep` is on. */
  readonly log?: OperationLog | undefined;
  readonly traceId: string;
  readonly spanId: string;
}

/** The event `exception` of a span. */
export interface RecordedException {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
}

/** What was thrown, by live span. Written only where something fails. */
const thrownBy = new WeakMap<object, unknown>();

/** Keeps what was thrown in a span until it is counted. */
export function keepThrown(live: object, thrown: unknown): void {
  thrownBy.set(live, thrown);
}

/** What was thrown in a span; undefined if that is not known. */
export function thrownIn(live: object | undefined): unknown {
  return live === undefined ? undefined : thrownBy.get(live);
}

/** The last exception that was recorded on a span. Never throws. */
export function recordedException(span: unknown): RecordedException | undefined {
  try {
    const { events } = Object(span) as { events?: readonly { name: string; attributes?: object }[] };
    if (!Array.isArray(events)) return undefined;
    const { attributes } = events.findLast(({ name }) => name === 'exception') ?? {};
    if (attributes === undefined) return undefined;
    const given = new Map<string, unknown>(Object.entries(attributes));
    const text = (key: string): string => {
      const value = given.get(`exception.${key}`);
      return typeof value === 'string' ? value : '';
    };
    return { type: text('type'), message: text('message'), stack: text('stacktrace') };
  } catch {
    return undefined;
  }
}
