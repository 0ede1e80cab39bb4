/** Memory that can leak: of JavaScript objects, of buffers and other memory outside the heap, or of the process alone. */
export const LEAKING_MEMORIES = ['heap', 'external', 'rss'] as const;
export type LeakingMemory = (typeof LEAKING_MEMORIES)[number];

/** Memory that grows and does not come back. Plain data, fit for JSON; moments are milliseconds since 1970. */
export interface Leak {
  readonly memory: LeakingMemory;
  /**
   * `suspect` first. `confirmed` once it went on for as long again, gets no slower and took a third of the room that there
   * was to the limit, or a tenth in two days.
   */
  readonly state: 'suspect' | 'confirmed';
  readonly since: number;
  readonly bytesPerHour: number;
  /** What is in use after a collection, and the limit it grows towards, where there is one. */
  readonly usedBytes: number;
  readonly limitBytes?: number;
  /** Milliseconds until the limit is reached if it goes on like that. */
  readonly timeToLimitMs?: number;
  /** 0 to 1. */
  readonly confidence: number;
  /** Operations whose number goes with the growth, the most likely first. */
  readonly suspects: readonly {
    readonly type: string;
    readonly name: string;
    readonly bytesPerOperation: number;
  }[];
  readonly explanation: string;
}
