/**
 * What the main thread and the watching thread tell each other: 32-bit cells, of which the times are milliseconds
 * of the main thread's `performance.now()`. They wrap after 24 days, so only differences (`| 0`) mean something.
 */
export const CELL = {
  /** The last heartbeat. */
  beat: 0,
  /** One of {@link PHASE}; the watching thread sleeps on it. */
  phase: 1,
  /** Milliseconds without a heartbeat after which the stack is asked for. */
  limit: 2,
  /** When the watching thread last began to sleep. */
  slept: 3,
  /** Milliseconds by which it slept longer than it asked to, in all: the process was stopped or starved. */
  frozen: 4,
  /** For how long the event loop had been idle in all at the last heartbeat. */
  idle: 5,
} as const;

export const CELLS = 6;

export const PHASE = { watching: 0, attached: 1, closing: 2 } as const;

/** What the watching thread is started with. */
export interface WatchData {
  readonly cells: Int32Array;
  /** `process.hrtime()` in milliseconds when the main thread's `performance.now()` was 0: one clock for both. */
  readonly origin: number;
  /** What is evaluated on the main thread while it is blocked. */
  readonly expression: string;
  /** How many stacks may be taken in a row, and milliseconds until one more may. */
  readonly burst: number;
  readonly refillMs: number;
  /** A loop that is idle for less than this share of so many milliseconds does not rest. */
  readonly restMs: number;
  readonly restingShare: number;
  /** Sleeping longer than asked by so many milliseconds means that the process did not run. */
  readonly oversleptMs: number;
  readonly cell: typeof CELL;
  readonly phase: typeof PHASE;
}
