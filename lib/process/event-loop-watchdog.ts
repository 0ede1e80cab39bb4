import { type EventLoopObserver, eventLoopObserver } from './event-loop-observer.js';
import type { Stall } from './stall.js';

export interface WatchdogStatus {
  /** `degraded`: stalls are measured, but their stacks cannot be captured. */
  readonly state: 'on' | 'degraded' | 'off';
  readonly reason?: string;
  /** Captured stacks. */
  readonly captures: number;
  /** Blocks without a stack: too soon after others, or over before the capture. */
  readonly skipped: number;
}

export interface WatchdogOptions {
  readonly enabled: boolean;
  /** The length in milliseconds from which a stall counts as a block. */
  readonly limitMs: number;
}

const NONE: readonly Stall[] = [];

/** Reports when the event loop of this process was blocked, by which code, and in which operation. */
export class EventLoopWatchdog {
  private readonly listeners = new Set<(block: Stall) => void>();
  private observer: EventLoopObserver | undefined;
  private failure: string | undefined;
  private readonly listener: { readonly limitMs: number; ended(stall: Stall): void };

  constructor(private readonly options: WatchdogOptions) {
    const { limitMs } = options;
    this.listener = { limitMs, ended: (stall) => this.ended(stall) };
  }

  /** Never throws. {@link status} says why it is off. */
  start(): void {
    if (this.observer !== undefined || !this.wanted) return;
    try {
      const observer = eventLoopObserver();
      observer.add(this.listener);
      this.observer = observer;
      this.failure = undefined;
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  stop(): void {
    this.observer?.remove(this.listener);
    this.observer = undefined;
  }

  /** The number of the watching thread at the operating system; 0 where there is none or it is unknown. */
  get thread(): number {
    return this.observer?.thread.number ?? 0;
  }

  get status(): WatchdogStatus {
    const { observer } = this;
    if (observer === undefined) return { state: 'off', reason: this.offReason(), captures: 0, skipped: 0 };
    const { captures, skipped } = observer;
    const { reason } = observer.thread;
    if (reason === undefined) return { state: 'on', captures, skipped };
    return { state: 'degraded', reason, captures, skipped };
  }

  /** Stalls of any length that overlap an interval of `performance.now()`, oldest first. */
  stallsWithin(from: number, to: number): readonly Stall[] {
    return this.observer?.stallsWithin(from, to) ?? NONE;
  }

  /** Stacks captured within an interval while the loop turned without rest, oldest first. */
  momentsWithin(from: number, to: number): readonly Stall[] {
    return this.observer?.momentsWithin(from, to) ?? NONE;
  }

  /** The longest delay of the event loop within an interval, in milliseconds; 0 if none was noticeable. */
  longestStallMs(from: number, to: number): number {
    let longest = 0;
    for (const { startedAt, endedAt, isOwn } of this.stallsWithin(from, to))
      if (isOwn !== true) longest = Math.max(longest, Math.min(to, endedAt) - Math.max(from, startedAt));
    return longest;
  }

  /** Calls the listener once for each block, after its end. Returns the function that removes the listener. */
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
        // An error in one listener must not reach the others or the application.
      }
    }
  }

  private get wanted(): boolean {
    const { enabled, limitMs } = this.options;
    return enabled && Number.isFinite(limitMs) && limitMs > 0;
  }

  private offReason(): string {
    if (!this.options.enabled) return 'disabled';
    if (!this.wanted) return `invalid limitMs: received ${this.options.limitMs}, expected a number above 0`;
    return this.failure ?? 'not started';
  }
}
