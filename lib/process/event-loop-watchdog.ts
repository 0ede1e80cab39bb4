import { type EventLoopObserver, eventLoopObserver } from './event-loop-observer.js';
import type { Stall } from './stall.js';

export interface WatchdogStatus {
  /** `degraded`: stalls are measured, and what blocks is not seen. */
  readonly state: 'on' | 'degraded' | 'off';
  readonly reason?: string;
  /** Stacks that were taken. */
  readonly captures: number;
  /** Blocks that ended without one: too soon after others, or over before they were caught. */
  readonly skipped: number;
}

export interface WatchdogOptions {
  readonly enabled: boolean;
  /** A stall of at least so many milliseconds is a block. */
  readonly limitMs: number;
}

const NONE: readonly Stall[] = [];

/** Tells when the event loop of this process stopped, by which code, and in which operation. */
export class EventLoopWatchdog {
  private readonly listeners = new Set<(block: Stall) => void>();
  private observer: EventLoopObserver | undefined;
  private failure: string | undefined;
  private readonly seat: { readonly limitMs: number; ended(stall: Stall): void };

  constructor(private readonly options: WatchdogOptions) {
    const { limitMs } = options;
    this.seat = { limitMs, ended: (stall) => this.ended(stall) };
  }

  /** Never throws: an application without a watchdog is better than none. */
  start(): void {
    if (this.observer !== undefined || !this.wanted) return;
    try {
      const observer = eventLoopObserver();
      observer.add(this.seat);
      this.observer = observer;
      this.failure = undefined;
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  stop(): void {
    this.observer?.remove(this.seat);
    this.observer = undefined;
  }

  get status(): WatchdogStatus {
    const { observer } = this;
    if (observer === undefined) return { state: 'off', reason: this.whyOff(), captures: 0, skipped: 0 };
    const { captures, skipped } = observer;
    const { reason } = observer.thread;
    if (reason === undefined) return { state: 'on', captures, skipped };
    return { state: 'degraded', reason, captures, skipped };
  }

  /** Stalls of any length that overlap an interval of `performance.now()`, the oldest first. */
  stallsWithin(from: number, to: number): readonly Stall[] {
    return this.observer?.stallsWithin(from, to) ?? NONE;
  }

  /** What was seen to run at moments of an interval, while the loop turned and never rested. */
  momentsWithin(from: number, to: number): readonly Stall[] {
    return this.observer?.momentsWithin(from, to) ?? NONE;
  }

  /** Hears of each block once, after it ended. Returns what ends that. */
  onBlock(listener: (block: Stall) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private ended(stall: Stall): void {
    if (stall.endedAt - stall.startedAt < this.options.limitMs) return;
    for (const listener of this.listeners) {
      try {
        listener(stall);
      } catch {
        // A fault of one listener is no matter of the others, and none of the application.
      }
    }
  }

  private get wanted(): boolean {
    const { enabled, limitMs } = this.options;
    return enabled && Number.isFinite(limitMs) && limitMs > 0;
  }

  private whyOff(): string {
    if (!this.options.enabled) return 'disabled';
    if (!this.wanted) return `no limit: limitMs is ${this.options.limitMs}`;
    return this.failure ?? 'not started';
  }
}
