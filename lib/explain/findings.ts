import { createHash } from 'node:crypto';
import { Events } from '../monitor/events.js';
import { round } from '../monitor/round.js';
import { type Finding, type FindingType, type Observation, SEVERITIES, severityOf } from './finding.js';

/** Findings by type, fingerprint and route. The one that was not seen for the longest time makes room. */
export class Findings {
  private readonly kept = new Map<string, Finding>();
  private readonly events: Events<Finding>;

  constructor(
    private readonly capacity: number,
    onError: (error: unknown) => void,
  ) {
    this.events = new Events(onError);
  }

  /** Adds an observation to its finding. `callSite` may come later than the first one. */
  observe(observation: Observation, callSite: Finding['callSite'], timestamp: number): Finding {
    const { type, fingerprint, route, ms } = observation;
    const key = `${type}\n${route}\n${fingerprint}`;
    const severity = observation.severity ?? severityOf(ms);
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

  /** The most time lost first. */
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

  /** Calls `listener` each time a finding was seen. Returns what stops it. */
  on(listener: (finding: Finding) => void): () => void {
    return this.events.on(listener);
  }

  get dropped(): number {
    return this.events.dropped;
  }

  clear(): void {
    this.kept.clear();
    this.events.dropped = 0;
  }

  close(): void {
    this.events.close();
  }
}
