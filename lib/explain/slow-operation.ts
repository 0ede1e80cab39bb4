import type { CallSite } from '../code/call-site.js';
import type { HttpEvidence, OperationBaseline, OperationType } from '../operation/operation.js';
import type { StatementPlan } from '../plans/statement-plan.js';
import type { ResourceEvidence } from '../process/resource-sampler.js';
import type { HotFunction } from '../profiling/hot-functions.js';
import type { OperationLog } from '../spans/operation-log.js';
import type { Waterfall } from '../spans/waterfall.js';
import type { CauseName, RankedCause } from './cause.js';

/** Why an operation was slow. */
export interface Explanation {
  /** The first of `causes`. */
  cause: CauseName;
  /** Its share of the duration, 0 to 1. */
  causeShare: number;
  /** In words. */
  explanation: string;
  /** All causes, the greatest share first. */
  causes: RankedCause[];
  /** The line of the application's code behind the first cause, where it is known. */
  callSite?: CallSite;
  /** The functions that used its CPU time, by self time, where it was sampled. */
  topFunctions?: readonly HotFunction[];
  /** What was repeated most, where something was. */
  nPlusOne?: { statement: string; count: number; totalMs: number };
}

/** One slow operation with its evidence. Plain data, fit for JSON. Never changed: an update is a new object. */
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
  /** The duration less the time in which at least one child ran; absent where child spans are not recorded. */
  selfTimeMs?: number;
  error: boolean;
  /** The baseline of the operation, once enough is known. */
  baseline?: OperationBaseline;
  /** It is slow by its baseline, and not by its threshold: see `baseline.adaptive`. */
  adaptive?: true;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  /** The outermost operation that it ran in, unless it is that one itself. */
  root?: { type: OperationType; name: string };
  resources?: ResourceEvidence;
  /** The id of the CPU profile of its time, where one is kept: see `/performance/profiles/:id`. */
  profile?: string;
  /** The id of the heap snapshot that was taken when it ended, if any. */
  heapSnapshot?: string;
  /** Of an incoming request: where its time was spent, as far as the request got. */
  http?: HttpEvidence;
  /** Of a database operation: the statement without its literals. */
  statement?: string;
  /** The plan of the statement behind it, where `detection.plans` is set and the plan shows something. */
  plan?: StatementPlan;
}

/** A slow operation with what is only returned for a single one. */
export interface DetailedSlowOperation extends SlowOperation {
  /** The spans that completed below it; absent where there were none, and where `detection.explain` is false. */
  waterfall?: Waterfall;
  /** The last lines that were logged within it, where `logging.keep` is on. */
  log?: OperationLog;
}
