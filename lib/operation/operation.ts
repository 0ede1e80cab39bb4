import type { Explanation } from '../explain/explainer.js';
import type { ResourceEvidence } from '../process/resource-sampler.js';
import type { Waterfall } from '../spans/waterfall.js';

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

/** One operation that was slow, with the evidence that was at hand when it ended. Plain data, fit for JSON. */
export interface SlowOperation extends Explanation {
  /** The span's id, unique among those kept. */
  id: string;
  /** When it ended, in milliseconds since 1970. */
  timestamp: number;
  type: OperationType;
  /** Low-cardinality: `GET /users/:id`, `SELECT users`, `AlbumsService.list`. */
  name: string;
  durationMs: number;
  thresholdMs: number;
  /** `durationMs / thresholdMs` */
  slownessRatio: number;
  /** The duration less the time in which at least one child ran; absent where the span's children were not seen. */
  selfTimeMs?: number;
  error: boolean;
  /** What the operation usually takes, once that is known. */
  baseline?: OperationBaseline;
  /** It is slow by what it usually takes, and not by its threshold: see `baseline.adaptive`. */
  adaptive?: true;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  /** The route or method within which it ran, when it is not the outermost one itself. */
  root?: { type: OperationType; name: string };
  resources?: ResourceEvidence;
  /** The id of the CPU profile of its time, where one is kept: see `/performance/profiles/:id`. */
  profile?: string;
  /** The id of the heap snapshot that was taken when it ended, where one was. */
  heapSnapshot?: string;
  /** Of a served request: where its time was spent, as far as the request got. */
  http?: HttpEvidence;
  /** Of a database operation: the statement without its literals. */
  statement?: string;
}

/** A slow operation as it is told when that one alone is asked for. */
export interface DetailedSlowOperation extends SlowOperation {
  /** The spans that ended below it; absent where there were none, and where `detection.explain` is false. */
  waterfall?: Waterfall;
}

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
  /** The client went away before the response was complete. */
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
