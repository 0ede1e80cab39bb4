import type { CallSite } from '../code/call-site.js';

/** What detectors find. */
export const FINDING_TYPES = [
  'n_plus_one',
  'duplicate_queries',
  'sequential_calls',
  'event_loop_block',
  'regression',
  'trend',
  'memory_leak',
] as const;
export type FindingType = (typeof FINDING_TYPES)[number];

/** `info`: worth knowing. `warning`: costs time. `critical`: costs at least {@link CRITICAL_MS} at a time. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A finding is critical from so many milliseconds at a time, and a warning from so many. */
const CRITICAL_MS = 1000;
const WARNING_MS = 50;

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
}

/** The severity of an observation by the time it took. */
export function severityOf(ms: number): Severity {
  return ms >= CRITICAL_MS ? 'critical' : ms >= WARNING_MS ? 'warning' : 'info';
}
