import { performance } from 'node:perf_hooks';
import { ownPauseMs } from '../async/own-pauses.js';
import { HEARTBEAT_MS, type HeartbeatListener, heartbeat } from './heartbeat.js';
import { loopIdleMs } from './loop-idle.js';

/** From this delay on, the event loop was blocked. */
const BLOCKED_MS = 20;

/**
 * Measures by how much the heartbeat of the process is late, one that is overdue now included: an operation may end within the
 * code that blocks the event loop. Node's histogram of delays knows only timers that were called, and after each reset it
 * misses the first one.
 */
export class LoopDelay {
  private isMeasuring = false;
  /** The last beat, how long the event loop had been idle until then, and when the next one is due. */
  private calledAt = 0;
  private dueAt = 0;
  private idleMs = 0;
  private longestMs = 0;

  start(): void {
    const now = performance.now();
    this.turn(now, now + HEARTBEAT_MS);
    this.isMeasuring = true;
    heartbeat().add(this.listener);
  }

  stop(): void {
    this.isMeasuring = false;
    heartbeat().remove(this.listener);
  }

  /**
   * The longest delay since the last {@link reset}, in milliseconds; 0 while it is stopped.
   * @param from counts of the current delay only what follows, on the clock of `performance.now()`
   */
  max(from = 0): number {
    if (!this.isMeasuring) return 0;
    const now = performance.now();
    return Math.max(this.longestMs, Math.min(this.delay(now), now - from));
  }

  /** Starts a new period. A delay that lasts belongs to it, too. */
  reset(): void {
    this.longestMs = 0;
  }

  private readonly listener: HeartbeatListener = {
    beat: (now, dueAt) => {
      this.longestMs = Math.max(this.longestMs, this.delay(now));
      this.turn(now, dueAt);
    },
    woken: (_now, dueAt) => {
      this.dueAt = dueAt;
    },
  };

  private turn(now: number, dueAt: number): void {
    this.calledAt = now;
    this.dueAt = dueAt;
    this.idleMs = loopIdleMs();
  }

  /**
   * By how much the heartbeat is late. If that is a block, it may have begun before the heartbeat was due: at most all of the time
   * since the last call in which the event loop was not idle. While the heartbeat rests, a block may also have ended before.
   */
  private delay(now: number): number {
    const ownMs = ownPauseMs(this.calledAt, now);
    const lateMs = now - this.dueAt - ownMs;
    const isResting = this.dueAt > this.calledAt + HEARTBEAT_MS;
    if (lateMs < BLOCKED_MS && !isResting) return Math.max(0, lateMs);
    const busyMs = now - this.calledAt - ownMs - (loopIdleMs() - this.idleMs);
    return busyMs < BLOCKED_MS ? Math.max(0, lateMs) : Math.max(lateMs, busyMs);
  }
}
