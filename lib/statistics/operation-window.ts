/** What the time of a request can go to: work that is waited for, by kind, and its own, with the loop busy or idle. */
export const PARTS = [
  'database',
  'cache',
  'external',
  'messaging',
  'rpc',
  'connection_pool',
  'own_busy',
  'own_idle',
] as const;
export type PartName = (typeof PARTS)[number];

/**
 * One operation over a stretch of time: long enough for some 30 of it, and at least a minute. Durations are
 * milliseconds, moments milliseconds since 1970.
 */
export interface OperationWindow {
  readonly startedAt: number;
  readonly endedAt: number;
  /** How many ended, and how many of them failed. */
  readonly count: number;
  readonly errors: number;
  /** The arithmetic mean of the durations, and the mean of their natural logarithms. */
  readonly meanMs: number;
  readonly meanLog: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  /** How many were slower than the p99 that the operation's baseline has; NaN while it has none. */
  readonly overP99: number;
  /** Statements per operation; NaN where that is not known. */
  readonly queries: number;
  /** Mean milliseconds per operation in the order of {@link PARTS}; absent where that is not known. */
  readonly partsMs?: readonly number[];
}
