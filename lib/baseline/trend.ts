/** A slow drift over hours or days that a test accepted. Plain data, fit for JSON; moments are milliseconds since 1970. */
export interface Trend {
  /** Of an operation's latency, or of a resource of the process. */
  readonly subject:
    | { readonly kind: 'operation'; readonly type: string; readonly name: string }
    | { readonly kind: 'resource'; readonly name: 'heap_used' | 'rss' | 'event_loop_delay' | 'cpu' };
  readonly unit: 'ms' | 'bytes' | 'ratio';
  readonly from: number;
  readonly to: number;
  /** The fitted value at `from` and at `to`. */
  readonly first: number;
  readonly last: number;
  /** In `unit` per hour, with its 95 % interval. */
  readonly slopePerHour: number;
  readonly interval: readonly [number, number];
  readonly pValue: number;
  /** The threshold or limit that it will reach if it goes on like that, and when. */
  readonly forecast?: { readonly limit: number; readonly reachedAt: number };
  readonly explanation: string;
}
