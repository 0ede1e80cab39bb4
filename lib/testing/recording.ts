import type { CallSite } from '../code/call-site.js';
import type { OperationType } from '../operation/operation.js';

/** The root operation: a request, message or tracked method. */
export interface RecordedRoot {
  type: OperationType;
  /** `GET /albums` */
  name: string;
  id: string;
}

/** An operation that ended during the recording. */
export interface RecordedOperation {
  type: OperationType;
  /** Low-cardinality: `GET /albums/:id`, `SELECT track`, `AlbumsService.list`. */
  name: string;
  durationMs: number;
  /** Absent if the operation is never slow. */
  thresholdMs?: number;
  error: boolean;
  /** The root operation that contains it; absent for root operations. */
  root?: RecordedRoot;
  /** The line of the application that started it, if known. */
  callSite?: CallSite;
  /** The line that called the function of `callSite`. */
  calledFrom?: CallSite;
}

/** A query. BEGIN, COMMIT, SET, pings and the like are not queries. */
export interface RecordedQuery extends RecordedOperation {
  /** The statement without literals; for a method tracked as `database`, its name. */
  statement: string;
  /** Equal for executions of one statement with the same values; absent if unknown. */
  values?: string;
}

/** An incoming request or message. */
export interface RecordedRequest extends RecordedOperation {
  id: string;
  /** The number of its queries. */
  queryCount: number;
}

/** The operations that ran during a function, as plain data. */
export interface PerformanceRecording<T = unknown> {
  /** The result of the function. */
  result: T;
  /** All operations in order of their end, including queries and requests. */
  operations: RecordedOperation[];
  queries: RecordedQuery[];
  requests: RecordedRequest[];
  /** The names of operations that were still running at the end of the recording. */
  unfinished: string[];
  /**
   * Requests that were made and not measured, `GET /albums (injected)`: no server of an application with the module received
   * them. Absent if there were none.
   */
  unserved?: string[];
  /** Database drivers whose queries are not recorded, with advice. */
  unseen: { driver: string; advice: string }[];
}
