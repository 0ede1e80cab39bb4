import { performance } from 'node:perf_hooks';

const { nodeTiming } = performance;
let samplers = 0;

/** How long the event loop has been idle since it began, in milliseconds: some 30 ns to read. */
export function loopIdleMs(): number {
  return nodeTiming.idleTime;
}

/**
 * Whether that is too little at present. A sampling profiler ends the loop's waits by its signals, and of a wait that was
 * ended so libuv counts the last stretch alone: a loop that rests seems to be half busy. CPU time tells better then.
 */
export function isIdleLost(): boolean {
  return samplers > 0;
}

/** A sampling profiler begins. Returns what is to be called when it ends. */
export function samplingBegins(): () => void {
  let hasEnded = false;
  samplers++;
  return () => {
    if (!hasEnded) samplers--;
    hasEnded = true;
  };
}
