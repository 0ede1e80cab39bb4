/**
 * The requests of this process, whichever module they belong to: they share one event loop. Kept under a registered
 * symbol, since the ESM and the CommonJS build may both be loaded.
 */
interface ConcurrentRequests {
  /** How many run, and how many ever started: whether a request ran alone follows from both. */
  running: number;
  started: number;
}

const KEY = Symbol.for('nestjs-performance.concurrent-requests');
const globals = globalThis as { [KEY]?: ConcurrentRequests };
globals[KEY] ??= { running: 0, started: 0 };

export const concurrentRequests: ConcurrentRequests = globals[KEY];
