import type { ChangeVerdict } from './operation-change.js';
import type { MemoryMeasure } from './process-memory.js';

/** The number of processes of a version that are compared, and what they executed. */
export interface ProcessSide {
  readonly processes: number;
  /** Executions of incoming operations a minute, by each process. */
  readonly perMinute: number;
}

/**
 * The change of one kind of memory: `heap` is what remains of the heap after major collections, `rss` the resident set.
 * `value` is the geometric mean of the processes. All in bytes.
 */
export interface MemoryChange {
  readonly measure: MemoryMeasure;
  readonly verdict: ChangeVerdict;
  readonly before?: ProcessSide & { readonly value: number };
  readonly after?: ProcessSide & { readonly value: number };
  /** The time since the start of each process that is compared, in milliseconds. */
  readonly age?: { readonly from: number; readonly to: number };
  readonly difference?: number;
  /** The 95 % confidence interval of the difference, as far as other traffic does not explain it. */
  readonly interval?: readonly [number, number];
  readonly percent?: number;
  readonly percentInterval?: readonly [number, number];
  /** Two-sided, corrected for both measures (Holm). */
  readonly pValue?: number;
}

/** The change of the processes. Memory is that of a process: no operation has a share of it that could be measured. */
export interface ProcessChange {
  /** `worse` or `better` if a measure is; `same` if each is; otherwise `not enough data`. */
  readonly verdict: ChangeVerdict;
  readonly measures: readonly MemoryChange[];
}
