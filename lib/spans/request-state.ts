import type { RequestWork } from './request-work.js';

/** The state of a request, or of any other outermost span of this process's part of a trace. */
export class RequestState {
  /** One of its spans was slow or failed. */
  isNotable = false;
  /** It stays open for as long as the client listens, as an event stream does: nobody waits for its end. */
  isStream = false;
  /** Database statements that ended. */
  statements = 0;
  /** How many requests had started before it; NaN if one of them still ran. */
  startedBefore = Number.NaN;
  /** CPU time of the process when it started, in milliseconds; 0 if the profiler does not run. */
  cpuStartMs = 0;
  /** What its spans wait for. */
  work: RequestWork | undefined = undefined;
  /** The spans of an unsampled trace that wait for its end, see `SlowTraceProcessor`. */
  buffer: unknown = undefined;
}
