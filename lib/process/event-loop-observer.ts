import { performance } from 'node:perf_hooks';
import { isOwnPause, type OwnPause, onOwnPause } from '../async/own-pauses.js';
import { existingProcessWide, processWide } from '../async/process-wide.js';
import { blockingStack } from './blocking-stack.js';
import { CaptureThread } from './capture-thread.js';
import { HEARTBEAT, HEARTBEAT_MS, heartbeat } from './heartbeat.js';
import { loopIdleMs } from './loop-idle.js';
import type { BlockingOperation, Stall } from './stall.js';
import { StallRing } from './stall-ring.js';
import { threadClock } from './thread-clock.js';

/** A smaller delay of the heartbeat is no stall. */
const LATE_MS = 20;
const KEPT = 256;
/** A stall during which the process was stopped for this share of the time is no work of the application. */
const FROZEN_SHARE = 0.8;

/** What keeps the loop while this package captures a profile or reads source maps. */
const OWN_WORK: BlockingOperation = {
  type: 'internal',
  name: 'nestjs-performance',
  traceId: '',
  spanId: '',
  rootSpanId: '',
  rootType: 'internal',
  rootName: 'nestjs-performance',
};

/** A subscriber to stalls. */
export interface StallListener {
  /** Stalls of at least this length have their stack captured. */
  readonly limitMs: number;
  /** Called after each stall of any length. */
  ended(stall: Stall): void;
}

/**
 * Watches the event loop of the process for all listeners, with the heartbeat and one thread. A late heartbeat measures a
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
  private isWatching = false;
  private lastBeat = 0;
  private readonly clock = threadClock();
  private cpuAtBeat = 0;
  private runDelayAtBeat = 0;
  private ignoring: (() => void) | undefined;
  private ownEndedAt = Number.NEGATIVE_INFINITY;
  private captured: Pick<Stall, 'stack' | 'operation'> | undefined;

  add(listener: StallListener): void {
    this.listeners.add(listener);
    if (this.isWatching) {
      this.thread.setLimit(this.limitMs());
      return;
    }
    this.isWatching = true;
    this.mark(performance.now());
    heartbeat().add(this.beat);
    this.ignoring = onOwnPause((pause) => this.paused(pause));
    this.thread.start(this.lastBeat, this.limitMs());
  }

  remove(listener: StallListener): void {
    if (!this.listeners.delete(listener)) return;
    if (this.listeners.size > 0) {
      this.thread.setLimit(this.limitMs());
      return;
    }
    this.isWatching = false;
    heartbeat().remove(this.beat);
    this.ignoring?.();
    this.captured = undefined;
    this.thread.stop();
  }

  /** Stalls that overlap an interval, oldest first, including the current one if a heartbeat is overdue. */
  stallsWithin(from: number, to: number): readonly Stall[] {
    const found = this.stalls.within(from, to);
    if (!this.isWatching) return found;
    const now = performance.now();
    const due = this.lastBeat + HEARTBEAT_MS;
    if (due < to && now > from && this.isStall(now)) found.push(this.stall(now));
    return found;
  }

  /** Stacks captured within an interval while the loop turned without rest, oldest first. */
  momentsWithin(from: number, to: number): readonly Stall[] {
    return this.moments.within(from, to);
  }

  /** @param now when the loop turned, or was taken over by this package */
  private readonly beat = (now: number): void => {
    const stall = this.isStall(now) ? this.stall(now) : undefined;
    const limitMs = stall === undefined ? 0 : this.limitMs();
    this.restart(now);
    if (stall === undefined) return;
    this.stalls.add(stall);
    if (stall.stack === undefined && stall.endedAt - stall.startedAt >= limitMs) this.skipped++;
    for (const listener of this.listeners) listener.ended(stall);
  };

  private restart(now: number): void {
    this.mark(now);
    this.captured = undefined;
    this.thread.beat(now, loopIdleMs());
  }

  /** This package kept the loop: what the application did before and after it are stalls of their own. */
  private paused({ startedAt, endedAt }: OwnPause): void {
    this.beat(startedAt);
    this.stalls.add({ startedAt, endedAt, operation: OWN_WORK, isOwn: true });
    this.restart(endedAt);
    this.ownEndedAt = endedAt;
  }

  /** A heartbeat, or the start. */
  private mark(now: number): void {
    this.lastBeat = now;
    this.clock.read();
    this.cpuAtBeat = this.clock.cpuMs;
    this.runDelayAtBeat = this.clock.runDelayMs;
  }

  private isStall(now: number): boolean {
    if (now - this.lastBeat - HEARTBEAT_MS < LATE_MS) return false;
    return this.thread.frozenMs(now) < (now - this.lastBeat) * FROZEN_SHARE;
  }

  private stall(now: number): Stall {
    const { clock } = this;
    clock.read();
    return {
      startedAt: this.lastBeat + HEARTBEAT_MS,
      endedAt: now,
      cpuMs: clock.cpuMs - this.cpuAtBeat,
      ...(clock.isExact ? { runDelayMs: clock.runDelayMs - this.runDelayAtBeat } : {}),
      ...this.captured,
    };
  }

  /** The inspector calls this within the code that blocks the loop, or within the code that follows. */
  private capture(): void {
    if (!this.isWatching || isOwnPause()) return;
    // It was requested during a pause of this package.
    if (performance.now() - this.ownEndedAt < HEARTBEAT_MS) return;
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
