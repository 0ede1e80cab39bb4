import type { Observation } from '../../explain/finding.js';
import { observeChain, observeRepetition } from '../../explain/observe-calls.js';
import type { RepetitionLimits } from '../../explain/repetition.js';
import { findInRequest } from '../../explain/request-findings.js';
import { RequestWork } from '../../spans/request-work.js';
import { SpanTiming } from '../../spans/span-timing.js';
import { WORKS } from '../../spans/work.js';
import type { WorkGroup } from '../../spans/work-group.js';
import type { RecordedRequest, RecordedSpan, RequestSpan } from './recorded-span.js';
import { timeline } from './timeline.js';

/** A finding in a request with up to 20 of its spans. */
export interface Seen {
  readonly observation: Observation;
  readonly spanIds: readonly string[];
}

/** A recorded span during its replay. */
class ReplayedSpan extends SpanTiming {
  declare readonly parent: ReplayedSpan | undefined;
  group: WorkGroup | undefined;
  alone = false;

  constructor(
    readonly recorded: RecordedSpan,
    parent: ReplayedSpan | undefined,
    now: number,
  ) {
    super(parent, recorded.work, now, 0);
  }

  /** False for work inside a span of the same work, as when both a query builder and its driver are recorded. */
  get counts(): boolean {
    const { work, key } = this.recorded;
    if (work >= WORKS || this.parent === undefined) return false;
    if (key === undefined) return true;
    for (let at: ReplayedSpan | undefined = this.parent; at !== undefined; at = at.parent)
      if (at.work < WORKS && at.parent !== undefined) return at.recorded.key?.fingerprint !== key.fingerprint;
    return true;
  }
}

/**
 * Replays the starts and ends of a recorded request's spans in order, until the request ends, through the detectors of
 * the live library. What still runs then counts with its time until then.
 */
export function replay(request: RecordedRequest, traceId: string, limits: RepetitionLimits): Seen[] {
  const root = request[0] as RequestSpan;
  const work = new RequestWork(limits.minRepetitions);
  const pauses = new Pauses(root.span.startedAt);
  const nodes = new Map<RequestSpan, ReplayedSpan>();
  const running = new Set<ReplayedSpan>();
  let end = root.span.endedAt;
  for (const { span, at: now, begins } of timeline(request)) {
    if (begins) {
      const node = new ReplayedSpan(span.span, span.parent && nodes.get(span.parent), now);
      nodes.set(span, node);
      if (!node.counts) continue;
      running.add(node);
      pauses.workBegins(now);
      begin(node, work, now, pauses.sum);
      continue;
    }
    end = now;
    // The times of spans that were corrected after the fact do not show when the request ended.
    if (span === root && !root.span.isAdjusted) break;
    const node = nodes.get(span) as ReplayedSpan;
    node.end(now, 0);
    if (!running.delete(node)) continue;
    finish(node, work, now, pauses.sum);
    pauses.workEnds(now);
  }
  for (const node of running) finish(node, work, end, pauses.sum);
  return judge(work, root.span.route, traceId, limits, end);
}

function begin(node: ReplayedSpan, work: RequestWork, now: number, idle: number): void {
  node.alone = work.started(idle);
  const { recorded, parent } = node;
  if (recorded.key !== undefined)
    node.group = work.begin(recorded.key, recorded.work, parent ?? node, now, idle);
}

function finish(node: ReplayedSpan, work: RequestWork, now: number, idle: number): void {
  work.ended(idle);
  const { group, recorded, alone } = node;
  if (group === undefined) return;
  const { error, inputs, rows, spanId, startedAt } = recorded;
  const durationMs = Math.max(0, Math.min(recorded.endedAt, now) - startedAt);
  work.end(group, { durationMs, error, inputs, rows, spanId }, alone, now, idle);
}

function judge(
  work: RequestWork,
  route: string,
  traceId: string,
  limits: RepetitionLimits,
  now: number,
): Seen[] {
  const { loaders, chains } = findInRequest(work, limits, now, () => undefined);
  const idOf = (owner: SpanTiming): string => (owner as ReplayedSpan).recorded.spanId;
  return [
    ...loaders.map((loader) => ({
      observation: observeRepetition(loader, route, traceId, idOf(loader.main.group.owner), undefined),
      spanIds: loader.main.group.spanIds,
    })),
    ...chains.map((chain) => ({
      observation: observeChain(chain, route, traceId, idOf(chain.owner), undefined),
      spanIds: chain.spanIds,
    })),
  ];
}

/**
 * The part of a gap between two operations that may be the application's own processing. Unlike the live library's event
 * loop, a trace does not distinguish it from idle time, so only longer gaps count as pauses.
 */
const OWN_MS = 5;

/** The time that a request was idle without recorded work, which distinguishes polling from an N+1. */
class Pauses {
  /** Total milliseconds so far. */
  sum = 0;
  private running = 0;

  constructor(private since: number) {}

  workBegins(now: number): void {
    if (this.running++ === 0) this.sum += Math.max(0, now - this.since - OWN_MS);
  }

  workEnds(now: number): void {
    if (--this.running === 0) this.since = now;
  }
}
