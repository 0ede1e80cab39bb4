import { isSequential } from '../../explain/cause.js';
import { observeChain, observeRepetition } from '../../explain/explanation.js';
import type { Observation } from '../../explain/finding.js';
import { judgeRepetition, type RepetitionLimits } from '../../explain/repetition.js';
import { RequestWork } from '../../spans/request-work.js';
import { SpanTiming } from '../../spans/span-timing.js';
import { WORKS } from '../../spans/work.js';
import type { WorkGroup } from '../../spans/work-group.js';
import { Pauses } from './pauses.js';
import type { RecordedRequest, RequestSpan } from './recorded-requests.js';
import type { RecordedSpan } from './recorded-span.js';
import { timeline } from './timeline.js';

/** What was seen in a request, and the spans that show it: 20 at the most. */
export interface Seen {
  readonly observation: Observation;
  readonly spanIds: readonly string[];
}

/** A span as it runs once more. */
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

  /** Whether it is waited for, and no span around it is of the same work, as when a query builder and its driver are both recorded. */
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
 * Lets a recorded request run once more by its own clock, for the detectors of the live library: the beginnings and
 * ends of its spans are told in their order, until the request has ended.
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
