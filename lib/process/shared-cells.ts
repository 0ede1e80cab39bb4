/**
 * The memory that the main thread and the watching thread share: 32-bit cells. Times are milliseconds of the main thread's
 * `performance.now()`. They wrap after 24 days, so only differences (`| 0`) are meaningful.
 */
export const CELL = {
  /** The last heartbeat. */
  beat: 0,
  /** One of {@link PHASE}; the watching thread sleeps on this cell. */
  phase: 1,
  /** Milliseconds without a heartbeat after which the watching thread requests a stack. */
  limit: 2,
  /** The limit before the watching thread wants to wake up. */
  slept: 3,
  /** Total milliseconds by which the watching thread overslept: the process was stopped or starved. */
  frozen: 4,
  /** Total idle time of the event loop at the last heartbeat. */
  idle: 5,
  /** The number of the watching thread at the operating system; 0 where that is unknown. */
  thread: 6,
  /** 1 while the heartbeat rests: then `beat` is the limit before the next one is overdue. */
  rests: 7,
} as const;

export const CELLS = 8;

/**
 * The watching thread goes from `watching` to `attached` while its inspector session is open, and back. The main thread
 * goes from `watching` to `closing`, which is final.
 */
export const PHASE = { watching: 0, attached: 1, closing: 2 } as const;

/** If the watching thread oversleeps by this many milliseconds, the whole process was stopped. Less is a busy machine. */
export const OVERSLEPT_MS = 100;

/** The `workerData` of the watching thread. */
export interface WatchData {
  readonly cells: Int32Array;
  /** `process.hrtime()` in milliseconds when the main thread's `performance.now()` was 0: both threads share this clock. */
  readonly origin: number;
  /** The expression that captures the stack, evaluated on the main thread while that is blocked. */
  readonly expression: string;
}
