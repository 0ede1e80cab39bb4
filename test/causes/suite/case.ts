/** The closed list of causes. */
export type Cause =
  | 'n_plus_one'
  | 'sequential_calls'
  | 'database'
  | 'cache'
  | 'external'
  | 'messaging'
  | 'rpc'
  | 'connection_pool'
  | 'cpu'
  | 'event_loop_blocked'
  | 'cpu_starved'
  | 'gc'
  | 'waiting'
  | 'unknown';
export type FindingType = 'n_plus_one' | 'duplicate_queries' | 'sequential_calls' | 'event_loop_block';

/** Requests with a built-in cause. */
export interface Case {
  /** The path of its route without the leading slash. */
  readonly name: string;
  readonly method: 'GET' | 'POST';
  /** A control is healthy, or slow by design: it must have no finding. */
  readonly kind: 'pathology' | 'control';
  /** The expected first cause. Without it, the request need not be slow. */
  readonly cause?: Cause;
  /** The expected finding of the route. */
  readonly finding?: FindingType;
  /** The expected method of the call site, if it has a name. Its line is marked with the name of the case. */
  readonly site?: string;
  /** A text that the explanation must contain. */
  readonly says?: RegExp;
  /** Companions that prepare the case, in this order. */
  readonly before?: readonly string[];
  /** A concurrent request that starts before. */
  readonly beside?: string;
  /** The number of requests, and how many of them in parallel; the slowest is judged. */
  readonly requests?: number;
  readonly concurrency?: number;
  readonly query?: (n: number) => string;
  /** The JSON that each request sends. */
  readonly body?: () => string | ReadableStream;
  /** With another process that consumes CPU time. */
  readonly burner?: boolean;
  /** Sent to an application that has just started. */
  readonly fresh?: boolean;
}

type Details = Partial<Omit<Case, 'name' | 'method' | 'kind' | 'cause'>>;

function split(route: string): Pick<Case, 'name' | 'method'> {
  const [method, path = ''] = route.split(' ');
  return { method: method === 'POST' ? 'POST' : 'GET', name: path.slice(1) };
}

export const slow = (cause: Cause, route: string, details: Details = {}): Case => ({
  ...split(route),
  ...details,
  kind: 'pathology',
  cause,
});
export const nPlusOne = (route: string, site: string, finding: FindingType = 'n_plus_one'): Case =>
  slow('n_plus_one', route, { site, finding });
export const control = (route: string, details: Details & { cause?: Cause } = {}): Case => ({
  ...split(route),
  ...details,
  kind: 'control',
});
