import { type Span, trace } from '@opentelemetry/api';
import { type ProcessWideSettings, processWide, refusedSettings } from '../async/process-wide.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { ContextTracker } from './context-tracker.js';
import { ExecutionLog } from './execution-log.js';
import { ProfileRing, type ProfileRingOptions } from './profile-ring.js';
import type { Sampler } from './sample-window.js';

/** `executionPeriod` of a span that is not counted: work, which its parent awaits, and a span that has ended. */
const NOT_COUNTED = 0;
/** `executionPeriod` of a span that only its parent counts: the only child that runs. */
const COUNTED_BY_PARENT = -1;

/** The part of a live span that the profiler reads and writes. Its numbers are 0 until the span starts. */
export interface NoticedSpan {
  readonly parent: NoticedSpan | undefined;
  /** The outermost ancestor, or the span itself. */
  readonly root: NoticedSpan;
  /** Whether its parent awaits it without other code of its own: a query, an outgoing call. */
  readonly isWork: boolean;
  /** Its number in {@link ExecutionLog}. */
  executionNumber: number;
  /** The period of {@link ContextTracker} that counts it as a request or as a concurrent part; 0 and -1 see above. */
  executionPeriod: number;
  /** Its running children that are not work, and the sum of their numbers: if one runs, this is its number. */
  executionChildren: number;
  executionChildrenSum: number;
}

/**
 * The profiler of one process: all modules share one event loop. While no module has acquired it, a span costs one
 * comparison.
 */
export class ProcessProfiler {
  ring: ProfileRing | undefined;
  executionLog: ExecutionLog | undefined;
  private tracker: ContextTracker | undefined;
  private users = 0;
  private settings: ProcessWideSettings = {};
  /** Where the next log and tracker continue, because spans of the previous ones may still run. */
  private lastNumber = 0;
  private nextPeriod = 1;

  /**
   * @param options and `sampler` apply if no module has acquired the profiler yet
   * @returns `refused`: the options that do not
   */
  acquire(
    options: ProfileRingOptions,
    sampler: Sampler,
    numberOf: (span: Span | undefined) => number,
  ): { ring: ProfileRing; executionLog: ExecutionLog; refused: string[] } {
    this.users++;
    const settings = {
      'profiling.intervalMs': options.intervalMs,
      'profiling.keepSeconds': options.keepMs,
      'profiling.maxMemoryMb': options.maxBytes,
      'profiling.sampler': sampler.name,
    };
    if (this.ring === undefined || this.executionLog === undefined) {
      this.executionLog = new ExecutionLog(this.lastNumber);
      this.tracker = new ContextTracker(
        this.executionLog,
        () => numberOf(trace.getActiveSpan()),
        this.nextPeriod,
      );
      this.ring = new ProfileRing(options, sampler);
      this.ring.start();
      this.settings = settings;
    }
    const refused = refusedSettings(this.settings, settings);
    return { ring: this.ring, executionLog: this.executionLog, refused };
  }

  release(): void {
    if (--this.users > 0) return;
    this.ring?.stop();
    this.tracker?.stop();
    this.lastNumber = this.executionLog?.lastNumber ?? this.lastNumber;
    this.nextPeriod = this.tracker?.nextPeriod ?? this.nextPeriod;
    this.ring = undefined;
    this.executionLog = undefined;
    this.tracker = undefined;
  }

  /** Call when a span starts: its code runs from `now` on. */
  started(span: NoticedSpan, now: number): void {
    const { executionLog, tracker } = this;
    if (executionLog === undefined || tracker === undefined) return;
    const measured = meter.enter(COST.profiling);
    try {
      this.note(span, executionLog, tracker, now);
    } finally {
      meter.leave(COST.profiling, measured);
    }
  }

  private note(span: NoticedSpan, executionLog: ExecutionLog, tracker: ContextTracker, now: number): void {
    span.executionNumber = executionLog.number(span.parent?.executionNumber ?? 0);
    if (span.isWork && span.parent !== undefined) return;
    // Before its mark: whether that is exact depends on the number of requests.
    span.executionPeriod = this.count(span, tracker, now);
    if (!span.isWork) this.mark(span, span.executionNumber, now);
  }

  /** Call when a span ends: the code that awaited it continues. */
  ended(span: NoticedSpan, now: number): void {
    const { executionLog } = this;
    if (executionLog === undefined || span.executionNumber === 0) return;
    const measured = meter.enter(COST.profiling);
    try {
      this.noteEnd(span, executionLog, now);
    } finally {
      meter.leave(COST.profiling, measured);
    }
  }

  private noteEnd(span: NoticedSpan, executionLog: ExecutionLog, now: number): void {
    const { parent } = span;
    // By its period, because `isWork` may have changed since the start.
    const isCounted = span.executionPeriod !== NOT_COUNTED;
    this.uncount(span);
    if (parent === undefined) {
      executionLog.mark(this.tracker?.only ?? 0, now);
      return;
    }
    if (isCounted) {
      parent.executionChildren--;
      parent.executionChildrenSum -= span.executionNumber;
    }
    const next = parent.executionChildren === 1 ? parent.executionChildrenSum : parent.executionNumber;
    this.mark(span, next, now);
  }

  /** Call when a root turns out to be a stream, whose end nobody awaits. */
  streams(span: NoticedSpan): void {
    if (this.executionLog !== undefined) this.uncount(span);
  }

  /** The code of a request that has ended, or of a stream, cannot be separated from that of running requests. */
  private mark({ root }: NoticedSpan, number: number, now: number): void {
    if (root.executionPeriod > NOT_COUNTED) this.executionLog?.mark(number, now);
    else this.executionLog?.mark(number, now, false);
  }

  private count(span: NoticedSpan, tracker: ContextTracker, now: number): number {
    const { parent } = span;
    if (parent === undefined) return tracker.started(now, span.executionNumber);
    parent.executionChildrenSum += span.executionNumber;
    return ++parent.executionChildren > 1 ? tracker.started(now, 0) : COUNTED_BY_PARENT;
  }

  private uncount(span: NoticedSpan): void {
    if (span.executionPeriod > NOT_COUNTED)
      this.tracker?.ended(span.executionPeriod, span.parent === undefined ? span.executionNumber : 0);
    span.executionPeriod = NOT_COUNTED;
  }
}

/** The profiler of this process, which several modules share. */
export const processProfiler = processWide('profiler', () => new ProcessProfiler());
