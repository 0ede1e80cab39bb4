import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setInterval } from 'node:timers';
import { activeOperation } from './active-operation.js';
import { blockingStack } from './blocking-stack.js';
import { CaptureThread } from './capture-thread.js';
import { loopIdleMs } from './loop-idle.js';
import type { Stall } from './stall.js';
import { StallRing } from './stall-ring.js';

/** From one heartbeat to the next. A timer that is due is cheap, and a coarser one would tell less of a short stall. */
const PERIOD_MS = 25;
/** A heartbeat that is less late than this tells nothing. */
const LATE_MS = 20;
const KEPT = 256;
/** A stall of which the process stood still for this share was no work of the application. */
const FROZEN_SHARE = 0.8;
/** Given as a property, which minifiers leave alone. */
const HEARTBEAT = 'nestjsPerformanceHeartbeat';

/** Who wants to hear of stalls, and from which length on. */
export interface StallListener {
  readonly limitMs: number;
  ended(stall: Stall): void;
}

/**
 * Watches the event loop for all who want to know: one heartbeat and one thread for the process. A heartbeat that
 * comes late has measured a stall; the thread sees it missing and has the stack taken while it is still missing.
 */
export class EventLoopObserver {
  captures = 0;
  skipped = 0;
  readonly thread = new CaptureThread(() => this.capture());
  private readonly listeners = new Set<StallListener>();
  private readonly stalls = new StallRing(KEPT);
  /** What ran at moments at which the loop turned and did not rest. */
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
    this.cpuAtBeat = cpuMs();
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

  /** Stalls that overlap an interval, the present one included where a heartbeat is overdue. */
  stallsWithin(from: number, to: number): readonly Stall[] {
    const found = this.stalls.within(from, to);
    if (this.timer === undefined) return found;
    const now = performance.now();
    const due = this.lastBeat + PERIOD_MS;
    if (due < to && now > from && this.isStall(now)) found.push(this.stall(now));
    return found;
  }

  /** What was seen to run at moments within an interval, while the loop turned and never rested. */
  momentsWithin(from: number, to: number): readonly Stall[] {
    return this.moments.within(from, to);
  }

  private beat(): void {
    const now = performance.now();
    const stall = this.isStall(now) ? this.stall(now) : undefined;
    const limitMs = stall === undefined ? 0 : this.limitMs();
    this.lastBeat = now;
    this.cpuAtBeat = cpuMs();
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
      cpuMs: cpuMs() - this.cpuAtBeat,
      ...this.captured,
    };
  }

  /** Called by the inspector in the middle of what blocks the loop, or of what came after it. */
  private capture(): void {
    if (this.timer === undefined) return;
    const stack = blockingStack(this.thread.entry, HEARTBEAT);
    if (stack === undefined) return;
    const now = performance.now();
    // What runs at a moment may go on to block.
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

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const KEY = Symbol.for('nestjs-performance.event-loop');
const globals = globalThis as { [KEY]?: EventLoopObserver };

/** The one of this process: the ESM and the CommonJS build may both be loaded, and several modules be up. */
export function eventLoopObserver(): EventLoopObserver {
  globals[KEY] ??= new EventLoopObserver();
  return globals[KEY];
}
