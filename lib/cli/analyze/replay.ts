import { isSequential } from '../../explain/cause.js';
import { observeChain, observeRepetition } from '../../explain/explanation.js';
import type { Observation } from '../../explain/finding.js';
import { judgeRepetition, type RepetitionLimits } from '../../explain/repetition.js';
import { RequestWork } from '../../spans/request-work.js';
import { SpanTiming } from '../../spans/span-timing.js';
import { WORKS } from '../../spans/work.js';
import type { WorkGroup } from '../../spans/work-group.js';
import type { RecordedRequest, RequestSpan } from './recorded-requests.js';
import type { RecordedSpan } from './recorded-span.js';
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
 * the live library.
 */
export function replay(request: RecordedRequest, traceId: string, limits: RepetitionLimits): Seen[] {
  const root = request[0] as RequestSpan;
  const work = new RequestWork(limits.minRepetitions);
  const pauses = new Pauses(root.span.startedAt);
  const nodes = new Map<RequestSpan, ReplayedSpan>();
  const counted = new Set<ReplayedSpan>();
  let end = root.span.endedAt;
  for (const { span, at: now, begins } of timeline(request)) {
    if (begins) {
      const node = new ReplayedSpan(span.span, span.parent && nodes.get(span.parent), now);
      nodes.set(span, node);
      if (!node.counts) continue;
      counted.add(node);
      pauses.workBegins(now);
      begin(node, work, now, pauses.sum);
      continue;
    }
    const node = nodes.get(span) as ReplayedSpan;
    node.end(now, 0);
    if (counted.has(node)) {
      finish(node, work, now, pauses.sum);
      pauses.workEnds(now);
    }
    if (span === root) {
      end = now;
      break;
    }
  }
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
  const { error, inputs, spanId } = recorded;
  const durationMs = recorded.endedAt - recorded.startedAt;
  work.end(group, { durationMs, error, inputs, rows: undefined, spanId }, alone, now, idle);
}

function judge(
  work: RequestWork,
  route: string,
  traceId: string,
  limits: RepetitionLimits,
  now: number,
): Seen[] {
  const seen: Seen[] = [];
  for (const group of work.groups) {
    const repetition = judgeRepetition(group, limits, now);
    if (repetition === undefined) continue;
    const owner = (group.owner as ReplayedSpan).recorded.spanId;
    const observation = observeRepetition(repetition, route, traceId, owner, undefined);
    seen.push({ observation, spanIds: group.spanIds });
  }
  const chain = work.chain.best;
  if (isSequential(chain)) {
    const owner = (chain.owner as ReplayedSpan).recorded.spanId;
    seen.push({ observation: observeChain(chain, route, traceId, owner, undefined), spanIds: chain.spanIds });
  }
  return seen;
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
