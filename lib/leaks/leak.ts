/**
 * The kinds of memory that can leak: JavaScript objects; buffers and other memory outside the heap; the process alone.
 */
export const LEAKING_MEMORIES = ['heap', 'external', 'rss'] as const;
export type LeakingMemory = (typeof LEAKING_MEMORIES)[number];

/** Memory that grows and is not released. Plain data that JSON can represent; moments are milliseconds since 1970. */
export interface Leak {
  readonly memory: LeakingMemory;
  /**
   * First `suspect`. `confirmed` when it has grown for as long again without slowing down and 54 % of the limit are used; or
   * after two days, if it did not begin with the process, when it has used a tenth of the memory left to the limit.
   */
  readonly state: 'suspect' | 'confirmed';
  readonly since: number;
  readonly bytesPerHour: number;
  /** Memory in use after a collection, and the limit that it grows towards, if there is one. */
  readonly usedBytes: number;
  readonly limitBytes?: number;
  /** Milliseconds until the limit is reached if growth continues. */
  readonly timeToLimitMs?: number;
  /** A rank from 0 to 1. */
  readonly confidence: number;
  /** Operations whose executions correlate with the growth, most likely first. */
  readonly suspects: readonly {
    readonly type: string;
    readonly name: string;
    readonly bytesPerOperation: number;
  }[];
  readonly explanation: string;
}
