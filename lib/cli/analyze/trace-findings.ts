import { type FindingType, SEVERITIES, type Severity, severityOf } from '../../explain/finding.js';
import { round } from '../../text/round.js';
import type { Seen } from './replay.js';

/** A finding in one trace, as documented plain JSON for scripts. */
export interface TraceFinding {
  type: FindingType;
  severity: Severity;
  traceId: string;
  /** The innermost span that contains all of it. */
  parentSpanId: string;
  /** Up to 20 of the repeated spans or calls. */
  spanIds: readonly string[];
  /** The repeated work without its values, or the names of the calls joined by ` > `. */
  fingerprint: string;
  /** The number of repetitions or calls. */
  count: number;
  /** Milliseconds in which at least one of them ran. */
  totalMs: number;
  explanation: string;
  /** The request or message with the finding. */
  route: string;
  /** The service that handled it. */
  service: string;
}

export function findingOf({ observation, spanIds }: Seen, service: string): TraceFinding {
  const { type, ms, traceId, spanId, fingerprint, repetitions, explanation, route } = observation;
  return {
    type,
    severity: observation.severity ?? severityOf(ms),
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

/** The maximum number of findings kept. */
const CAPACITY = 10_000;

/** The findings with the most total time, and the number of all findings by severity. */
export class TopFindings {
  readonly counts: Record<Severity, number> = { info: 0, warning: 0, critical: 0 };
  private kept: TraceFinding[] = [];

  constructor(private readonly capacity = CAPACITY) {}

  add(finding: TraceFinding): void {
    this.counts[finding.severity]++;
    this.kept.push(finding);
    // Sorted rarely, so that the amortized cost is low.
    if (this.kept.length >= 2 * this.capacity) this.cut();
  }

  get total(): number {
    return this.counts.info + this.counts.warning + this.counts.critical;
  }

  get omitted(): number {
    return Math.max(0, this.total - this.capacity);
  }

  /** Sorted by total time, highest first. */
  list(): readonly TraceFinding[] {
    this.cut();
    return this.kept;
  }

  /** Whether there is a finding of at least this severity. */
  reaches(severity: Severity): boolean {
    return SEVERITIES.slice(SEVERITIES.indexOf(severity)).some((one) => this.counts[one] > 0);
  }

  private cut(): void {
    this.kept.sort((a, b) => b.totalMs - a.totalMs);
    if (this.kept.length > this.capacity) this.kept.length = this.capacity;
  }
}
