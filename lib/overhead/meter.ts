import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { processWide } from '../async/process-wide.js';
import { CostPoint } from './cost-point.js';

/** The share of a core that measuring may take. */
const MEASURING_SHARE = 0.001;
const MIN_INTERVAL = 8;
/** The memory that a call allocates is read with one of so many measured ones: reading it takes longer than the call. */
const HEAP_EVERY = 4;
const ADAPT_EVERY_MS = 500;
const MAX_INTERVAL = 4096;
/** Calls within each other, beyond which nothing is measured. */
const MAX_DEPTH = 16;
const CALIBRATIONS = 64;

/** The clocks of a meter. */
export interface MeterClock {
  /** Milliseconds. */
  now(): number;
  /** Used heap in bytes. */
  heap(): number;
  /** How long the main thread was ready to run and had no CPU, in milliseconds; 0 if that is unknown. */
  runDelay(): number;
}

const CLOCK: MeterClock = {
  now: () => performance.now(),
  heap: () => getHeapStatistics().used_heap_size,
  runDelay: () => 0,
};

/**
 * Measures what the code of this package costs on the path of a request: it counts all calls and measures one of N. A call
 * within another one is measured with it, and its time is not part of the other's.
 *
 * An unmeasured call costs a few comparisons. Calls must be balanced: {@link leave} follows {@link enter} in the same
 * synchronous code.
 */
export class Meter {
  readonly points: CostPoint[] = [];
  /** About one of so many calls is measured. */
  interval = MIN_INTERVAL;
  /** Set by the module, where the scheduler provides it. */
  runDelay: () => number;
  private depth = 0;
  /** How many calls the outermost one stands for; 0 while it is not measured. */
  private weight = 0;
  private readonly starts = new Float64Array(MAX_DEPTH);
  private readonly inner = new Float64Array(MAX_DEPTH);
  private heapAtStart = Number.NaN;
  private samples = 0;
  /** Measured calls until there are more of them than measuring may take. */
  private room = 0;
  /** What an empty measured call seems to take, and what it really takes. */
  private emptyMs = 0;
  private emptyBytes = 0;
  private sampleMs = 0;
  private adaptedAt: number;
  private callsAtAdaption = 0;

  constructor(private readonly clock: MeterClock = CLOCK) {
    this.runDelay = () => clock.runDelay();
    this.adaptedAt = clock.now();
    this.calibrate();
    this.room = this.maxSamples;
  }

  point(part: string): CostPoint {
    const point = new CostPoint(part);
    this.points.push(point);
    return point;
  }

  /** Code of this package begins. @returns whether the call is measured, for {@link leave} */
  enter(point: CostPoint): boolean {
    const depth = this.depth++;
    if (depth > 0 ? this.weight === 0 : --point.left > 0) return false;
    return this.begin(point, depth);
  }

  leave(point: CostPoint, measured: boolean): void {
    this.depth--;
    if (measured) this.end(point);
  }

  /** Runs rare, synchronous work of this package. Each run is measured. */
  measure<T>(point: CostPoint, work: () => T): T {
    const depth = this.depth++;
    if (depth >= MAX_DEPTH) {
      this.depth--;
      return work();
    }
    const { starts, inner, clock } = this;
    const delayed = this.runDelay();
    inner[depth] = 0;
    starts[depth] = clock.now();
    try {
      return work();
    } finally {
      const wall = clock.now() - (starts[depth] as number);
      const ms = Math.max(0, wall - Math.max(0, this.runDelay() - delayed));
      point.addDirectly(Math.max(0, ms - (inner[depth] as number)));
      this.depth = depth;
      if (depth > 0) (inner[depth - 1] as number) += wall;
    }
  }

  /**
   * Adapts how many calls are measured to how many there are. Call it regularly, and in no call that is measured: a call that
   * ended with an error is discarded.
   */
  adapt(): void {
    this.depth = 0;
    this.weight = 0;
    const now = this.clock.now();
    const elapsed = now - this.adaptedAt;
    if (elapsed < ADAPT_EVERY_MS) return;
    const calls = this.points.reduce((sum, { outermost }) => sum + outermost, 0);
    const wanted = (((calls - this.callsAtAdaption) / elapsed) * this.sampleMs) / MEASURING_SHARE;
    // Falls slowly: the next calls may come in a burst.
    const interval = Math.max(MIN_INTERVAL, Math.ceil(wanted), Math.floor(this.interval / 2));
    this.interval = Math.min(MAX_INTERVAL, interval);
    this.room = this.maxSamples;
    this.adaptedAt = now;
    this.callsAtAdaption = calls;
  }

  /** Measured calls within a second, at most, before the interval grows. */
  private get maxSamples(): number {
    return Math.max(1, Math.floor((MEASURING_SHARE * 1000) / Math.max(this.sampleMs, 0.001)));
  }

  private begin(point: CostPoint, depth: number): boolean {
    if (depth === 0) {
      point.draw(this.interval);
      this.weight = this.interval;
      this.heapAtStart = this.samples++ % HEAP_EVERY === 0 ? this.clock.heap() : Number.NaN;
      // A burst of calls, within the time in which the interval is not adapted.
      if (--this.room === 0) {
        this.interval = Math.min(MAX_INTERVAL, this.interval * 2);
        this.room = this.maxSamples;
      }
    } else if (depth >= MAX_DEPTH) return false;
    this.inner[depth] = 0;
    this.starts[depth] = this.clock.now();
    return true;
  }

  private end(point: CostPoint): void {
    const { depth, inner } = this;
    const ms = this.clock.now() - (this.starts[depth] as number);
    const own = Math.max(0, ms - this.emptyMs - (inner[depth] as number));
    if (depth > 0) {
      point.add(own, this.weight);
      (inner[depth - 1] as number) += ms + this.emptyMs;
      return;
    }
    point.add(own, 0);
    this.weight = 0;
    if (Number.isNaN(this.heapAtStart)) return;
    const bytes = this.clock.heap() - this.heapAtStart - this.emptyBytes;
    // A collection within the call.
    if (bytes >= 0) point.addBytes(bytes);
  }

  private calibrate(): void {
    const empty = new CostPoint('');
    const { clock } = this;
    let leastMs = Number.POSITIVE_INFINITY;
    let leastBytes = Number.POSITIVE_INFINITY;
    let leastSample = Number.POSITIVE_INFINITY;
    for (let count = 0; count < CALIBRATIONS; count++) {
      const startedAt = clock.now();
      const heap = clock.heap();
      const before = clock.now();
      const ms = clock.now() - before;
      const bytes = clock.heap() - heap;
      empty.add(ms, 0);
      leastMs = Math.min(leastMs, ms);
      if (bytes >= 0) leastBytes = Math.min(leastBytes, bytes);
      leastSample = Math.min(leastSample, clock.now() - startedAt);
    }
    this.emptyMs = leastMs;
    this.emptyBytes = Number.isFinite(leastBytes) ? leastBytes : 0;
    this.sampleMs = leastSample;
  }
}

/** The meter of this process: all modules, and copies of this package, share its event loop. */
export const meter = processWide('meter', () => new Meter());
