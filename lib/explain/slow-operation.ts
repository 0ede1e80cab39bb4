import type { HttpEvidence, OperationBaseline, OperationType } from '../operation/operation.js';
import type { ResourceEvidence } from '../process/resource-sampler.js';
import type { Waterfall } from '../spans/waterfall.js';
import type { Explanation } from './explainer.js';

/** One operation that was slow, with the evidence that was at hand when it ended. Plain data, fit for JSON. */
export interface SlowOperation extends Explanation {
  /** The span's id, unique among those kept. */
  id: string;
  /** When it ended, in milliseconds since 1970. */
  timestamp: number;
  type: OperationType;
  /** Low-cardinality: `GET /users/:id`, `SELECT users`, `AlbumsService.list`. */
  name: string;
  durationMs: number;
  thresholdMs: number;
  /** `durationMs / thresholdMs` */
  slownessRatio: number;
  /** The duration less the time in which at least one child ran; absent where the span's children were not seen. */
  selfTimeMs?: number;
  error: boolean;
  /** What the operation usually takes, once that is known. */
  baseline?: OperationBaseline;
  /** It is slow by what it usually takes, and not by its threshold: see `baseline.adaptive`. */
  adaptive?: true;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  /** The route or method within which it ran, when it is not the outermost one itself. */
  root?: { type: OperationType; name: string };
  resources?: ResourceEvidence;
  /** The id of the CPU profile of its time, where one is kept: see `/performance/profiles/:id`. */
  profile?: string;
  /** The id of the heap snapshot that was taken when it ended, where one was. */
  heapSnapshot?: string;
  /** Of a served request: where its time was spent, as far as the request got. */
  http?: HttpEvidence;
  /** Of a database operation: the statement without its literals. */
  statement?: string;
}

/** A slow operation as it is told when that one alone is asked for. */
export interface DetailedSlowOperation extends SlowOperation {
  /** The spans that ended below it; absent where there were none, and where `detection.explain` is false. */
  waterfall?: Waterfall;
}
