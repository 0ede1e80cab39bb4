/** Where the time of an operation goes: work it waits for, by kind, then its self time with the event loop busy or idle. */
export const PARTS = [
  'database',
  'cache',
  'external',
  'messaging',
  'rpc',
  'connection_pool',
  'self_busy',
  'self_idle',
] as const;
export type PartName = (typeof PARTS)[number];

/**
 * One operation over a period of at least a minute, normally with at least 30 executions. Durations in milliseconds,
 * moments in milliseconds since 1970.
 */
export interface OperationWindow {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Executions, and failures among them. */
  readonly count: number;
  readonly errors: number;
  /** The arithmetic mean of the durations, and the mean of their natural logarithms. */
  readonly meanMs: number;
  readonly meanLog: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  /** The geometric mean of the slowest 5 %; absent if unknown. */
  readonly tailMs?: number;
  /** Executions slower than the baseline's p99; NaN without a baseline. */
  readonly overP99: number;
  /** Statements per operation; NaN if unknown. */
  readonly queries: number;
  /** Mean milliseconds per operation in the order of {@link PARTS}; absent if unknown. */
  readonly partsMs?: readonly number[];
}

/** Where the time of operations went. */
export interface WorkSummary {
  /** The operations that it was measured of. */
  readonly count: number;
  /** Mean milliseconds per operation in the order of {@link PARTS}. */
  readonly partsMs: readonly number[];
  /** Mean statements per operation. */
  readonly statements: number;
}
