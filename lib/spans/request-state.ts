import type { RequestWork } from './request-work.js';

/** What is known of a request as a whole, or of whatever else is the outermost span of this process's part of a trace. */
export class RequestState {
  /** A span of it was slow or failed. */
  isNotable = false;
  /** It stays open for as long as the client listens, as a stream of events does: nobody waits for its end. */
  isStream = false;
  /** Statements that ended. */
  statements = 0;
  /** Requests that had started before it; NaN where one of them still ran. */
  startedBefore = Number.NaN;
  /** CPU time of the process when it started, in milliseconds; 0 where nothing is sampled. */
  cpuStartMs = 0;
  /** What its spans wait for. */
  work: RequestWork | undefined = undefined;
  /** Spans of an unsampled trace that wait for its end. */
  buffer: unknown = undefined;
}
