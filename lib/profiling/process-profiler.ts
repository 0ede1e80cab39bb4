import { type Span, trace } from '@opentelemetry/api';
import { cpuTimeMs } from '../process/cpu-time.js';
import { processWide } from '../process/process-wide.js';
import { ContextTracker } from './context-tracker.js';
import { ExecutionLog } from './execution-log.js';
import { ProfileRing, type ProfileRingOptions } from './profile-ring.js';
import type { Sampler } from './sample-window.js';

/** What is needed of a span's state. Its numbers are 0 until it is noticed. */
export interface NoticedSpan {
  readonly parent: NoticedSpan | undefined;
  /** The outermost one around it, or itself. */
  readonly root: NoticedSpan;
  /** Whether it is work that is waited for: code goes on in its parent. */
  readonly isWork: boolean;
  executionNumber: number;
  /**
   * Of what runs beside other code, as a request does: by when it was counted for that. -1 where it is counted by its
   * parent only, 0 where it is not counted.
   */
  executionPeriod: number;
  /** Its children with code of their own that run, and the sum of their numbers: of one, it is that one's. */
  executionChildren: number;
  executionChildrenSum: number;
  /** CPU time of the process when the request started, in milliseconds. */
  readonly request: { cpuStartMs: number };
}

/**
 * The profiler of this process: there is one event loop to sample, however many modules want to know. While nobody
 * does, noticing a span costs one comparison.
 */
export class ProcessProfiler {
  ring: ProfileRing | undefined;
  executionLog: ExecutionLog | undefined;
  private tracker: ContextTracker | undefined;
  private users = 0;
  /** Where numbers and looks go on, when it is wanted again: spans of before may still run. */
  private lastNumber = 0;
  private nextLook = 1;

  /** @param options and sampler count where it is the first to want it */
  acquire(
    options: ProfileRingOptions,
    sampler: Sampler,
    numberOf: (span: Span | undefined) => number,
  ): { ring: ProfileRing; executionLog: ExecutionLog } {
    this.users++;
    if (this.ring === undefined || this.executionLog === undefined) {
      this.executionLog = new ExecutionLog(this.lastNumber);
      this.tracker = new ContextTracker(
        this.executionLog,
        () => numberOf(trace.getActiveSpan()),
        this.nextLook,
      );
      this.ring = new ProfileRing(options, sampler);
      this.ring.start();
    }
    return { ring: this.ring, executionLog: this.executionLog };
  }

  release(): void {
    if (--this.users > 0) return;
    this.ring?.stop();
    this.tracker?.stop();
    this.lastNumber = this.executionLog?.lastNumber ?? this.lastNumber;
    this.nextLook = this.tracker?.nextLook ?? this.nextLook;
    this.ring = undefined;
    this.executionLog = undefined;
    this.tracker = undefined;
  }

  /** A span begins, and its code runs from `now` on. */
  started(span: NoticedSpan, now: number): void {
    const { executionLog, tracker } = this;
    if (executionLog === undefined || tracker === undefined) return;
    const { parent } = span;
    span.executionNumber = executionLog.number(parent?.executionNumber ?? 0);
    // Before its mark: that one is certain only as long as nobody else has code.
    if (parent === undefined) {
      // How long the loop was busy can't be told while it is sampled.
      span.request.cpuStartMs = cpuTimeMs();
      span.executionPeriod = tracker.started(now, span.executionNumber);
    } else if (!span.isWork) {
      parent.executionChildrenSum += span.executionNumber;
      span.executionPeriod = ++parent.executionChildren > 1 ? tracker.started(now, 0) : -1;
    }
    if (!span.isWork) this.mark(span, span.executionNumber, now);
  }

  /** It ends, and what waited for it goes on. */
  ended(span: NoticedSpan, now: number): void {
    const { executionLog } = this;
    if (executionLog === undefined || span.executionNumber === 0) return;
    const { parent } = span;
    // Whether it is work may have turned out since it began.
    const isCounted = span.executionPeriod !== 0;
    this.leaves(span);
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

  /** Nobody waits for the end of a root: it is a stream. */
  streams(span: NoticedSpan): void {
    if (this.executionLog !== undefined) this.leaves(span);
  }

  /** What goes on in a request that is over, or in a stream, is not told apart from the code of those that run. */
  private mark({ root }: NoticedSpan, number: number, now: number): void {
    if (root.executionPeriod > 0) this.executionLog?.mark(number, now);
    else this.executionLog?.mark(number, now, false);
  }

  private leaves(span: NoticedSpan): void {
    if (span.executionPeriod > 0)
      this.tracker?.ended(span.executionPeriod, span.parent === undefined ? span.executionNumber : 0);
    span.executionPeriod = 0;
  }
}

/** The profiler of this process, which several modules share. */
export const processProfiler = processWide('profiler', () => new ProcessProfiler());
