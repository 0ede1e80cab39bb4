import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setInterval } from 'node:timers';
import { blockingStack } from './blocking-stack.js';
import { CaptureThread } from './capture-thread.js';
import { cpuTimeMs } from './cpu-time.js';
import { loopIdleMs } from './loop-idle.js';
import { existingProcessWide, processWide } from './process-wide.js';
import type { BlockingOperation, Stall } from './stall.js';
import { StallRing } from './stall-ring.js';

/** Interval of the heartbeat. A timer is cheap, and a longer interval would measure short stalls less exactly. */
const PERIOD_MS = 25;
/** A smaller delay of the heartbeat is no stall. */
const LATE_MS = 20;
const KEPT = 256;
/** A stall during which the process was stopped for this share of the time is no work of the application. */
const FROZEN_SHARE = 0.8;
/** Set as a property, because minifiers rename functions. */
const HEARTBEAT = 'nestjsPerformanceHeartbeat';

/** A subscriber to stalls. */
export interface StallListener {
  /** Stalls of at least this length have their stack captured. */
  readonly limitMs: number;
  /** Called after each stall of any length. */
  ended(stall: Stall): void;
}

/**
 * Watches the event loop of the process for all listeners, with one heartbeat and one thread. A late heartbeat measures a
 * stall; the thread notices a missing heartbeat and captures the stack while the loop is still blocked.
 */
export class EventLoopObserver {
  captures = 0;
  skipped = 0;
  readonly thread = new CaptureThread(() => this.capture());
  private readonly listeners = new Set<StallListener>();
  private readonly stalls = new StallRing(KEPT);
  /** Stacks captured while the loop turned without rest. */
  private readonly moments = new StallRing(KEPT);
  private timer: NodeJS.Timeout | undefined;
  private lastBeat = 0;
  private cpuAtBeat = 0;
  private captured: Pick<Stall, 'stack' | 'operation'> | undefined;

  add(listener: StallListener): void {
    this.listeners.add(listener);
    if (this.timer !== undefined) {
      this.thread.setLimit(this.limitMs());
      return;
    }
    const heartbeat = Object.defineProperty(() => this.beat(), 'name', { value: HEARTBEAT });
    this.lastBeat = performance.now();
    this.cpuAtBeat = cpuTimeMs();
    this.timer = setInterval(heartbeat, PERIOD_MS);
    this.timer.unref();
    this.thread.start(this.lastBeat, this.limitMs());
  }

  remove(listener: StallListener): void {
    if (!this.listeners.delete(listener)) return;
    if (this.listeners.size > 0) {
      this.thread.setLimit(this.limitMs());
      return;
    }
    clearInterval(this.timer);
    this.timer = undefined;
    this.captured = undefined;
    this.thread.stop();
  }

  /** Stalls that overlap an interval, oldest first, including the current one if a heartbeat is overdue. */
  stallsWithin(from: number, to: number): readonly Stall[] {
    const found = this.stalls.within(from, to);
    if (this.timer === undefined) return found;
    const now = performance.now();
    const due = this.lastBeat + PERIOD_MS;
    if (due < to && now > from && this.isStall(now)) found.push(this.stall(now));
    return found;
  }

  /** Stacks captured within an interval while the loop turned without rest, oldest first. */
  momentsWithin(from: number, to: number): readonly Stall[] {
    return this.moments.within(from, to);
  }

  private beat(): void {
    const now = performance.now();
    const stall = this.isStall(now) ? this.stall(now) : undefined;
    const limitMs = stall === undefined ? 0 : this.limitMs();
    this.lastBeat = now;
    this.cpuAtBeat = cpuTimeMs();
    this.captured = undefined;
    this.thread.beat(now, loopIdleMs());
    if (stall === undefined) return;
    this.stalls.add(stall);
    if (stall.stack === undefined && stall.endedAt - stall.startedAt >= limitMs) this.skipped++;
    for (const listener of this.listeners) listener.ended(stall);
  }

  private isStall(now: number): boolean {
    if (now - this.lastBeat - PERIOD_MS < LATE_MS) return false;
    return this.thread.frozenMs(now) < (now - this.lastBeat) * FROZEN_SHARE;
  }

  private stall(now: number): Stall {
    return {
      startedAt: this.lastBeat + PERIOD_MS,
      endedAt: now,
      cpuMs: cpuTimeMs() - this.cpuAtBeat,
      ...this.captured,
    };
  }

  /** The inspector calls this within the code that blocks the loop, or within the code that follows. */
  private capture(): void {
    if (this.timer === undefined) return;
    const stack = blockingStack(this.thread.entry, HEARTBEAT);
    if (stack === undefined) return;
    const now = performance.now();
    // Kept also while nothing is blocked yet: the code that runs now may go on to block.
    this.captured = { stack, operation: activeOperation() };
    if (!this.isStall(now)) this.moments.add({ startedAt: now, endedAt: now, ...this.captured });
    this.captures++;
  }

  private limitMs(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const { limitMs } of this.listeners) lowest = Math.min(lowest, limitMs);
    return lowest;
  }
}

/** The operation whose code runs now, from the tracing runtime of whichever copy of this package is loaded. */
function activeOperation(): BlockingOperation | undefined {
  try {
    const json = existingProcessWide<{ activeOperation(): string }>('runtime')?.activeOperation?.();
    return json ? (JSON.parse(json) as BlockingOperation) : undefined;
  } catch {
    return undefined;
  }
}

/** The observer of this process, which several modules share. */
export function eventLoopObserver(): EventLoopObserver {
  return processWide('event-loop', () => new EventLoopObserver());
}
