import { type AsyncHook, AsyncResource, createHook } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
// Not the globals, which a test of the application may have replaced.
import { clearInterval, setInterval } from 'node:timers';
import { loopIdleMs } from '../process/loop-idle.js';
import type { ExecutionLog } from './execution-log.js';

/** How often the tracker decides, while several requests run, whether it tracks. */
const PERIOD_MS = 50;
/** Maximum nesting of callbacks. */
const MAX_DEPTH = 64;
/** The loop counts as busy if it was busy for this share of a period. */
const BUSY = 0.8;

/**
 * Separates the code of concurrent requests: while it tracks, it leaves a mark in {@link ExecutionLog} whenever a callback
 * starts whose span differs from that of the previous one.
 *
 * Tracking costs a few microseconds per request, and most of the time it would find nothing. So it tracks only while the
 * event loop is busy, at least two requests run, and one of them has run for at least a whole period: short requests alone
 * never start it.
 */
export class ContextTracker {
  /** Running requests by the period in which they started. */
  private startedThisPeriod = 0;
  private startedLastPeriod = 0;
  private older = 0;
  /** The sum of their numbers: if one runs, this is its number. */
  private numbers = 0;
  private tracking = false;
  private timer: NodeJS.Timeout | undefined;
  private periodStart = 0;
  private idleAtPeriodStart = 0;
  private readonly hook: AsyncHook;
  /** The number that each running callback has replaced: callbacks nest where a library binds one. */
  private readonly replaced: number[] = [];
  /** Without it, the timer would keep the context of the request that starts it. */
  private readonly outside = new AsyncResource('nestjs-performance.tracker');
  /** Requests of earlier periods belong to an earlier tracker and are not counted. */
  private readonly firstPeriod: number;

  /**
   * @param active returns the number of the span in the current context, 0 if there is none
   * @param period the first period; higher than those of an earlier tracker, whose requests may still run
   */
  constructor(
    private readonly executionLog: ExecutionLog,
    private readonly active: () => number,
    private period = 1,
  ) {
    this.firstPeriod = period;
    // An error in a hook would end the process.
    this.hook = createHook({
      before: () => this.safely(this.enter),
      after: () => this.safely(this.leave),
    });
  }

  /**
   * Counts a request that starts, or a part that runs beside another part of the same request.
   * @param number of the request; 0 for a part
   * @returns the period to pass to {@link ended}
   */
  started(now: number, number: number): number {
    this.startedThisPeriod++;
    this.numbers += number;
    this.updateExactness();
    const { period } = this;
    if (this.running === 1) this.beginPeriod(now, loopIdleMs());
    else {
      this.timer ??= this.startTimer();
      if (now - this.periodStart >= PERIOD_MS) this.endPeriod(now);
    }
    return period;
  }

  /** Removes a request or part that has ended, or whose end nobody awaits. */
  ended(startedInPeriod: number, number: number): void {
    if (startedInPeriod < this.firstPeriod) return;
    this.numbers -= number;
    if (startedInPeriod === this.period) this.startedThisPeriod--;
    else if (startedInPeriod === this.period - 1) this.startedLastPeriod--;
    else this.older--;
    this.updateExactness();
  }

  /** The number of the running request if exactly one runs, else 0. */
  get only(): number {
    return this.running === 1 ? this.numbers : 0;
  }

  get running(): number {
    return this.startedThisPeriod + this.startedLastPeriod + this.older;
  }

  /** Stops tracking. Running requests may still call {@link ended}. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.setTracking(false, performance.now());
  }

  /** The first period for the next tracker. */
  get nextPeriod(): number {
    return this.period + 1;
  }

  private startTimer(): NodeJS.Timeout {
    return this.outside.runInAsyncScope(setInterval, undefined, () => this.tick(), PERIOD_MS).unref();
  }

  private tick(): void {
    if (this.running < 2) {
      this.stop();
      return;
    }
    const now = performance.now();
    // A request that started may have ended the period just before; another end would make all requests older at once.
    if (now - this.periodStart >= PERIOD_MS / 2) this.endPeriod(now);
    // The loop has turned, so the last mark no longer names the running code unless each callback leaves one.
    if (!this.tracking) this.executionLog.mark(0, now);
  }

  private endPeriod(now: number): void {
    const idle = loopIdleMs();
    const busy = 1 - (idle - this.idleAtPeriodStart) / (now - this.periodStart);
    this.beginPeriod(now, idle);
    this.setTracking(busy >= BUSY && this.older > 0, now);
  }

  private beginPeriod(now: number, idle: number): void {
    this.periodStart = now;
    this.idleAtPeriodStart = idle;
    this.older += this.startedLastPeriod;
    this.startedLastPeriod = this.startedThisPeriod;
    this.startedThisPeriod = 0;
    this.period++;
  }

  private setTracking(on: boolean, now: number): void {
    if (on === this.tracking) return;
    this.tracking = on;
    this.replaced.length = 0;
    this.updateExactness();
    if (on) this.hook.enable();
    else this.hook.disable();
    // The next callback leaves the next mark.
    this.executionLog.mark(on ? 0 : this.only, now);
  }

  private updateExactness(): void {
    this.executionLog.exact = this.tracking || this.running <= 1;
  }

  private safely(step: () => void): void {
    try {
      step();
    } catch {
      this.setTracking(false, performance.now());
    }
  }

  private readonly enter = (): void => {
    const { executionLog, replaced } = this;
    // A callback that throws is never left, and must not make the list grow.
    if (replaced.length >= MAX_DEPTH) replaced.length = 0;
    replaced.push(executionLog.current);
    const number = this.active();
    if (number !== executionLog.current) executionLog.mark(number, performance.now());
  };

  private readonly leave = (): void => {
    const { executionLog, replaced } = this;
    const number = replaced.pop();
    // After the outermost callback the next one leaves its own mark.
    if (number === undefined || replaced.length === 0 || number === executionLog.current) return;
    executionLog.mark(number, performance.now());
  };
}
