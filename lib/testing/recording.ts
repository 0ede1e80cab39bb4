import type { CallSite } from '../code/call-site.js';
import type { OperationType } from '../operation/operation.js';

/** The request, message or tracked method within which something ran, and which one of its name. */
export interface RecordedRoot {
  type: OperationType;
  /** `GET /albums` */
  name: string;
  id: string;
}

/** One operation that ended while the recording ran. */
export interface RecordedOperation {
  type: OperationType;
  /** Low-cardinality: `GET /albums/:id`, `SELECT track`, `AlbumsService.list`. */
  name: string;
  durationMs: number;
  /** Absent: it is never slow. */
  thresholdMs?: number;
  error: boolean;
  /** What it ran within; absent for what is the outermost itself. */
  root?: RecordedRoot;
  /** The line of the application's code that asked for it, where it could be told. */
  callSite?: CallSite;
  /** The line that called that one's function. */
  calledFrom?: CallSite;
}

/** One query. BEGIN, COMMIT, SET and the like, and pings, are none. */
export interface RecordedQuery extends RecordedOperation {
  /** Without its literals; for a method tracked as `database`, its name. */
  statement: string;
  /** Equal for two queries of one statement that were made with the same values; absent where that is not known. */
  values?: string;
}

/** A request or message that was served. */
export interface RecordedRequest extends RecordedOperation {
  id: string;
  /** How many queries it made. */
  queryCount: number;
}

/** What ran while a function did. Plain data. */
export interface PerformanceRecording<T = unknown> {
  /** What the function returned. */
  result: T;
  /** All that was seen, in the order in which it ended; queries and requests are among them. */
  operations: RecordedOperation[];
  queries: RecordedQuery[];
  requests: RecordedRequest[];
  /** The names of what had begun and still ran when the recording ended. */
  unfinished: string[];
  /** Databases that the application uses and whose queries are not seen: their package, and what to do. */
  unseen: { driver: string; advice: string }[];
}
