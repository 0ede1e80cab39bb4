/**
 * The requests that run in this process, whichever module they belong to: they share one event loop. Found under a
 * registered symbol, since the ESM and the CommonJS build may both be loaded.
 */
interface Company {
  /** How many run, and how many ever began: whether one had company is told by both. */
  running: number;
  begun: number;
}

const KEY = Symbol.for('nestjs-performance.company');
const globals = globalThis as { [KEY]?: Company };
globals[KEY] ??= { running: 0, begun: 0 };

export const concurrentRequests: Company = globals[KEY];
