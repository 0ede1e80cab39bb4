import type { ResourceReading } from '../../lib/process/resource-history.js';

/** A reading of the process in which nothing has happened yet. */
export function reading(at: number, more: Partial<ResourceReading> = {}): ResourceReading {
  return {
    at,
    heapUsed: 0,
    heapTotal: 0,
    external: 0,
    rss: 0,
    cpuUserMs: 0,
    cpuSystemMs: 0,
    eventLoopActiveMs: 0,
    eventLoopIdleMs: 0,
    eventLoopDelayMaxMs: 0,
    gcPauseMs: 0,
    threadCpuMs: 0,
    runDelayMs: 0,
    throttledMs: 0,
    ...more,
  };
}
