import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setInterval } from 'node:timers';
import { processWide } from '../async/process-wide.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';

/** Milliseconds between two beats. A wake-up is cheap, and a longer interval would measure short stalls less exactly. */
export const HEARTBEAT_MS = 25;
/** The name of the function that beats. Set as a property, because minifiers rename functions. */
export const HEARTBEAT = 'nestjsPerformanceHeartbeat';

type Listener = (now: number) => void;

/**
 * The one timer of the process that shows how late timers are, for everything that measures it: each timer of its own would
 * wake an idle process as often again. It runs while somebody listens, and does not keep the process alive.
 */
export class Heartbeat {
  private readonly listeners = new Set<Listener>();
  private timer: NodeJS.Timeout | undefined;

  /** @param listener is called with the clock of `performance.now()` at each beat. Must not throw */
  add(listener: Listener): void {
    this.listeners.add(listener);
    if (this.timer !== undefined) return;
    const beat = Object.defineProperty(() => this.beat(), 'name', { value: HEARTBEAT });
    this.timer = setInterval(beat, HEARTBEAT_MS).unref();
  }

  remove(listener: Listener): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private beat(): void {
    const measured = meter.enter(COST.heartbeat);
    try {
      const now = performance.now();
      for (const listener of this.listeners) listener(now);
    } finally {
      meter.leave(COST.heartbeat, measured);
    }
  }
}

/** The heartbeat of this process, which several modules share. */
export function heartbeat(): Heartbeat {
  return processWide('heartbeat', () => new Heartbeat());
}
