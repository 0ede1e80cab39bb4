import { type AsyncHook, AsyncResource, createHook } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setInterval } from 'node:timers';
import { loopIdleMs } from '../process/loop-idle.js';
import type { ExecutionLog } from './execution-log.js';

/** How often it is looked at, while several requests run, whether telling their code apart is worth its price. */
const LOOK_MS = 50;
/** How deep pieces may lie within each other. */
const MAX_DEPTH = 64;
/** A loop that was busy for this share of the time since the last look is held by somebody. */
const BUSY = 0.8;

/**
 * Tells the code of requests apart that run at the same time: leaves a mark in {@link ExecutionLog} at the beginning of
 * each piece of code whose span is another one than that of the piece before.
 *
 * Asking at each piece costs some microseconds a request, and most of the time there is nothing to find out. So it
 * does only while the event loop hardly rests, at least two requests run, and one of them has done so for a while:
 * short requests alone never switch it on.
 */
export class ContextTracker {
  /** Requests that run, by when they began: since the last look, since the look before, and earlier. */
  private young = 0;
  private younger = 0;
  private old = 0;
  /** The sum of their numbers: where one is left, it is that one's. */
  private numbers = 0;
  private tracking = false;
  private timer: NodeJS.Timeout | undefined;
  private lastLook = 0;
  private lastIdle = 0;
  private readonly hook: AsyncHook;
  /** Whose code was left by each piece that runs: pieces lie within others where a library binds a callback. */
  private readonly left: number[] = [];
  /** Its timer would keep the context of the request that happens to set it. */
  private readonly outside = new AsyncResource('nestjs-performance.tracker');

  /** What began before it is not counted. */
  private readonly firstLook: number;

  /**
   * @param active the number of the span whose context is the present one, 0 for none
   * @param looks that an earlier one had, whose requests may still run
   */
  constructor(
    private readonly executionLog: ExecutionLog,
    private readonly active: () => number,
    private looks = 1,
  ) {
    this.firstLook = looks;
    // What throws in a hook ends the process.
    this.hook = createHook({
      before: () => this.safely(this.enter),
      after: () => this.safely(this.leave),
    });
  }

  /**
   * A request begins, or what runs beside another part of the same request.
   * @param number of the request; 0 for a part of one
   * @returns what {@link ended} is to be given
   */
  started(now: number, number: number): number {
    this.younger++;
    this.numbers += number;
    this.executionLog.certain = this.tracking || this.running === 1;
    const look = this.looks;
    if (this.running === 1) this.note(now, loopIdleMs());
    else {
      this.timer ??= this.watch();
      if (now - this.lastLook >= LOOK_MS) this.judge(now);
    }
    return look;
  }

  /** It has ended, or nobody waits for its end. */
  ended(startedAtLook: number, number: number): void {
    if (startedAtLook < this.firstLook) return;
    this.numbers -= number;
    if (startedAtLook === this.looks) this.younger--;
    else if (startedAtLook === this.looks - 1) this.young--;
    else this.old--;
    this.executionLog.certain = this.tracking || this.running <= 1;
  }

  /** The number of the one that runs, where it is the only one; else 0. */
  get only(): number {
    return this.running === 1 ? this.numbers : 0;
  }

  get running(): number {
    return this.younger + this.young + this.old;
  }

  /** Requests that still run may end after it. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.track(false, performance.now());
  }

  /** What the next one is to go on from. */
  get nextLook(): number {
    return this.looks + 1;
  }

  private watch(): NodeJS.Timeout {
    return this.outside.runInAsyncScope(setInterval, undefined, () => this.look(), LOOK_MS).unref();
  }

  private look(): void {
    if (this.running < 2) {
      this.stop();
      return;
    }
    const now = performance.now();
    // A request that begins may have looked just before: what began before that would pass for old at once.
    if (now - this.lastLook >= LOOK_MS / 2) this.judge(now);
    // The loop has turned: whose code goes on is not what the last mark says, unless each piece leaves one.
    if (!this.tracking) this.executionLog.mark(0, now);
  }

  private judge(now: number): void {
    const idle = loopIdleMs();
    const busy = 1 - (idle - this.lastIdle) / (now - this.lastLook);
    this.note(now, idle);
    this.track(busy >= BUSY && this.old > 0, now);
  }

  /** Begins another stretch between two looks. */
  private note(now: number, idle: number): void {
    this.lastLook = now;
    this.lastIdle = idle;
    this.old += this.young;
    this.young = this.younger;
    this.younger = 0;
    this.looks++;
  }

  private track(on: boolean, now: number): void {
    if (on === this.tracking) return;
    this.tracking = on;
    this.left.length = 0;
    this.executionLog.certain = on || this.running <= 1;
    if (on) this.hook.enable();
    else this.hook.disable();
    // Whoever begins, or goes on, leaves the next mark.
    this.executionLog.mark(on ? 0 : this.only, now);
  }

  private safely(step: () => void): void {
    try {
      step();
    } catch {
      this.track(false, performance.now());
    }
  }

  private readonly enter = (): void => {
    const { executionLog, left } = this;
    // A piece that is never left, since it threw, must not make it grow.
    if (left.length >= MAX_DEPTH) left.length = 0;
    left.push(executionLog.current);
    const number = this.active();
    if (number !== executionLog.current) executionLog.mark(number, performance.now());
  };

  private readonly leave = (): void => {
    const { executionLog, left } = this;
    const before = left.pop();
    // After the outermost piece another one begins, and says whose it is.
    if (before === undefined || left.length === 0 || before === executionLog.current) return;
    executionLog.mark(before, performance.now());
  };
}
