import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setInterval } from 'node:timers';
import { ownPauseMs } from '../async/own-pauses.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { loopIdleMs } from './loop-idle.js';

/** The interval of the timer; it costs less than 0.1 % of a core. */
const PERIOD_MS = 20;
/** From this delay on, the event loop was blocked. */
const BLOCKED_MS = 20;

/**
 * Measures by how much timers of the process are late, the one that is overdue now included: an operation may end within the
 * code that blocks the event loop. Node's histogram of delays knows only timers that were called, and after each reset it
 * misses the first one.
 */
export class LoopDelay {
  private timer: NodeJS.Timeout | undefined;
  /** When the timer was called last, and how long the event loop had been idle until then. */
  private calledAt = 0;
  private idleMs = 0;
  private longestMs = 0;

  start(): void {
    this.turn(performance.now());
    this.timer = setInterval(() => {
      const measured = meter.enter(COST.delay);
      try {
        this.called();
      } finally {
        meter.leave(COST.delay, measured);
      }
    }, PERIOD_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /**
   * The longest delay since the last {@link reset}, in milliseconds; 0 while it is stopped.
   * @param from counts of the current delay only what follows, on the clock of `performance.now()`
   */
  max(from = 0): number {
    if (this.timer === undefined) return 0;
    const now = performance.now();
    return Math.max(this.longestMs, Math.min(this.delay(now), now - from));
  }

  /** Starts a new period. A delay that lasts belongs to it, too. */
  reset(): void {
    this.longestMs = 0;
  }

  private called(): void {
    const now = performance.now();
    this.longestMs = Math.max(this.longestMs, this.delay(now));
    this.turn(now);
  }

  private turn(now: number): void {
    this.calledAt = now;
    this.idleMs = loopIdleMs();
  }

  /**
   * By how much the timer is late. If that is a block, it may have begun before the timer was due: at most all of the time
   * since the last call in which the event loop was not idle.
   */
  private delay(now: number): number {
    const sinceMs = now - this.calledAt - ownPauseMs(this.calledAt, now);
    const lateMs = sinceMs - PERIOD_MS;
    if (lateMs < BLOCKED_MS) return Math.max(0, lateMs);
    return Math.max(lateMs, sinceMs - (loopIdleMs() - this.idleMs));
  }
}
