/**
 * The requests of all modules of this process, which share one event loop. Kept under a registered symbol, because the ESM
 * and the CommonJS build may both be loaded.
 */
interface ConcurrentRequests {
  /** How many run, and how many ever started: both together show whether another request ran during one. */
  running: number;
  started: number;
}

const KEY = Symbol.for('nestjs-performance.concurrent-requests');
const globals = globalThis as { [KEY]?: ConcurrentRequests };
globals[KEY] ??= { running: 0, started: 0 };

export const concurrentRequests: ConcurrentRequests = globals[KEY];
