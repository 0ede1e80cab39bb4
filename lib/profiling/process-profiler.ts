import { type Span, trace } from '@opentelemetry/api';
import { cpuTimeMs } from '../process/cpu-time.js';
import { Activity } from './activity.js';
import { ContextTracker } from './context-tracker.js';
import { ProfileRing, type ProfileRingOptions } from './profile-ring.js';
import type { Sampler } from './sample-window.js';

/** What is needed of a span's state. Its numbers are 0 until it is noticed. */
export interface NoticedSpan {
  readonly parent: NoticedSpan | undefined;
  /** The outermost one around it, or itself. */
  readonly root: NoticedSpan;
  /** Whether it is work that is waited for: code goes on in its parent. */
  readonly isWork: boolean;
  activityNumber: number;
  /**
   * Of what runs beside other code, as a request does: by when it was counted for that. -1 where it is counted by its
   * parent only, 0 where it is not counted.
   */
  activityLook: number;
  /** Its children with code of their own that run, and the sum of their numbers: of one, it is that one's. */
  activityChildren: number;
  activityChildrenSum: number;
  /** Of a root: CPU time of the process when it began, in milliseconds. */
  cpuStartMs: number;
}

/**
 * The profiler of this process: there is one event loop to sample, however many modules want to know. While nobody
 * does, noticing a span costs one comparison.
 */
export class ProcessProfiler {
  ring: ProfileRing | undefined;
  activity: Activity | undefined;
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
  ): { ring: ProfileRing; activity: Activity } {
    this.users++;
    if (this.ring === undefined || this.activity === undefined) {
      this.activity = new Activity(this.lastNumber);
      this.tracker = new ContextTracker(this.activity, () => numberOf(trace.getActiveSpan()), this.nextLook);
      this.ring = new ProfileRing(options, sampler);
      this.ring.start();
    }
    return { ring: this.ring, activity: this.activity };
  }

  release(): void {
    if (--this.users > 0) return;
    this.ring?.stop();
    this.tracker?.stop();
    this.lastNumber = this.activity?.lastNumber ?? this.lastNumber;
    this.nextLook = this.tracker?.nextLook ?? this.nextLook;
    this.ring = undefined;
    this.activity = undefined;
    this.tracker = undefined;
  }

  /** A span begins, and its code runs from `now` on. */
  started(span: NoticedSpan, now: number): void {
    const { activity, tracker } = this;
    if (activity === undefined || tracker === undefined) return;
    const { parent } = span;
    span.activityNumber = activity.number(parent?.activityNumber ?? 0);
    // Before its mark: that one is certain only as long as nobody else has code.
    if (parent === undefined) {
      // How long the loop was busy can't be told while it is sampled.
      span.cpuStartMs = cpuTimeMs();
      span.activityLook = tracker.started(now, span.activityNumber);
    } else if (!span.isWork) {
      parent.activityChildrenSum += span.activityNumber;
      span.activityLook = ++parent.activityChildren > 1 ? tracker.started(now, 0) : -1;
    }
    if (!span.isWork) this.mark(span, span.activityNumber, now);
  }

  /** It ends, and what waited for it goes on. */
  ended(span: NoticedSpan, now: number): void {
    const { activity } = this;
    if (activity === undefined || span.activityNumber === 0) return;
    const { parent } = span;
    // Whether it is work may have turned out since it began.
    const isCounted = span.activityLook !== 0;
    this.leaves(span);
    if (parent === undefined) {
      activity.mark(this.tracker?.only ?? 0, now);
      return;
    }
    if (isCounted) {
      parent.activityChildren--;
      parent.activityChildrenSum -= span.activityNumber;
    }
    const next = parent.activityChildren === 1 ? parent.activityChildrenSum : parent.activityNumber;
    this.mark(span, next, now);
  }

  /** Nobody waits for the end of a root: it is a stream. */
  streams(span: NoticedSpan): void {
    if (this.activity !== undefined) this.leaves(span);
  }

  /** What goes on in a request that is over, or in a stream, is not told apart from the code of those that run. */
  private mark({ root }: NoticedSpan, number: number, now: number): void {
    if (root.activityLook > 0) this.activity?.mark(number, now);
    else this.activity?.mark(number, now, false);
  }

  private leaves(span: NoticedSpan): void {
    if (span.activityLook > 0)
      this.tracker?.ended(span.activityLook, span.parent === undefined ? span.activityNumber : 0);
    span.activityLook = 0;
  }
}

const KEY = Symbol.for('nestjs-performance.profiler');
const globals = globalThis as { [KEY]?: ProcessProfiler };
globals[KEY] ??= new ProcessProfiler();

/** The one of this process: the ESM and the CommonJS build may both be loaded, and several modules be up. */
export const processProfiler: ProcessProfiler = globals[KEY];
