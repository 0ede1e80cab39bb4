import { performance } from 'node:perf_hooks';
import { type ThreadClock, threadClock } from './thread-clock.js';

const { nodeTiming } = performance;

let samplers = 0;
let clock: ThreadClock | undefined;
/** Idle time that libuv has not counted. */
let missedMs = 0;
/** At the last correction: libuv's idle time, the time, and the thread's CPU time and run delay. */
let countedMs = 0;
let at = 0;
let cpuMs = 0;
let runDelayMs = 0;

/**
 * Total idle time of the event loop in milliseconds. Takes about 30 ns to read.
 *
 * The signals of a sampling profiler interrupt the loop's waits, and libuv counts only the last stretch of an interrupted
 * wait. While a profiler samples, the idle time is therefore the time without CPU time and run delay of the thread. That
 * takes 2 µs to read, once for each time that the loop has waited: until libuv's count changes there was no wait.
 */
export function loopIdleMs(): number {
  const idle = nodeTiming.idleTime;
  if (samplers > 0 && idle !== countedMs) correct(idle);
  return idle + missedMs;
}

/** Whether the idle time is calculated because a profiler samples. Synchronous waits then count as idle, too. */
export function isIdleCalculated(): boolean {
  return samplers > 0;
}

/** Reports that a sampling profiler starts. Returns the function that reports its end. */
export function samplingBegins(): () => void {
  let hasEnded = false;
  if (samplers++ === 0) rebase(nodeTiming.idleTime);
  return () => {
    if (hasEnded) return;
    hasEnded = true;
    loopIdleMs();
    samplers--;
  };
}

function correct(idle: number): void {
  const [before, cpuBefore, delayBefore] = [at, cpuMs, runDelayMs];
  const counted = idle - countedMs;
  rebase(idle);
  const waitedMs = at - before - (cpuMs - cpuBefore) - (runDelayMs - delayBefore);
  missedMs += Math.max(0, waitedMs - counted);
}

function rebase(idle: number): void {
  clock ??= threadClock();
  clock.read();
  at = performance.now();
  cpuMs = clock.cpuMs;
  runDelayMs = clock.runDelayMs;
  countedMs = idle;
}
