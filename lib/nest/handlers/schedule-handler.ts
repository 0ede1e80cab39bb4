import { type Context, trace } from '@opentelemetry/api';
import { reportFault } from '../../async/thrown.js';
import { type DueRuns, type ScheduledRun, ScheduledRuns } from '../../explain/scheduled-runs.js';
import { liveSpanOf } from '../../spans/live-span.js';
import type { ScheduleFault } from '../../spans/schedule-fault.js';
import { tracingRuntime } from '../../spans/tracing-runtime.js';
import { type Measured, type Measurement, trackCall } from '../decorators/track.js';
import type { Handler, Method } from './method-wrappers.js';

/** Measures the runs of a schedule, and finds those that overlap or did not happen. */
export class ScheduleHandler implements Handler {
  /** By instance: a class may be provided several times. */
  private readonly runs = new WeakMap<object, ScheduledRuns>();

  constructor(
    private readonly name: string,
    private readonly measured: Measured,
    private readonly nextRuns: () => DueRuns | undefined,
  ) {}

  call(method: Method, self: unknown, args: unknown[]): unknown {
    return trackCall(
      {
        key: this.measured.key,
        start: (parent, instance) => this.watched(this.measured.start(parent, instance), instance),
      },
      method,
      self,
      args,
    );
  }

  /** A call that is part of something else, and a subscription to what a run returned, are no runs. */
  private watched(running: Measurement | undefined, self: unknown): Measurement | undefined {
    if (running === undefined || typeof self !== 'object' || self === null) return running;
    try {
      const runs = this.runs.get(self) ?? new ScheduledRuns(this.nextRuns);
      this.runs.set(self, runs);
      return new WatchedRun(
        running,
        runs.start((fault) => this.report(fault, running.context)),
      );
    } catch (error) {
      reportFault('a schedule could not be watched', error);
      return running;
    }
  }

  private report(fault: ScheduleFault, within: Context): void {
    const span = trace.getSpan(within);
    const sink = liveSpanOf(span)?.sink ?? tracingRuntime.monitor?.sink;
    sink?.requests.scheduleFailed(fault, this.name, span);
  }
}

/** The measurement of a run that also ends the run. */
class WatchedRun implements Measurement {
  readonly context: Context;
  readonly parent: Context;

  constructor(
    private readonly running: Measurement,
    private readonly run: ScheduledRun,
  ) {
    this.context = running.context;
    this.parent = running.parent;
  }

  succeed(): void {
    this.end();
    this.running.succeed();
  }

  fail(error: unknown): void {
    this.end();
    this.running.fail(error);
  }

  abandon(): void {
    this.run.discard();
    this.running.abandon();
  }

  lose(): void {
    this.run.discard();
    this.running.lose();
  }

  private end(): void {
    try {
      this.run.end();
    } catch (error) {
      reportFault('a schedule could not be watched', error);
    }
  }
}
