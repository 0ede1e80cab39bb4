import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setInterval } from 'node:timers';
import { processWide } from '../async/process-wide.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { loopIdleMs } from './loop-idle.js';

/** Milliseconds between two beats. A wake-up is cheap, and a longer interval would measure short stalls less exactly. */
export const HEARTBEAT_MS = 25;
/** Beats between which the event loop was busy for longer are not quiet. */
const QUIET_MS = 5;
/** The same while it rests: beats are further apart, and this package's own work, from time to time, must not end the rest. */
const QUIET_AT_REST_MS = 20;
/** The longer it is quiet, the less often it beats: the milliseconds after which an interval applies, the longest first. */
const RESTS = [
  { afterMs: 30_000, intervalMs: 500 },
  { afterMs: 100, intervalMs: 100 },
] as const;
/** The name of the function that beats. Set as a property, because minifiers rename functions. */
export const HEARTBEAT = 'nestjsPerformanceHeartbeat';

/** Times are those of `performance.now()`. Its methods must not throw. */
export interface HeartbeatListener {
  /** The event loop turned. */
  beat(now: number, dueAt: number): void;
  /** The next beat is due earlier than it was, because something starts that is measured. */
  woken(now: number, dueAt: number): void;
}

/**
 * The one timer of the process that shows how late timers are, for everything that measures it: each timer of its own would
 * wake an idle process as often again. It runs while somebody listens, and does not keep the process alive.
 *
 * While nothing runs that is measured, it rests: it beats less often until {@link wake}, or until the event loop is busy.
 */
export class Heartbeat {
  /** Whether something runs that is measured. Set by what knows that: until then, it does not rest. */
  isNeeded: () => boolean = () => true;
  private readonly listeners = new Set<HeartbeatListener>();
  private timer: NodeJS.Timeout | undefined;
  /** Milliseconds until the next beat. */
  intervalMs: number = HEARTBEAT_MS;
  private quietSince = 0;
  /** At the last beat. */
  private beatAt = 0;
  private idleMs = 0;
  private readonly called = Object.defineProperty(() => this.beat(), 'name', { value: HEARTBEAT });

  add(listener: HeartbeatListener): void {
    this.listeners.add(listener);
    if (this.timer === undefined) this.beatEvery(HEARTBEAT_MS);
    else this.wake();
  }

  remove(listener: HeartbeatListener): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.intervalMs = HEARTBEAT_MS;
  }

  get isResting(): boolean {
    return this.intervalMs > HEARTBEAT_MS;
  }

  /** Something starts that is measured. */
  wake(): void {
    if (!this.isResting) return;
    const now = performance.now();
    this.quietSince = now;
    this.beatEvery(HEARTBEAT_MS);
    for (const listener of this.listeners) listener.woken(now, now + HEARTBEAT_MS);
  }

  private beat(): void {
    const measured = meter.enter(COST.heartbeat);
    try {
      const now = performance.now();
      this.adapt(now);
      for (const listener of this.listeners) listener.beat(now, now + this.intervalMs);
    } finally {
      meter.leave(COST.heartbeat, measured);
    }
  }

  private adapt(now: number): void {
    const idleMs = loopIdleMs();
    const busyMs = now - this.beatAt - (idleMs - this.idleMs);
    this.beatAt = now;
    this.idleMs = idleMs;
    const quietUntilMs = this.isResting ? QUIET_AT_REST_MS : QUIET_MS;
    if (busyMs > quietUntilMs || this.isNeeded()) this.quietSince = now;
    const quietMs = now - this.quietSince;
    const { intervalMs } = RESTS.find(({ afterMs }) => quietMs >= afterMs) ?? { intervalMs: HEARTBEAT_MS };
    if (intervalMs !== this.intervalMs) this.beatEvery(intervalMs);
  }

  private beatEvery(intervalMs: number): void {
    this.intervalMs = intervalMs;
    clearInterval(this.timer);
    this.timer = setInterval(this.called, intervalMs).unref();
  }
}

/** The heartbeat of this process, which several modules share. */
export function heartbeat(): Heartbeat {
  return processWide('heartbeat', () => new Heartbeat());
}
