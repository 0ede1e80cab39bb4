/** The types that spans are classified as. Any other type is one of the application. */
export const OPERATION_TYPES = [
  'http',
  'database',
  'cache',
  'external',
  'messaging',
  'rpc',
  'internal',
] as const;

/**
 * The kind of work of an operation: `http` (an incoming request), `database`, `cache`, `external` (an outgoing call),
 * `messaging`, `rpc`, `internal`, or a type of the application such as `calculation`.
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
  /** Middleware, body parsing and guards: from the first parsed byte to the interceptor. */
  beforeHandlerMs?: number;
  /** Pipes, inner interceptors and the handler. */
  handlerMs?: number;
  /** Outer interceptors, serialization and writing to the socket. */
  afterHandlerMs?: number;
}

/** Where the time of an incoming request went. Read only when it was slow. */
export interface HttpEvidenceSource {
  readonly statusCode: number;
  evidence(): HttpEvidence;
}
