import type { FailedOperation } from './failed-operation.js';
import type { LineRing } from './operation-log.js';
import type { RequestWork } from './request-work.js';

/** The state of a request, or of any other outermost span of this process's part of a trace. */
export class RequestState {
  /** One of its spans was slow or failed. */
  isNotable = false;
  /** It stays open for as long as the client listens, as an event stream does: nobody waits for its end. */
  isStream = false;
  /** A handler of the application does it: a message, a job, a schedule or an event. */
  isHandled = false;
  /** Calls of providers with spans, see `tracing.providers`. */
  providerCalls = 0;
  /** Database statements that ended. */
  statements = 0;
  /** How many requests had started before it; NaN if one of them still ran. */
  startedBefore = Number.NaN;
  /** What its spans wait for. */
  work: RequestWork | undefined = undefined;
  /** What failed within it, until its response shows whether the request failed as well. */
  failures: FailedOperation[] | undefined = undefined;
  /** The last lines that were logged within it, where `logging.keep` is on. */
  lines: LineRing | undefined = undefined;
  /** The spans of an unsampled trace that wait for its end, see `SlowTraceProcessor`. */
  buffer: unknown = undefined;

  /** @param sheds the bits of the parts of this package that pause for this request */
  constructor(readonly sheds: number) {}
}
