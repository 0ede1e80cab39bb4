import { createHash } from 'node:crypto';
import { DeferredEmitter } from '../async/deferred-emitter.js';
import { lastLines, type OperationLog } from '../spans/operation-log.js';
import { round } from '../text/round.js';
import {
  type DetailedFinding,
  type Finding,
  type FindingType,
  type FoundError,
  type Observation,
  SEVERITIES,
  type Severity,
  severityOf,
} from './finding.js';

/** Each observation of these is news: a state of a change over time. */
const CHANGES: ReadonlySet<FindingType> = new Set(['regression', 'trend', 'memory_leak']);

/** Lines of a log that a finding keeps. */
const MAX_LOG_LINES = 10;

/** 1, 10, 100, 1000 … */
function isRound(count: number): boolean {
  let power = 1;
  while (power < count) power *= 10;
  return power === count;
}

/** The order of lists: what fails matters however little time it takes. */
export function byWeight(a: Finding, b: Finding): number {
  return Number(isFailing(b)) - Number(isFailing(a)) || b.totalMs - a.totalMs;
}

function isFailing({ type, severity }: Finding): boolean {
  return type === 'errors' && severity !== 'info';
}

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
  /** What the latest failed execution logged, by the key of its finding. */
  private readonly logs = new Map<string, OperationLog>();
  private readonly events: DeferredEmitter<Finding>;
  /** One for each type and severity. */
  private readonly counted: FindingCount[] = [];

  constructor(
    private readonly capacity: number,
    onError: (error: unknown, listenersOf?: string) => void,
  ) {
    this.events = new DeferredEmitter(onError, 'findings');
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
          this.logs.delete(oldest);
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
    if (observation.error !== undefined)
      finding.error = foundError(observation.error, finding.error, timestamp);
    if (observation.log !== undefined) this.logs.set(key, lastLines(observation.log, MAX_LOG_LINES));
    const isRise = SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(finding.severity);
    if (isRise) finding.severity = severity;
    if (callSite !== undefined) finding.callSite = callSite;
    if (isRise || isRound(finding.count) || CHANGES.has(type)) this.events.emit({ ...finding });
    return finding;
  }

  /** Repeated errors first, then those with the most time. */
  list({ limit = this.capacity, type }: { limit?: number; type?: FindingType } = {}): Finding[] {
    return [...this.kept.values()]
      .filter((finding) => type === undefined || finding.type === type)
      .sort(byWeight)
      .slice(0, limit)
      .map((finding) => ({ ...finding }));
  }

  /** The finding with this id, if it is kept, with its log. */
  get(id: string): DetailedFinding | undefined {
    for (const [key, finding] of this.kept) {
      if (finding.id !== id) continue;
      const log = this.logs.get(key);
      return { ...finding, ...(log === undefined ? {} : { log }) };
    }
    return undefined;
  }

  /** Observations since the start or the last {@link clear}, those of dropped findings included. */
  counts(): readonly FindingCount[] {
    return this.counted;
  }

  /**
   * Calls `listener` with a finding when it is first seen, for the 10th, 100th, 1000th … time, and when its severity rises;
   * with a change over time whenever it is observed. Returns what stops it.
   */
  on(listener: (finding: Finding) => void): () => void {
    return this.events.on(listener);
  }

  /** The number of findings that are kept. */
  get size(): number {
    return this.kept.size;
  }

  get dropped(): number {
    return this.events.dropped;
  }

  clear(): void {
    this.kept.clear();
    this.logs.clear();
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

function foundError(
  { class: errorClass, message, isHandled }: NonNullable<Observation['error']>,
  before: FoundError | undefined,
  timestamp: number,
): FoundError {
  const lastFailedAt = isHandled ? before?.lastFailedAt : timestamp;
  return { class: errorClass, message, ...(lastFailedAt !== undefined && { lastFailedAt }) };
}
