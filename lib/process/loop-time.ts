import { performance } from 'node:perf_hooks';
import { isIdleLost } from './loop-idle.js';

/** How long the event loop has been busy and idle, in milliseconds. */
export interface LoopTime {
  readonly activeMs: number;
  readonly idleMs: number;
}

/** Reads how long the event loop has been busy; while it is sampled, no longer than the process has used CPU time. */
export class LoopClock {
  /** At the last {@link advance}: what Node said, the CPU time, and what was idle in truth until then. */
  private active = 0;
  private cpuMs = 0;
  private excessMs = 0;

  /** @param cpuMs CPU time of the process */
  read(cpuMs: number): LoopTime {
    const { active, idle } = performance.eventLoopUtilization();
    const lost = this.excessMs + this.lostSince(active, cpuMs);
    return { activeMs: active - lost, idleMs: idle + lost };
  }

  /** To be called regularly: the shorter the time in between, the closer it is. */
  advance(cpuMs: number): void {
    const { active } = performance.eventLoopUtilization();
    this.excessMs += this.lostSince(active, cpuMs);
    this.active = active;
    this.cpuMs = cpuMs;
  }

  private lostSince(active: number, cpuMs: number): number {
    return isIdleLost() ? Math.max(0, active - this.active - (cpuMs - this.cpuMs)) : 0;
  }
}
