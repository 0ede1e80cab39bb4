import type { RecordedRequest, RequestSpan } from './recorded-span.js';

/** The start or end of a span. */
export interface Moment {
  readonly at: number;
  readonly span: RequestSpan;
  readonly begins: boolean;
  /** The order at one instant: earlier spans end, new spans begin, spans of no duration end. */
  readonly rank: 0 | 1 | 2;
}

/** The starts and ends of a request's spans in order. */
export function timeline(request: RecordedRequest): Moment[] {
  const moments: Moment[] = [];
  const starts = new Map<RequestSpan, number>();
  for (const span of request) {
    const { parent } = span;
    // Corrects children that start before their parent because of clock resolution.
    const from =
      parent === undefined
        ? span.span.startedAt
        : Math.max(span.span.startedAt, starts.get(parent) as number);
    const to = Math.max(from, span.span.endedAt);
    starts.set(span, from);
    moments.push({ at: from, span, begins: true, rank: 1 });
    moments.push({ at: to, span, begins: false, rank: to > from ? 0 : 2 });
  }
  return moments.sort(inOrder);
}

/** At one instant and rank, parents start before their children and end after them. */
function inOrder(a: Moment, b: Moment): number {
  if (a.at !== b.at) return a.at - b.at;
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.begins ? a.span.depth - b.span.depth : b.span.depth - a.span.depth;
}
