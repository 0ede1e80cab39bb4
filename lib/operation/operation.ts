/** The types that spans are classified as. Any other type is one of the application. */
export const OPERATION_TYPES = [
  'http',
  'database',
  'connection_pool',
  'cache',
  'external',
  'messaging',
  'rpc',
  'websocket',
  'queue',
  'schedule',
  'event',
  'command',
  'internal',
] as const;

/**
 * The kind of work of an operation: `http` (an incoming request), `database`, `connection_pool` (waiting for one), `cache`, `external` (an outgoing call),
 * `messaging`, `rpc`, what a handler does (`websocket`, `queue`, `schedule`, `event`, `command`), `internal`, or a type of the application such as `calculation`.
 */
export type OperationType = (typeof OPERATION_TYPES)[number] | (string & {});

/** A type of the application: a letter, then letters, digits, `_`, `-` and `.`, up to 64 characters. */
export const OPERATION_TYPE_PATTERN = /^[A-Za-z][\w.-]{0,63}$/;

/** The longest name of an operation, in characters. Longer ones are truncated. */
export const MAX_NAME = 256;

/** The name, truncated to {@link MAX_NAME}. */
export function boundedName(name: string): string {
  return name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME - 1)}…`;
}

/** The name under which operations beyond `detection.maxOperations` are counted. */
export const OTHER = '(other)';

/** The baseline of an operation, in milliseconds. */
export interface OperationBaseline {
  p50Ms: number;
  p95Ms: number;
  /** The duration of this execution, divided by the baseline p50. */
  ratio: number;
}

/** The stages of an incoming request. */
export interface HttpEvidence {
  statusCode?: number;
  /** The client disconnected before the response was complete. */
  aborted?: boolean;
  /** `UsersController.findOne` */
  handler?: string;
  /** Middleware, body parsing, guards, pipes and interceptors: from the first parsed byte to the handler. */
  beforeHandlerMs?: number;
  /** The handler, with pipes and inner interceptors where `PerformanceInterceptor` is bound. */
  handlerMs?: number;
  /** Interceptors, serialization and writing to the socket. */
  afterHandlerMs?: number;
  /** Waiting for the client: for the upload of its body, and for its reading of the response. Not judged as slow. */
  uploadMs?: number;
  downloadMs?: number;
}

/** Where the time of an incoming request went. Read only when it was slow, or when it failed. */
export interface HttpEvidenceSource {
  readonly statusCode: number;
  /** `UsersController.findOne`; undefined if no handler was called. */
  readonly handlerName?: string | undefined;
  /** What its handler threw; undefined if nothing was seen. */
  readonly thrown?: unknown;
  /** How long it waited for its client, in milliseconds: that does not count against the threshold. */
  readonly clientMs?: number;
  /** A GraphQL resolver failed, whatever the status is. */
  readonly hasFailedResolver?: boolean;
  evidence(): HttpEvidence;
}
