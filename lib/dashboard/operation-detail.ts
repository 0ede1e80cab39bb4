import type { CoursePeriod } from '../baseline/operation-course.js';
import type { CallSite } from '../code/call-site.js';
import type { CauseName } from '../explain/cause.js';
import type { Finding } from '../explain/finding.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { LatencyHeatmap } from '../statistics/latency-heatmap.js';
import type { LatencySummary } from '../statistics/latency-summary.js';
import type { BaselineLatency } from '../statistics/operation-history.js';
import type { WindowName } from '../statistics/operation-statistics.js';
import type { WorkSummary } from '../statistics/operation-window.js';

/** The data of the page of one operation: plain JSON. Durations are milliseconds, times are milliseconds since 1970. */
export interface OperationDetail {
  type: string;
  name: string;
  thresholdMs?: number;
  figures: Record<WindowName | 'lifetime', LatencySummary>;
  totalMs: number;
  excessMs: number;
  /** Where the time of all executions since the start went. Known of outermost operations with a baseline. */
  work?: WorkSummary;
  heatmap?: LatencyHeatmap;
  /** What it was like over hours and days, the oldest first. */
  periods: readonly CoursePeriod[];
  versions: {
    version?: string;
    previousVersion?: string;
    baseline?: BaselineLatency;
    previous?: BaselineLatency;
  };
  /** When this version was first seen, and when this process started. */
  deploys: { at: number; what: 'version' | 'start' }[];
  /** The kept slow executions by first cause, the most frequent first. */
  slow: SlowCause[];
  /** Findings of type `errors`: one for each class and line, the most frequent first. */
  errors: Finding[];
  /** What the newest slow executions called, the most time first. */
  calls: { executions: number; list: CalledOperation[] };
  /** Statements that it runs, the most time first. Latencies are those of all operations that run them. */
  statements: OperationStatement[];
  /** Lines of the application's code behind its findings and slow executions, the most frequent first. */
  lines: OperationLine[];
}

/** The slow executions with one first cause. */
export interface SlowCause {
  cause: CauseName;
  count: number;
  /** The time of this cause in all kept slow executions. */
  totalMs: number;
}

/** An operation below another one, per execution of that one. */
export interface CalledOperation {
  type: string;
  name: string;
  count: number;
  ms: number;
}

export type OperationStatement = Pick<
  SlowQuery,
  'fingerprint' | 'name' | 'count' | 'totalMs' | 'p50Ms' | 'p95Ms' | 'callSite'
>;

export interface OperationLine {
  callSite: CallSite;
  count: number;
  causes: CauseName[];
}
