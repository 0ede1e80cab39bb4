/** The types that spans are sorted into by themselves; any other name is the user's own. */
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
 * What kind of work an operation is: `http` (served), `database`, `cache`, `external` (an outgoing call),
 * `messaging`, `rpc`, `internal`, or a name of the user's such as `calculation`.
 */
export type OperationType = (typeof OPERATION_TYPES)[number] | (string & {});

/** A name of the user's for a type: a letter, then letters, digits, `_`, `-` and `.`, 64 at most. */
export const OPERATION_TYPE_PATTERN = /^[A-Za-z][\w.-]{0,63}$/;

/** The longest name of an operation, in characters. What is longer has its end cut off. */
export const MAX_NAME = 256;

/** The name within its bound. Where it is, this takes one comparison. */
export function boundedName(name: string): string {
  return name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME - 1)}…`;
}

/** Where the statistics of operations go whose own key would be one too many. */
export const OTHER = '(other)';

/** What an operation usually takes, in milliseconds. */
export interface OperationBaseline {
  p50Ms: number;
  p95Ms: number;
  /** The duration of this one, over the median. */
  ratio: number;
}

/** The stretches of a served request. */
export interface HttpEvidence {
  statusCode?: number;
  /** The client disconnected before the response was complete. */
  aborted?: boolean;
  /** `UsersController.findOne` */
  handler?: string;
  /** Middleware, body parsing and guards: from the first byte parsed to the interceptor. */
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
