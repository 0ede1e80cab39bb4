import { createHash } from 'node:crypto';
import { DeferredEmitter } from '../async/deferred-emitter.js';
import { round } from '../text/round.js';
import {
  type Finding,
  type FindingType,
  type Observation,
  SEVERITIES,
  type Severity,
  severityOf,
} from './finding.js';

/** How often findings of a type and severity were seen, and where they were seen last. */
export interface FindingCount {
  readonly type: FindingType;
  readonly severity: Severity;
  count: number;
  traceId: string;
  spanId: string;
  /** Milliseconds that it took, and when it was, in milliseconds since 1970. */
  ms: number;
  timestamp: number;
}

/** Findings by type, fingerprint and route. The one that was seen least recently is dropped first. */
export class Findings {
  private readonly kept = new Map<string, Finding>();
  private readonly events: DeferredEmitter<Finding>;
  /** One for each type and severity. */
  private readonly counted: FindingCount[] = [];

  constructor(
    private readonly capacity: number,
    onError: (error: unknown) => void,
  ) {
    this.events = new DeferredEmitter(onError);
  }

  /** Adds an observation to its finding. `callSite` may be known only later. */
  observe(observation: Observation, callSite: Finding['callSite'], timestamp: number): Finding {
    const { type, fingerprint, route, ms } = observation;
    const key = `${type}\n${route}\n${fingerprint}`;
    const severity = observation.severity ?? severityOf(ms);
    this.countObservation(observation, severity, timestamp);
    let finding = this.kept.get(key);
    if (finding === undefined) {
      finding = {
        id: createHash('sha256').update(key).digest('hex').slice(0, 16),
        type,
        severity,
        fingerprint,
        route,
        count: 0,
        repetitions: 0,
        totalMs: 0,
        worstMs: 0,
        firstSeen: timestamp,
        lastSeen: timestamp,
        traceId: '',
        spanId: '',
        explanation: '',
      };
      if (this.kept.size >= this.capacity)
        for (const oldest of this.kept.keys()) {
          this.kept.delete(oldest);
          break;
        }
    }
    // The order of the map is the order in which they were seen last.
    this.kept.delete(key);
    this.kept.set(key, finding);
    finding.count++;
    finding.repetitions = observation.repetitions;
    finding.totalMs = round(finding.totalMs + ms);
    finding.worstMs = Math.max(finding.worstMs, round(ms));
    finding.lastSeen = timestamp;
    finding.traceId = observation.traceId;
    finding.spanId = observation.spanId;
    finding.explanation = observation.explanation;
    if (SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(finding.severity)) finding.severity = severity;
    if (callSite !== undefined) finding.callSite = callSite;
    this.events.emit({ ...finding });
    return finding;
  }

  /** Those with the most time first. */
  list({ limit = this.capacity, type }: { limit?: number; type?: FindingType } = {}): Finding[] {
    return [...this.kept.values()]
      .filter((finding) => type === undefined || finding.type === type)
      .sort((a, b) => b.totalMs - a.totalMs)
      .slice(0, limit)
      .map((finding) => ({ ...finding }));
  }

  get(id: string): Finding | undefined {
    for (const finding of this.kept.values()) if (finding.id === id) return { ...finding };
    return undefined;
  }

  /** Observations since the start or the last {@link clear}, those of dropped findings included. */
  counts(): readonly FindingCount[] {
    return this.counted;
  }

  /** Calls `listener` each time a finding is seen. Returns what stops it. */
  on(listener: (finding: Finding) => void): () => void {
    return this.events.on(listener);
  }

  get dropped(): number {
    return this.events.dropped;
  }

  clear(): void {
    this.kept.clear();
    this.counted.length = 0;
    this.events.dropped = 0;
  }

  close(): void {
    this.events.close();
  }

  private countObservation(
    { type, ms, traceId, spanId }: Observation,
    severity: Severity,
    timestamp: number,
  ): void {
    let counted = this.counted.find((one) => one.type === type && one.severity === severity);
    if (counted === undefined) {
      counted = { type, severity, count: 0, traceId, spanId, ms, timestamp };
      this.counted.push(counted);
    }
    counted.count++;
    Object.assign(counted, { traceId, spanId, ms, timestamp });
  }
}
