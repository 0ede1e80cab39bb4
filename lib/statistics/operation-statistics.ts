import { BUCKETS, LatencyHistogram, percentilesOf } from '../inference/latency-histogram.js';
import { round } from '../text/round.js';
import { MinuteMeans } from './minute-means.js';
import type { OperationHistory } from './operation-history.js';
import { SegmentLog, SLOT_MS, Totals } from './segment-log.js';

/** The windows that statistics are kept for, in milliseconds. */
export const WINDOWS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** The name of a window. A window holds its period and at most a sixth of it more. */
export type WindowName = keyof typeof WINDOWS;

/** The figures of a group of operations. Durations are milliseconds; a figure without data is absent. */
export interface LatencySummary {
  /** Operations that ended. */
  count: number;
  /** Those whose duration was greater than their threshold. */
  slowCount: number;
  /** `slowCount` in percent of `count`; 0 while there are none. */
  slowPercentage: number;
  /** Operations that failed. */
  errorCount: number;
  /**
   * Errors among them that do not mean that the service is broken, such as an outgoing call that was answered with 404.
   * Neither health nor alerts count them. Absent while there are none.
   */
  expectedErrorCount?: number;
  avgDuration?: number;
  minDuration?: number;
  maxDuration?: number;
  /** The median, at most 2 % off, as are the other percentiles. */
  p50?: number;
  p95?: number;
  p99?: number;
}

const PERCENTILES = [0.5, 0.95, 0.99] as const;
const counts = new Float64Array(BUCKETS);
const scratchTotals = new Totals();

/** The latencies, errors and slow ones of one operation or one type: for its life and for each window. */
export class OperationStatistics {
  /** Totals since the beginning or the last reset. */
  readonly lifetime = new Totals();
  private readonly live = new LatencyHistogram();
  private readonly liveTotals = new Totals();
  private readonly past = new SegmentLog();
  private slot = 0;
  /** By how much its slow operations exceeded their threshold, added up, in milliseconds. */
  excessMs = 0;
  /** What the last one was compared with, in milliseconds: Infinity where with nothing. */
  limitMs = Number.POSITIVE_INFINITY;
  /** The slot of the last failure: what has not failed within a window need not be read to know that. */
  private lastFailure = Number.NEGATIVE_INFINITY;

  /**
   * @param history what is told of each slot that is over
   * @param place how many operations were seen before it
   */
  constructor(
    readonly history?: OperationHistory,
    readonly place = 0,
  ) {}

  /**
   * Counts one operation.
   * @param now milliseconds on a clock that never goes back
   * @param limitMs what it was compared with to tell whether it was slow
   * @param expected whether its error is an expected one
   */
  record(
    durationMs: number,
    slow: boolean,
    error: boolean,
    now: number,
    limitMs?: number,
    expected = false,
  ): void {
    if (limitMs !== undefined) {
      this.limitMs = limitMs;
      if (slow) this.excessMs += durationMs - limitMs;
    }
    const slot = Math.floor(now / SLOT_MS);
    if (slot !== this.slot) this.turn(slot);
    const totals = this.liveTotals;
    totals.count++;
    if (slow) totals.slow++;
    if (error) {
      totals.errors++;
      if (expected) totals.expected++;
      else this.lastFailure = slot;
    }
    totals.sum += durationMs;
    if (durationMs < totals.min) totals.min = durationMs;
    if (durationMs > totals.max) totals.max = durationMs;
    this.live.record(durationMs);
  }

  /** The total time spent since the beginning, in milliseconds. */
  get totalMs(): number {
    return this.lifetime.sum + this.liveTotals.sum;
  }

  /** The number of operations since the beginning. */
  get count(): number {
    return this.lifetime.count + this.liveTotals.count;
  }

  /** The number of slow operations since the beginning. */
  get slowCount(): number {
    return this.lifetime.slow + this.liveTotals.slow;
  }

  /** The figures of a window that ends now, or of the whole life. */
  summary(window: WindowName | 'lifetime', now: number): LatencySummary {
    const totals = new Totals();
    counts.fill(0);
    const since = window === 'lifetime' ? Number.NEGATIVE_INFINITY : (now - WINDOWS[window]) / SLOT_MS;
    this.past.read(since, totals, counts);
    if (this.slot + 1 > since) {
      totals.add(this.liveTotals);
      this.live.addTo(counts);
    }
    return summarize(totals, counts);
  }

  /**
   * Adds the counts of a window that ends now to `totals`, without percentiles.
   * @returns whether anything failed within it; otherwise nothing was read
   */
  addFailing(window: WindowName, now: number, totals: Totals): boolean {
    const since = (now - WINDOWS[window]) / SLOT_MS;
    if (this.lastFailure + 1 <= since) return false;
    this.past.readTotals(since, totals);
    if (this.slot + 1 > since) totals.add(this.liveTotals);
    return true;
  }

  /**
   * The mean duration within each of the last minutes, the oldest first; null where nothing ended. What is older than a
   * minute is known by ten minutes, and each of these has their mean.
   */
  minuteMeans(minutes: number, now: number): (number | null)[] {
    const course = new MinuteMeans(minutes, Math.floor(now / SLOT_MS) + 1);
    this.past.each((start, end, totals) => course.add(start, end, totals));
    if (this.liveTotals.count > 0) course.add(this.slot, this.slot + 1, this.liveTotals);
    return course.means();
  }

  /** Adds the counts of its whole life to `target`, an array of {@link BUCKETS} numbers. */
  addTo(target: Float64Array): void {
    this.past.read(Number.NEGATIVE_INFINITY, scratchTotals, target);
    this.live.addTo(target);
  }

  /** The shortest and the longest since the beginning, in milliseconds; Infinity and 0 while there is none. */
  get extremes(): { min: number; max: number } {
    const { lifetime, liveTotals } = this;
    return {
      min: Math.min(lifetime.min, liveTotals.min),
      max: Math.max(lifetime.max, liveTotals.max),
    };
  }

  /** The figures of each window that ends now and of the whole life, which are read in one pass: each holds the one before. */
  summaries(now: number): Record<WindowName | 'lifetime', LatencySummary> {
    const totals = new Totals();
    counts.fill(0);
    const segments = this.past.segments();
    let next = segments.length - 1;
    let isLiveRead = false;
    const until = (since: number): LatencySummary => {
      if (!isLiveRead && this.slot + 1 > since) {
        totals.add(this.liveTotals);
        this.live.addTo(counts);
        isLiveRead = true;
      }
      for (
        let segment = segments[next];
        segment !== undefined && segment.end > since;
        segment = segments[--next]
      )
        this.past.addTo(segment, totals, counts);
      return summarize(totals, counts);
    };
    const windowUntil = (window: WindowName): LatencySummary => until((now - WINDOWS[window]) / SLOT_MS);
    const [minute, hour, day] = [windowUntil('minute'), windowUntil('hour'), windowUntil('day')];
    return { minute, hour, day, lifetime: until(Number.NEGATIVE_INFINITY) };
  }

  /** Hands on what its last slot had, if that is over at `now` and nothing has come since. */
  settle(now: number): void {
    const slot = Math.floor(now / SLOT_MS);
    if (slot !== this.slot) this.turn(slot);
  }

  private turn(slot: number): void {
    if (this.liveTotals.count > 0) {
      counts.fill(0);
      this.live.addTo(counts);
      this.history?.fold(this.slot * SLOT_MS, SLOT_MS, this.liveTotals, counts);
      this.past.append(this.slot, this.liveTotals, counts, slot);
      this.lifetime.add(this.liveTotals);
      this.liveTotals.clear();
      this.live.clear();
    }
    this.slot = slot;
  }
}

function summarize(totals: Totals, buckets: Float64Array): LatencySummary {
  const { count, slow, errors, expected, sum, min, max } = totals;
  if (count === 0) return { count: 0, slowCount: 0, slowPercentage: 0, errorCount: 0 };
  const [p50 = max, p95 = max, p99 = max] = percentilesOf(buckets, count, PERCENTILES, min, max).map(
    (value) => round(Math.max(min, value)),
  );
  return {
    count,
    slowCount: slow,
    slowPercentage: round((slow / count) * 100),
    errorCount: errors,
    ...(expected === 0 ? {} : { expectedErrorCount: expected }),
    avgDuration: round(sum / count),
    minDuration: round(min),
    maxDuration: round(max),
    p50,
    p95,
    p99,
  };
}
