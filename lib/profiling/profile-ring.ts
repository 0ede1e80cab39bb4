import { AsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { samplingBegins } from '../process/loop-idle.js';
import { bytesOf, type Sampler, type SampleWindow } from './sample-window.js';

/** How long a window is: a longer one is dearer to end, in one piece; a shorter one is so more often. */
const WINDOW_MS = 2000;
/** When somebody waits for the present window, it ends early, but is at least so long. */
const MIN_WINDOW_MS = 500;
/** And so many times as long as the last end took: it must stay cheap with much to end, too. */
const MIN_WINDOWS_COST = 50;
/** Who waits at a time; beyond, nobody is told. */
const MAX_WAITING = 32;

/** What the ring of profiles is at. */
export interface ProfileRingStatus {
  /** `paused`: a debugger is attached, and the ring goes on when it has gone. `off`: the reason says why. */
  state: 'on' | 'paused' | 'off';
  reason?: string;
  sampler?: Sampler['name'];
  /** Milliseconds from one sample to the next. */
  intervalMs?: number;
  /** What is kept: windows, the seconds of the past that they cover, and the memory that they take. */
  windows: number;
  seconds: number;
  bytes: number;
}

export interface ProfileRingOptions {
  readonly intervalMs: number;
  readonly keepMs: number;
  readonly maxBytes: number;
}

/** The recent past of this thread in CPU samples, within a fixed budget of memory: the oldest gives way. */
export class ProfileRing {
  private readonly windows: { readonly window: SampleWindow; readonly bytes: number }[] = [];
  private bytes = 0;
  private sampling = false;
  private samplingEnds: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private begunAt = 0;
  private minWindowMs = MIN_WINDOW_MS;
  private paused: string | undefined;
  private failure: string | undefined = 'not started';
  /** Its timer would keep the context of a request that happened to set it, and so on for ever. */
  private readonly outside = new AsyncResource('nestjs-performance.ring');
  private waiting: { readonly at: number; readonly tell: (windows: boolean) => void }[] = [];

  constructor(
    private readonly options: ProfileRingOptions,
    private readonly sampler: Sampler,
  ) {}

  /** Never throws: an application without profiles is better than none. */
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
    this.forget();
  }

  /** The windows that overlap an interval of `performance.now()`, the oldest first. The present one is not yet among them. */
  within(from: number, to: number): SampleWindow[] {
    return this.windows
      .map(({ window }) => window)
      .filter(({ startedAt, endedAt }) => endedAt > from && startedAt < to);
  }

  /** When the oldest of what is kept began. */
  get oldestAt(): number {
    return this.windows[0]?.window.startedAt ?? this.begunAt;
  }

  /** Resolves when what ran until `at` can be asked for; with false where it will not be. */
  settled(at: number): Promise<boolean> {
    if (!this.sampling || this.waiting.length >= MAX_WAITING) return Promise.resolve(false);
    if (at <= this.begunAt) return Promise.resolve(true);
    if (this.waiting.length === 0) {
      this.schedule(Math.max(0, this.begunAt + this.minWindowMs - performance.now()));
    }
    return new Promise((tell) => this.waiting.push({ at, tell }));
  }

  /** Ends the present window now, as at the end of the process: nobody need wait for it any more. */
  settleNow(): void {
    if (this.sampling) this.rotate();
  }

  /** Whether what runs now can be asked for later. */
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
      this.paused = this.sampler.obstacle?.();
      if (this.paused !== undefined) return;
      this.begunAt = performance.now();
      this.sampler.start();
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
      this.sampler.stop();
    } catch {
      // What could not be ended is over as well.
    }
    this.tell(Number.NEGATIVE_INFINITY);
  }

  private schedule(ms: number): void {
    clearTimeout(this.timer);
    this.timer = this.outside.runInAsyncScope(setTimeout, undefined, () => this.turn(), ms);
    this.timer.unref();
  }

  private turn(): void {
    try {
      this.goOn(this.sampler.obstacle?.());
    } catch (error) {
      this.failed(error);
    }
  }

  private goOn(obstacle: string | undefined): void {
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
      const window = this.sampler.rotate();
      this.minWindowMs = Math.max(MIN_WINDOW_MS, MIN_WINDOWS_COST * (performance.now() - begunAt));
      this.begunAt = begunAt;
      this.keep(window);
      this.tell(window.endedAt);
    } catch (error) {
      this.failed(error);
    }
  }

  private keep(window: SampleWindow): void {
    const bytes = bytesOf(window);
    this.windows.push({ window, bytes });
    this.bytes += bytes;
    const oldest = window.endedAt - this.options.keepMs;
    // The newest stays, however large: a slow operation may wait for it.
    while (this.windows.length > 1) {
      const first = this.windows[0] as (typeof this.windows)[number];
      if (first.window.endedAt >= oldest && this.bytes <= this.options.maxBytes) break;
      this.windows.shift();
      this.bytes -= first.bytes;
    }
  }

  private tell(endedAt: number): void {
    const { waiting } = this;
    this.waiting = [];
    const over = endedAt === Number.NEGATIVE_INFINITY;
    for (const one of waiting) {
      if (over || one.at <= endedAt) one.tell(!over);
      else this.waiting.push(one);
    }
  }

  private failed(error: unknown): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.failure = error instanceof Error ? error.message : String(error);
    this.end();
  }

  private forget(): void {
    this.windows.length = 0;
    this.bytes = 0;
  }
}
