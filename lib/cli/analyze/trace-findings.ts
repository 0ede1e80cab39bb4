import { type FindingType, type Severity, severityOf } from '../../explain/finding.js';
import { round } from '../../text/round.js';
import type { Seen } from './replay.js';

/** What was found in one trace. Plain data, and documented: what reads it are other people's scripts. */
export interface TraceFinding {
  type: FindingType;
  severity: Severity;
  traceId: string;
  /** The innermost span that all of it happened in. */
  parentSpanId: string;
  /** The spans that show it, 20 at the most. */
  spanIds: readonly string[];
  /** What was repeated, without its values; or the names of the calls, joined by ` > `. */
  fingerprint: string;
  /** How many repetitions, or calls. */
  count: number;
  /** Milliseconds in which at least one of them ran. */
  totalMs: number;
  explanation: string;
  /** The request or message within which it was found, and the service that served it. */
  route: string;
  service: string;
}

export function findingOf({ observation, spanIds }: Seen, service: string): TraceFinding {
  const { type, ms, traceId, spanId, fingerprint, repetitions, explanation, route } = observation;
  return {
    type,
    severity: severityOf(ms),
    traceId,
    parentSpanId: spanId,
    spanIds,
    fingerprint,
    count: repetitions,
    totalMs: round(ms),
    explanation,
    route,
    service,
  };
}
