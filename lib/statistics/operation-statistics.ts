import { BUCKETS, bucketMiddle, LatencyHistogram } from '../inference/latency-histogram.js';
import type { Sample } from '../inference/welch.js';
import { round } from '../text/round.js';
import { type LatencySummary, summarize } from './latency-summary.js';
import type { OperationHistory } from './operation-history.js';
import { type Segment, SegmentLog, SLOT_MS } from './segment-log.js';
import { Totals } from './totals.js';

/** The windows that have statistics, in milliseconds. */
export const WINDOWS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** The name of a window. A window covers its period and up to a sixth more. */
export type WindowName = keyof typeof WINDOWS;

/** Executions of one operation as samples: `n`, mean and variance. */
export interface OperationExecutions {
  /** Executions, and failures among them without expected errors. */
  readonly count: number;
  readonly errors: number;
  /** Natural logarithms of the durations in milliseconds; absent if none has a duration. */
  readonly latency?: Sample;
  /** Database statements of an execution; absent if unknown. */
  readonly statements?: Sample;
}

const SLOTS_PER_MINUTE = 60_000 / SLOT_MS;
// Reused between calls, each of which fills it first.
const counts = new Float64Array(BUCKETS);

/** Counts, latencies and errors of one operation or one type, for each window and for its lifetime. */
export class OperationStatistics {
  /** Totals since the start or the last reset, without the current slot. */
  readonly lifetime = new Totals();
  private readonly live = new LatencyHistogram();
  private readonly liveTotals = new Totals();
  private readonly past = new SegmentLog();
  private slot = 0;
  /** Total time above the threshold, in milliseconds. */
  excessMs = 0;
  /** Total time without operations below it, in milliseconds; negative if it is not known of any. */
  selfMs = -1;
  /** The threshold of the latest execution, in milliseconds; Infinity if it has none. */
  limitMs = Number.POSITIVE_INFINITY;
  /** When the latest operation ended, in milliseconds on the monotonic clock. */
  lastAt = Number.NEGATIVE_INFINITY;
  /** The slot of the latest failure. An operation without a failure in a window need not be read. */
  private lastFailure = Number.NEGATIVE_INFINITY;

  /**
   * @param history receives each completed slot
   * @param place how many operations were seen before this one
   */
  constructor(
    readonly history?: OperationHistory,
    readonly place = 0,
  ) {}

  /**
   * Counts one operation.
   * @param now milliseconds on a monotonic clock
   * @param limitMs its threshold
   * @param expected whether its error is an expected one
   * @param isTimed whether its duration counts
   */
  record(
    durationMs: number,
    slow: boolean,
    error: boolean,
    now: number,
    limitMs?: number,
    expected = false,
    isTimed = true,
  ): void {
    if (limitMs !== undefined) {
      this.limitMs = limitMs;
      if (slow) this.excessMs += durationMs - limitMs;
    }
    this.lastAt = now;
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
    if (!isTimed) {
      totals.untimed++;
      return;
    }
    totals.sum += durationMs;
    if (durationMs < totals.min) totals.min = durationMs;
    if (durationMs > totals.max) totals.max = durationMs;
    this.live.record(durationMs);
  }

  /** Adds the time of one operation in which no operation below it ran. */
  addSelf(selfMs: number): void {
    this.selfMs = Math.max(0, this.selfMs) + Math.max(0, selfMs);
  }

  /** Total time spent since the start, in milliseconds. */
  get totalMs(): number {
    return this.lifetime.sum + this.liveTotals.sum;
  }

  /** Operations since the start. */
  get count(): number {
    return this.lifetime.count + this.liveTotals.count;
  }

  /** Slow operations since the start. */
  get slowCount(): number {
    return this.lifetime.slow + this.liveTotals.slow;
  }

  /** The figures of a window that ends at `now`, or of the lifetime. */
  summary(window: WindowName | 'lifetime', now: number): LatencySummary {
    const totals = new Totals();
    counts.fill(0);
    this.addWindow(window, now, totals, counts);
    return summarize(totals, counts);
  }

  /** Adds the totals and the latency counts of a window that ends at `now`. @param target {@link BUCKETS} numbers */
  addWindow(window: WindowName | 'lifetime', now: number, totals: Totals, target: Float64Array): void {
    const since = window === 'lifetime' ? Number.NEGATIVE_INFINITY : (now - WINDOWS[window]) / SLOT_MS;
    this.past.read(since, totals, target);
    if (this.slot + 1 > since) {
      totals.add(this.liveTotals);
      this.live.addTo(target);
    }
  }

  /**
   * Adds the totals of a window that ends at `now`.
   * @returns whether anything failed within it; if not, `totals` stays as it is
   */
  addFailing(window: WindowName, now: number, totals: Totals): boolean {
    const since = (now - WINDOWS[window]) / SLOT_MS;
    if (this.lastFailure + 1 <= since) return false;
    this.past.readTotals(since, totals);
    if (this.slot + 1 > since) totals.add(this.liveTotals);
    return true;
  }

  /**
   * The mean duration of each of the last minutes, the oldest first; null for a minute in which nothing ended. Past minutes
   * are stored ten at a time, so all ten have the same mean.
   */
  minuteMeans(minutes: number, now: number): (number | null)[] {
    const end = Math.floor(now / SLOT_MS) + 1;
    const live = { start: this.slot, end: this.slot + 1, totals: this.liveTotals };
    return minuteMeans([...this.past.segments(), live], minutes, end);
  }

  /**
   * Calls `visit` with each period that has statistics of its own, the oldest first: 10 seconds of the last minute, 10 minutes
   * of the last hour, 4 hours of the last day, and all that is older. `latencies` has {@link BUCKETS} numbers and is reused.
   */
  eachPeriod(visit: (from: number, to: number, totals: Totals, latencies: Float64Array) => void): void {
    for (const segment of this.past.segments()) {
      const totals = new Totals();
      counts.fill(0);
      this.past.addTo(segment, totals, counts);
      visit(segment.start * SLOT_MS, segment.end * SLOT_MS, totals, counts);
    }
    if (this.liveTotals.count === 0) return;
    counts.fill(0);
    this.live.addTo(counts);
    visit(this.slot * SLOT_MS, (this.slot + 1) * SLOT_MS, this.liveTotals, counts);
  }

  /** Adds the latency counts of its lifetime to `target`, an array of {@link BUCKETS} numbers. */
  addTo(target: Float64Array): void {
    this.past.read(Number.NEGATIVE_INFINITY, new Totals(), target);
    this.live.addTo(target);
  }

  /** All executions since the start. */
  executions(): OperationExecutions {
    const { lifetime, liveTotals } = this;
    counts.fill(0);
    this.addTo(counts);
    const latency = logarithmsOf(counts);
    const [n = 0, mean = 0, squares = 0] = this.history?.statements ?? [];
    return {
      count: this.count,
      errors: lifetime.errors + liveTotals.errors - lifetime.expected - liveTotals.expected,
      ...(latency === undefined ? {} : { latency }),
      ...(n === 0 ? {} : { statements: { n, mean, variance: squares / Math.max(1, n - 1) } }),
    };
  }

  /** The shortest and the longest duration since the start, in milliseconds; Infinity and 0 if there is none. */
  get extremes(): { min: number; max: number } {
    const { lifetime, liveTotals } = this;
    return {
      min: Math.min(lifetime.min, liveTotals.min),
      max: Math.max(lifetime.max, liveTotals.max),
    };
  }

  /** The figures of all windows and the lifetime in one pass, since each contains the previous one. */
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

  /** Closes the current slot if it is over at `now`. Otherwise the next operation closes it. */
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

/** Each latency counts as the middle of its bucket. */
function logarithmsOf(buckets: Float64Array): Sample | undefined {
  let [n, sum, squares] = [0, 0, 0];
  for (let index = 0; index < BUCKETS; index++) {
    const count = buckets[index] as number;
    if (count === 0) continue;
    const logarithm = Math.log(bucketMiddle(index));
    n += count;
    sum += count * logarithm;
    squares += count * logarithm * logarithm;
  }
  if (n === 0) return undefined;
  return { n, mean: sum / n, variance: Math.max(0, squares - (sum * sum) / n) / Math.max(1, n - 1) };
}

/** Distributes each segment evenly over its slots, and averages the slots of each minute up to slot `end`. */
function minuteMeans(
  segments: readonly Pick<Segment, 'start' | 'end' | 'totals'>[],
  minutes: number,
  end: number,
): (number | null)[] {
  const sums = new Float64Array(minutes);
  const counts = new Float64Array(minutes);
  const from = end - minutes * SLOTS_PER_MINUTE;
  for (const { start, end: segmentEnd, totals } of segments) {
    const slots = segmentEnd - start;
    const count = totals.count - totals.untimed;
    for (let slot = Math.max(start, from); slot < segmentEnd; ) {
      const minute = Math.floor((slot - from) / SLOTS_PER_MINUTE);
      const next = Math.min(segmentEnd, from + (minute + 1) * SLOTS_PER_MINUTE);
      const share = (next - slot) / slots;
      (sums[minute] as number) += totals.sum * share;
      (counts[minute] as number) += count * share;
      slot = next;
    }
  }
  return Array.from(counts, (count, minute) =>
    count === 0 ? null : round((sums[minute] as number) / count),
  );
}
