import type { LatencySketch } from '../baseline/latency-sketch.js';
import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { Totals } from '../statistics/totals.js';

/** Operations of one instance within a period: what can be added to that of another. */
export interface Figures {
  readonly totals: Totals;
  readonly sketch: LatencySketch;
}

export interface TypeFigures {
  readonly type: string;
  readonly minute: Figures;
  readonly lifetime: Figures;
}

export interface OperationFigures extends TypeFigures {
  readonly name: string;
  /** The threshold in milliseconds; absent if it has none. */
  readonly thresholdMs?: number;
  /** Total time above the threshold, in milliseconds. */
  readonly excessMs: number;
}

/** The process at the time of a summary. */
export interface InstanceProcess {
  /** Percent of one core since the previous summary; above 100 with several threads. */
  cpuPercent?: number;
  /** Memory in MB of 2^20 bytes. */
  rssMb: number;
  heapUsedMb: number;
  heapLimitMb: number;
  /** 0 to 1, over the last second. */
  eventLoopUtilization?: number;
}

/** A slow operation whose whole description is in the store. */
export type SlowHead = Pick<
  SlowOperation,
  'id' | 'timestamp' | 'type' | 'name' | 'durationMs' | 'thresholdMs' | 'error' | 'cause' | 'explanation'
>;

/** What an instance publishes of itself. Times are milliseconds since 1970. */
export interface InstanceSummary {
  readonly service: string;
  /** Unique: see `Instance`. */
  readonly key: string;
  readonly id: string;
  readonly version?: string;
  readonly host: string;
  readonly pid: number;
  readonly worker?: string;
  readonly startedAt: number;
  readonly countingSince: number;
  readonly publishedAt: number;
  /** Of this run: greater with each. */
  readonly sequence: number;
  /** Milliseconds until the next. */
  readonly intervalMs: number;
  readonly process: InstanceProcess;
  readonly types: readonly TypeFigures[];
  /** Those with the most total time. */
  readonly operations: readonly OperationFigures[];
  /** All, also those that are not listed. */
  readonly operationCount: number;
  readonly findings: readonly Finding[];
  /** The newest first. */
  readonly slow: readonly SlowHead[];
}

/** In bytes, as text. What exceeds it is left out: operations that cost least, then findings. */
export const MAX_SUMMARY_BYTES = 64 * 1024;
export const MAX_TYPES = 16;
export const MAX_OPERATIONS = 50;
export const MAX_FINDINGS = 30;
export const MAX_SLOW = 20;
/** In characters: of the texts of findings and of slow operations. */
export const MAX_TEXT = 300;
