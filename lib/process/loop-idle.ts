import { performance } from 'node:perf_hooks';

const { nodeTiming } = performance;
let samplers = 0;

/** Total idle time of the event loop in milliseconds. Takes about 30 ns to read. */
export function loopIdleMs(): number {
  return nodeTiming.idleTime;
}

/**
 * Whether the idle time is currently too low. The signals of a sampling profiler interrupt the loop's waits, and libuv counts
 * only the last stretch of an interrupted wait: an idle loop appears half busy. CPU time is the better measure then.
 */
export function isIdleLost(): boolean {
  return samplers > 0;
}

/** Reports that a sampling profiler starts. Returns the function that reports its end. */
export function samplingBegins(): () => void {
  let hasEnded = false;
  samplers++;
  return () => {
    if (!hasEnded) samplers--;
    hasEnded = true;
  };
}

/** Busy and idle time of the event loop, corrected while a profiler samples: busy at most for the CPU time of the process. */
export class LoopClock {
  /** At the last {@link advance}: Node's busy time, the CPU time, and the idle time that Node has counted as busy. */
  private active = 0;
  private cpuMs = 0;
  private lostMs = 0;

  /** @param cpuMs CPU time of the process */
  read(cpuMs: number): { readonly activeMs: number; readonly idleMs: number } {
    const { active, idle } = performance.eventLoopUtilization();
    const lostMs = this.lostMs + this.lostSince(active, cpuMs);
    return { activeMs: active - lostMs, idleMs: idle + lostMs };
  }

  /** Call regularly: the correction is exact at the scale of the interval between two calls. */
  advance(cpuMs: number): void {
    const { active } = performance.eventLoopUtilization();
    this.lostMs += this.lostSince(active, cpuMs);
    this.active = active;
    this.cpuMs = cpuMs;
  }

  private lostSince(active: number, cpuMs: number): number {
    return isIdleLost() ? Math.max(0, active - this.active - (cpuMs - this.cpuMs)) : 0;
  }
}
