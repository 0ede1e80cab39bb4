import { AsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
// Not the globals, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { asOwnPause } from '../async/own-pauses.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { samplingBegins } from '../process/loop-idle.js';
import { bytesOf, type Sampler, type SampleWindow } from './sample-window.js';

/** Duration of a window. The end of a longer window blocks for longer; shorter windows end more often. */
const WINDOW_MS = 2000;
/** Minimum duration of a window that ends early because a slow operation waits for it. */
const MIN_WINDOW_MS = 500;
/** Minimum duration as a multiple of how long the last end of a window took, so that the cost stays low. */
const MIN_WINDOWS_COST = 50;
/** Maximum number of waiting callers; further ones get no samples. */
const MAX_WAITING = 32;

/** Status of the ring of profiles. */
export interface ProfileRingStatus {
  /** `paused`: a debugger is attached; sampling resumes when it detaches. `off`: see the reason. */
  state: 'on' | 'paused' | 'off';
  reason?: string;
  sampler?: Sampler['name'];
  /** Milliseconds between two samples. */
  intervalMs?: number;
  /** The number of windows kept, the seconds that they cover, and their memory. */
  windows: number;
  seconds: number;
  bytes: number;
}

export interface ProfileRingOptions {
  readonly intervalMs: number;
  readonly keepMs: number;
  readonly maxBytes: number;
}

/** CPU samples of the recent past of this thread in bounded memory: the oldest are dropped first. */
export class ProfileRing {
  private readonly windows: { readonly window: SampleWindow; readonly bytes: number }[] = [];
  private bytes = 0;
  private sampling = false;
  private samplingEnds: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private begunAt = 0;
  private minWindowMs = MIN_WINDOW_MS;
  private paused: string | undefined;
  /** Why it has to pause. */
  private held: string | undefined;
  private maxBytes: number;
  private failure: string | undefined = 'not started';
  /** Without it, the timer would keep the context of the request that starts it, forever. */
  private readonly outside = new AsyncResource('nestjs-performance.ring');
  private waiting: { readonly at: number; readonly settle: (windows: boolean) => void }[] = [];

  constructor(
    private readonly options: ProfileRingOptions,
    private readonly sampler: Sampler,
  ) {
    this.maxBytes = options.maxBytes;
  }

  /** Never throws. {@link status} says why it is off. */
  start(): void {
    if (this.timer !== undefined) return;
    this.failure = undefined;
    this.begin();
    if (this.failure === undefined) this.schedule(WINDOW_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.end();
    this.failure = 'stopped';
    this.clear();
  }

  /** Pauses sampling within a window's time for a reason, or resumes it. The windows are kept. */
  hold(reason: string | undefined): void {
    this.held = reason;
  }

  /** Keeps up to this many bytes, at most those of its options. */
  limit(bytes: number): void {
    this.maxBytes = Math.min(bytes, this.options.maxBytes);
    this.dropOldest(Number.NEGATIVE_INFINITY);
  }

  private get obstacle(): string | undefined {
    return this.held ?? this.sampler.obstacle?.();
  }

  /** The windows that overlap an interval of `performance.now()`, oldest first. Does not include the current window. */
  within(from: number, to: number): SampleWindow[] {
    return this.windows
      .map(({ window }) => window)
      .filter(({ startedAt, endedAt }) => endedAt > from && startedAt < to);
  }

  /** The start of the oldest window. */
  get oldestAt(): number {
    return this.windows[0]?.window.startedAt ?? this.begunAt;
  }

  /** Resolves with true once the samples until `at` are available, with false if they will not be. */
  settled(at: number): Promise<boolean> {
    if (!this.sampling || this.waiting.length >= MAX_WAITING) return Promise.resolve(false);
    if (at <= this.begunAt) return Promise.resolve(true);
    if (this.waiting.length === 0) {
      this.schedule(Math.max(0, this.begunAt + this.minWindowMs - performance.now()));
    }
    return new Promise((settle) => this.waiting.push({ at, settle }));
  }

  /** Ends the current window now, as at the end of the process. */
  settleNow(): void {
    if (this.sampling) this.rotate();
  }

  /** Whether the code that runs now is sampled and can be requested later. */
  get isSampling(): boolean {
    return this.sampling && this.waiting.length < MAX_WAITING;
  }

  get status(): ProfileRingStatus {
    const { sampler, sampling, windows, bytes } = this;
    const reason = this.failure ?? this.paused;
    return {
      state: this.failure !== undefined ? 'off' : this.paused !== undefined ? 'paused' : 'on',
      ...(reason === undefined ? {} : { reason }),
      ...(sampling ? { sampler: sampler.name, intervalMs: this.options.intervalMs } : {}),
      windows: windows.length,
      seconds: windows.length === 0 ? 0 : Math.round((performance.now() - this.oldestAt) / 1000),
      bytes,
    };
  }

  private begin(): void {
    try {
      this.paused = this.obstacle;
      if (this.paused !== undefined) return;
      this.begunAt = performance.now();
      meter.measure(COST.profiling, () => asOwnPause(() => this.sampler.start()));
      this.sampling = true;
      this.samplingEnds = samplingBegins();
    } catch (error) {
      this.failed(error);
    }
  }

  private end(): void {
    if (!this.sampling) return;
    this.sampling = false;
    this.samplingEnds?.();
    try {
      asOwnPause(() => this.sampler.stop());
    } catch {
      // A sampler that fails to stop has ended as well.
    }
    this.settle(Number.NEGATIVE_INFINITY);
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    this.timer = this.outside.runInAsyncScope(setTimeout, undefined, () => this.onTimer(), ms);
    this.timer.unref();
  }

  private onTimer(): void {
    try {
      this.resumeOrPause(this.obstacle);
    } catch (error) {
      this.failed(error);
    }
  }

  private resumeOrPause(obstacle: string | undefined): void {
    if (!this.sampling) {
      if (obstacle === undefined) this.begin();
    } else if (obstacle === undefined) this.rotate();
    else {
      this.end();
      this.paused = obstacle;
    }
    if (this.failure === undefined) this.schedule(WINDOW_MS);
  }

  private rotate(): void {
    try {
      const begunAt = performance.now();
      const window = meter.measure(COST.profiling, () => asOwnPause(() => this.sampler.rotate()));
      this.minWindowMs = Math.max(MIN_WINDOW_MS, MIN_WINDOWS_COST * (performance.now() - begunAt));
      this.begunAt = begunAt;
      this.keep(window);
      this.settle(window.endedAt);
    } catch (error) {
      this.failed(error);
    }
  }

  private keep(window: SampleWindow): void {
    const bytes = bytesOf(window);
    this.windows.push({ window, bytes });
    this.bytes += bytes;
    this.dropOldest(window.endedAt - this.options.keepMs);
  }

  private dropOldest(oldest: number): void {
    // The newest is kept regardless of its size: a slow operation may wait for it.
    while (this.windows.length > 1) {
      const first = this.windows[0] as (typeof this.windows)[number];
      if (first.window.endedAt >= oldest && this.bytes <= this.maxBytes) break;
      this.windows.shift();
      this.bytes -= first.bytes;
    }
  }

  private settle(endedAt: number): void {
    const { waiting } = this;
    this.waiting = [];
    const over = endedAt === Number.NEGATIVE_INFINITY;
    for (const one of waiting) {
      if (over || one.at <= endedAt) one.settle(!over);
      else this.waiting.push(one);
    }
  }

  private failed(error: unknown): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.failure = error instanceof Error ? error.message : String(error);
    this.end();
  }

  private clear(): void {
    this.windows.length = 0;
    this.bytes = 0;
  }
}
