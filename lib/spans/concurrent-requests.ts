import { processWide } from '../async/process-wide.js';

/** The requests of this process, across all modules: they share one event loop. */
interface ConcurrentRequests {
  /** How many run, and how many ever started: both together show whether another request ran during one. */
  running: number;
  started: number;
}

export const concurrentRequests = processWide(
  'concurrent-requests',
  (): ConcurrentRequests => ({ running: 0, started: 0 }),
);
