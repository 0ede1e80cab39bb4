import { performance } from 'node:perf_hooks';
import { isOwnPause, type OwnPause, onOwnPause } from '../async/own-pauses.js';
import { existingProcessWide, processWide } from '../async/process-wide.js';
import { blockingStack } from './blocking-stack.js';
import { CaptureThread } from './capture-thread.js';
import { HEARTBEAT, HEARTBEAT_MS, type HeartbeatListener, heartbeat } from './heartbeat.js';
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
  private readonly listener: HeartbeatListener = {
    beat: (now, dueAt) => this.beat(now, dueAt),
    woken: (now, dueAt) => this.woken(now, dueAt),
  };
  private isWatching = false;
  private lastBeat = 0;
  /** When the next beat is due. */
  private dueAt = 0;
  private idleAtBeat = 0;
  private readonly clock = threadClock();
  private cpuAtBeat = 0;
  private runDelayAtBeat = 0;
  private ignoring: (() => void) | undefined;
  private ownEndedAt = Number.NEGATIVE_INFINITY;
  private captured: Pick<Stall, 'stack' | 'operation'> | undefined;
  /** Whether that is the stack of a stall: captured after the beat was overdue. */
  private isOfStall = false;

  add(listener: StallListener): void {
    this.listeners.add(listener);
    if (this.isWatching) {
      this.thread.setLimit(this.limitMs());
      return;
    }
    this.isWatching = true;
    const now = performance.now();
    this.mark(now, now + HEARTBEAT_MS);
    heartbeat().add(this.listener);
    this.ignoring = onOwnPause((pause) => this.paused(pause));
    this.thread.start(now, this.limitMs());
  }

  remove(listener: StallListener): void {
    if (!this.listeners.delete(listener)) return;
    if (this.listeners.size > 0) {
      this.thread.setLimit(this.limitMs());
      return;
    }
    this.isWatching = false;
    heartbeat().remove(this.listener);
    this.ignoring?.();
    this.captured = undefined;
    this.isOfStall = false;
    this.thread.stop();
  }

  /** Stalls that overlap an interval, oldest first, including the current one if a heartbeat is overdue. */
  stallsWithin(from: number, to: number): readonly Stall[] {
    const found = this.stalls.within(from, to);
    if (!this.isWatching) return found;
    const now = performance.now();
    if (this.dueAt < to && now > from && this.isStall(now)) found.push(this.stall(now));
    return found;
  }

  /** Stacks captured within an interval while the loop turned without rest, oldest first. */
  momentsWithin(from: number, to: number): readonly Stall[] {
    return this.moments.within(from, to);
  }

  /** @param now when the loop turned, or was taken over by this package */
  private beat(now: number, dueAt: number): void {
    const stall = this.isStall(now) ? this.stall(now) : undefined;
    const limitMs = stall === undefined ? 0 : this.limitMs();
    this.restart(now, dueAt);
    if (stall === undefined) return;
    this.stalls.add(stall);
    if (stall.stack === undefined && stall.endedAt - stall.startedAt >= limitMs) this.skipped++;
    for (const listener of this.listeners) listener.ended(stall);
  }

  private woken(now: number, dueAt: number): void {
    // An overdue beat remains so.
    if (this.dueAt > now) this.dueAt = dueAt;
    this.thread.beat(now, loopIdleMs());
  }

  private restart(now: number, dueAt: number): void {
    this.mark(now, dueAt);
    this.captured = undefined;
    this.isOfStall = false;
    // As a sum, which is exact: a difference of the same numbers is not.
    if (dueAt > now + HEARTBEAT_MS) this.thread.rest(dueAt + LATE_MS, this.idleAtBeat);
    else this.thread.beat(now, this.idleAtBeat);
  }

  /** This package kept the loop: what the application did before and after it are stalls of their own. */
  private paused({ startedAt, endedAt }: OwnPause): void {
    // The timer goes on, which may rest.
    const dueAt = Math.max(this.dueAt, endedAt + HEARTBEAT_MS);
    this.beat(startedAt, dueAt);
    this.stalls.add({ startedAt, endedAt, operation: OWN_WORK, isOwn: true });
    this.restart(endedAt, dueAt);
    this.ownEndedAt = endedAt;
  }

  /** A heartbeat, or the start. */
  private mark(now: number, dueAt: number): void {
    this.lastBeat = now;
    this.dueAt = dueAt;
    this.idleAtBeat = loopIdleMs();
    this.clock.read();
    this.cpuAtBeat = this.clock.cpuMs;
    this.runDelayAtBeat = this.clock.runDelayMs;
  }

  private isStall(now: number): boolean {
    if (now - this.dueAt < LATE_MS) return false;
    return this.thread.frozenMs(now) < (now - this.lastBeat) * FROZEN_SHARE;
  }

  private stall(now: number): Stall {
    const { clock } = this;
    clock.read();
    return {
      startedAt: this.beganAt(now),
      endedAt: now,
      cpuMs: clock.cpuMs - this.cpuAtBeat,
      ...(clock.isExact ? { runDelayMs: clock.runDelayMs - this.runDelayAtBeat } : {}),
      ...this.captured,
    };
  }

  /** When a stall began: when the heartbeat was due; or before, while it rests, by the time in which the loop was busy. */
  private beganAt(now: number): number {
    const latest = this.lastBeat + HEARTBEAT_MS;
    if (this.dueAt <= latest) return latest;
    const busyMs = now - this.lastBeat - (loopIdleMs() - this.idleAtBeat);
    return Math.min(this.dueAt, Math.max(latest, now - busyMs));
  }

  /** The inspector calls this within the code that blocks the loop, or within the code that follows. */
  private capture(): void {
    if (!this.isWatching || isOwnPause()) return;
    // It was requested during a pause of this package.
    if (performance.now() - this.ownEndedAt < HEARTBEAT_MS) return;
    const stack = blockingStack(this.thread.entry, HEARTBEAT);
    if (stack === undefined) return;
    this.captures++;
    const now = performance.now();
    // A heartbeat that is woken while it is overdue lets the thread look again, and the code that follows a block did not block.
    if (this.isOfStall) return;
    this.isOfStall = this.isStall(now);
    // Kept also while nothing is blocked yet: the code that runs now may go on to block.
    this.captured = { stack, operation: activeOperation() };
    if (!this.isOfStall) this.moments.add({ startedAt: now, endedAt: now, ...this.captured });
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
