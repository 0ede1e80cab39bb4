import type { RecordedSpan } from './recorded-span.js';

/** Milliseconds by which a span may seem to start before the one around it. */
const CLOCK_MS = 1;

/**
 * For each span without a parent the request that ran when it started: one of its service, or of any if its service served
 * none. Absent if that is not certain: of two requests, one must run within the other.
 */
export function runningRequests<Request extends { readonly root: RecordedSpan }>(
  orphans: readonly RecordedSpan[],
  requests: readonly Request[],
): ReadonlyMap<RecordedSpan, Request> {
  const byService = new Map<string, Request[]>();
  for (const request of requests) {
    const { key } = request.root.service;
    const others = byService.get(key);
    if (others === undefined) byService.set(key, [request]);
    else others.push(request);
  }
  const timelines = new Map<readonly Request[], Timeline<Request>>();
  const found = new Map<RecordedSpan, Request>();
  for (const orphan of [...orphans].sort((a, b) => a.startedAt - b.startedAt)) {
    const candidates = byService.get(orphan.service.key) ?? requests;
    let timeline = timelines.get(candidates);
    if (timeline === undefined) {
      timeline = new Timeline(candidates);
      timelines.set(candidates, timeline);
    }
    const request = timeline.innermostAt(orphan.startedAt);
    if (request !== undefined) found.set(orphan, request);
  }
  return found;
}

/** The requests that run at a time, which only advances. */
class Timeline<Request extends { readonly root: RecordedSpan }> {
  private readonly waiting: Request[];
  /** Those that have started, the last one last. */
  private readonly started: Request[] = [];
  /** The same by their end, the first one last. */
  private readonly ending: Request[] = [];

  constructor(requests: readonly Request[]) {
    // Of those that start together, the one that runs longest starts first, so that it is below the others.
    this.waiting = [...requests].sort(
      (a, b) => b.root.startedAt - a.root.startedAt || runsUntil(a.root) - runsUntil(b.root),
    );
  }

  innermostAt(time: number): Request | undefined {
    const { waiting, started, ending } = this;
    for (
      let next = waiting.at(-1);
      next !== undefined && next.root.startedAt - CLOCK_MS <= time;
      next = waiting.at(-1)
    ) {
      waiting.pop();
      started.push(next);
      ending.splice(placeOf(next.root.endedAt, ending), 0, next);
    }
    popEnded(started, time);
    popEnded(ending, time);
    const innermost = started.at(-1);
    if (innermost === undefined) return undefined;
    const { startedAt, endedAt } = innermost.root;
    const isParallel = started.at(-2)?.root.startedAt === startedAt;
    const isInnermost = endedAt <= (ending.at(-1) as Request).root.endedAt;
    return isInnermost && !isParallel ? innermost : undefined;
  }
}

/** The times of a span that was corrected do not show when it ended. */
function runsUntil({ isAdjusted, endedAt }: RecordedSpan): number {
  return isAdjusted ? Number.POSITIVE_INFINITY : endedAt;
}

function popEnded(requests: { readonly root: RecordedSpan }[], time: number): void {
  for (let last = requests.at(-1); last !== undefined && runsUntil(last.root) <= time; last = requests.at(-1))
    requests.pop();
}

/** Where a request with this end belongs among those that end later and earlier. */
function placeOf(endedAt: number, ending: readonly { readonly root: RecordedSpan }[]): number {
  let from = 0;
  let to = ending.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((ending[middle] as { root: RecordedSpan }).root.endedAt >= endedAt) from = middle + 1;
    else to = middle;
  }
  return from;
}
