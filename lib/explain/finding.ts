import type { CallSite } from '../code/call-site.js';
import type { StatementPlan } from '../plans/statement-plan.js';
import type { OperationLog } from '../spans/operation-log.js';

/** What detectors find. */
export const FINDING_TYPES = [
  'n_plus_one',
  'duplicate_queries',
  'sequential_calls',
  'event_loop_block',
  'overlapping_runs',
  'missed_runs',
  'errors',
  'regression',
  'trend',
  'memory_leak',
] as const;
export type FindingType = (typeof FINDING_TYPES)[number];

/** `info`: worth knowing. `warning`: costs time. `critical`: costs much of it, see {@link severityOf}. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** From so many milliseconds, repetitions or rows at a time a finding is a warning, and from so many it is critical. */
const WARNING = { ms: 50, repetitions: 20, rows: 1000 };
const CRITICAL = { ms: 1000, repetitions: 200, rows: 50_000 };

/** The error of a finding of type `errors`. */
export interface FoundError {
  /** Its class: `TypeError`, or `HTTP 500` if only the status of the response is known. */
  readonly class: string;
  /** Its first line without values; may be empty. */
  readonly message: string;
  /**
   * When the operation itself last failed with it, in milliseconds since 1970. Absent if it always occurred in a part of
   * the operation that another one handled.
   */
  readonly lastFailedAt?: number;
}

/** One observation of a detector: in a request, of an operation over time, or of the process. */
export interface Observation {
  readonly type: FindingType;
  /** Default: by `ms`. */
  readonly severity?: Severity;
  /** What was repeated, or what blocked: without literals. */
  readonly fingerprint: string;
  /** The operation within which it was seen, `GET /albums`, or `(process)`. */
  readonly route: string;
  /** How many repetitions or calls. */
  readonly repetitions: number;
  /** Milliseconds that it took. */
  readonly ms: number;
  /** Empty where it was seen over many traces. */
  readonly traceId: string;
  /** The span within which all of it was seen. */
  readonly spanId: string;
  readonly explanation: string;
  /** Of type `errors`. */
  readonly error?: Omit<FoundError, 'lastFailedAt'> & { readonly isHandled: boolean };
  /** Of type `errors`: what the failed operation logged. */
  readonly log?: OperationLog | undefined;
}

/** All equal observations as one. Plain data, fit for JSON. */
export interface Finding {
  /** The same for the same type, fingerprint and route while it is kept. */
  id: string;
  type: FindingType;
  severity: Severity;
  fingerprint: string;
  route: string;
  /** How often it was seen, and how many repetitions there were the last time. */
  count: number;
  repetitions: number;
  /** Milliseconds, over all times and the worst time. */
  totalMs: number;
  worstMs: number;
  /** Milliseconds since 1970. */
  firstSeen: number;
  lastSeen: number;
  /** Where it was seen last. */
  traceId: string;
  spanId: string;
  /** The line of the application's code, where it is known. */
  callSite?: CallSite;
  explanation: string;
  /** The plan of the repeated statement, where `detection.plans` is set and the plan shows something. */
  plan?: StatementPlan;
  /** Of type `errors` only. */
  error?: FoundError;
}

/** A finding with what is only returned for a single one. */
export interface DetailedFinding extends Finding {
  /** Of type `errors`: the last lines that the latest failed execution logged, where `logging.keep` is on. */
  log?: OperationLog;
}

/**
 * The severity of an observation by its milliseconds, its repetitions and the rows that they read, whichever is worst: what
 * is repeated for each row is quick while there are few.
 */
export function severityOf(ms: number, repetitions = 0, rows = 0): Severity {
  const reaches = (limit: typeof WARNING): boolean =>
    ms >= limit.ms || repetitions >= limit.repetitions || rows >= limit.rows;
  return reaches(CRITICAL) ? 'critical' : reaches(WARNING) ? 'warning' : 'info';
}
