import { performance } from 'node:perf_hooks';
import { ownPauseMs } from '../async/own-pauses.js';
import type { ScheduleFault } from '../spans/schedule-fault.js';

/** A shorter overlap is a run that finds a lock taken and returns, or one that starts as the previous one ends. */
const MIN_OVERLAP_MS = 10;
/** Every process starts timers this late. */
const MIN_LATE_MS = 100;
/** The least distance from the previous start, in periods. */
const MIN_GAP = 1.5;
/** How far the system clock and the monotonic one may differ, and the share of the time between them for slewing. */
const CLOCK_MS = 250;
const CLOCK_SHARE = 0.001;
/** Runs that never end must not accumulate. */
const MAX_RUNNING = 100;
/** `setTimeout` fires at once for more. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The most missed runs that are reported. */
export const MAX_MISSED = 1000;
/** With the run that starts, and one more. */
export const MAX_COUNTED = MAX_MISSED + 2;

/** When the runs after one are due, in milliseconds from its start. */
export interface DueRuns {
  readonly firstMs: number;
  readonly secondMs: number;
  /** How many are due until so many milliseconds after its start; up to {@link MAX_COUNTED}. */
  countUntil(ms: number): number;
}

/** A start on both clocks, with what was due afterwards. */
interface Start {
  readonly at: number;
  readonly wall: number;
  readonly due: DueRuns;
  /** How late this run itself was. */
  readonly lateMs: number;
}

type Report = (fault: ScheduleFault) => void;

/** A running run. */
export class ScheduledRun {
  /** The run that was running when this one started, until the overlap is reported. */
  older: ScheduledRun | undefined;

  constructor(
    private readonly runs: ScheduledRuns,
    readonly startedAt: number,
    readonly report: Report,
  ) {}

  end(now = performance.now()): void {
    this.runs.ended(this, now);
  }

  /** The run is not measured: neither it nor its overlap is known. */
  discard(): void {
    this.older = undefined;
    this.runs.remove(this);
  }
}

/** Watches the runs of one schedule on one instance: those that overlap, and those that did not happen. */
export class ScheduledRuns {
  private readonly running: ScheduledRun[] = [];
  private last: Start | undefined;
  private expiry: NodeJS.Timeout | undefined;

  /** @param nextRuns what is due after a run that starts now; undefined if unknown */
  constructor(private readonly nextRuns: () => DueRuns | undefined) {}

  /** @param now milliseconds on the clock of `performance.now()` @param wall milliseconds since 1970 */
  start(report: Report, now = performance.now(), wall = Date.now()): ScheduledRun {
    this.compareWithLast(report, now, wall);
    // Runs that never end are reported, too.
    for (const run of this.running) this.settle(run, now);
    const run = new ScheduledRun(this, now, report);
    run.older = this.running.at(-1);
    this.running.push(run);
    if (this.running.length > MAX_RUNNING) this.running.shift();
    return run;
  }

  ended(run: ScheduledRun, now: number): void {
    this.settle(run, now);
    for (const other of this.running) if (other.older === run) this.settle(other, now);
    this.remove(run);
  }

  remove(run: ScheduledRun): void {
    const index = this.running.indexOf(run);
    if (index >= 0) this.running.splice(index, 1);
  }

  /** Reports an overlap when its end is known, or the next run starts. */
  private settle(run: ScheduledRun, now: number): void {
    const { older } = run;
    run.older = undefined;
    const overlapMs = now - run.startedAt;
    if (older === undefined || overlapMs < MIN_OVERLAP_MS) return;
    run.report({
      type: 'overlapping_runs',
      overlapMs,
      olderAgeMs: run.startedAt - older.startedAt,
      runs: this.running.length,
    });
  }

  private compareWithLast(report: Report, now: number, wall: number): void {
    clearTimeout(this.expiry);
    const { last } = this;
    const lateMs = last === undefined ? 0 : Math.max(0, now - last.at - last.due.firstMs);
    if (last !== undefined) this.reportMissed(last, report, now, wall);
    const due = this.nextRuns();
    this.last = due && { at: now, wall, due, lateMs };
    if (due === undefined) return;
    // The event loop was not blocked if this timer fires without a run: the schedule was stopped, or changed.
    const expiryMs = due.firstMs + periodOf(due, lateMs) / 2;
    if (expiryMs > MAX_TIMEOUT_MS) this.last = undefined;
    else this.expiry = setTimeout(() => this.expired(), expiryMs).unref();
  }

  /** After a block, timers do not fire in the order in which they were due: the run may follow in this turn of the loop. */
  private expired(): void {
    const { last } = this;
    setImmediate(() => {
      if (this.last === last) this.last = undefined;
    }).unref();
  }

  private reportMissed(
    { at, wall: wallAt, due, lateMs: lastLateMs }: Start,
    report: Report,
    now: number,
    wall: number,
  ): void {
    const passedMs = now - at;
    const clockMs = Math.abs(wall - wallAt - passedMs);
    if (clockMs > CLOCK_MS + passedMs * CLOCK_SHARE) return;
    // A pause of this package is no fault of the application.
    const gapMs = passedMs - ownPauseMs(at, now);
    const lateMs = gapMs - due.firstMs;
    if (gapMs < due.secondMs || lateMs < MIN_LATE_MS || gapMs <= MIN_GAP * periodOf(due, lastLateMs)) return;
    // The last of those that were due has just started.
    const missed = due.countUntil(gapMs) - 1;
    if (missed < 1) return;
    report({
      type: 'missed_runs',
      missed: Math.min(missed, MAX_MISSED),
      isAtLeast: missed > MAX_MISSED,
      gapMs: passedMs,
      lateMs,
    });
  }
}

/** The time between the runs: they may be due at irregular times. */
function periodOf({ firstMs, secondMs }: DueRuns, lateMs: number): number {
  return Math.min(firstMs + lateMs, secondMs - firstMs);
}
