import { round } from '../text/round.js';
import type { CompletedSpan, CompletedSpans } from './completed-spans.js';

/** What a slow operation consisted of, span by span. At most 200 spans. */
export interface Waterfall {
  /** The operation itself, then the spans that ended below it: each behind the one around it, and its own right behind it. */
  spans: WaterfallSpan[];
  /** Spans that ended below it and are not listed: the shortest, where there were too many. */
  omitted: number;
}

/** One span of a {@link Waterfall}. */
export interface WaterfallSpan {
  /** Low-cardinality, as an operation's. */
  name: string;
  type: string;
  /** When it began, in milliseconds since the operation did. */
  startMs: number;
  durationMs: number;
  /** The index of the span around it; -1 for the operation itself. */
  parent: number;
  /** It failed. */
  error?: true;
}

/** @param ended what ended below `operation`, on its clock */
export function waterfallOf(operation: CompletedSpan, ended: CompletedSpans): Waterfall {
  const spans: WaterfallSpan[] = [];
  const show = ({ name, type, startedAt, durationMs, failed }: CompletedSpan, parent: number): number =>
    spans.push({
      name,
      type,
      // Of a span that is made afterwards with times of another clock, the start may seem to be earlier.
      startMs: round(Math.max(0, startedAt - operation.startedAt)),
      durationMs: round(durationMs),
      parent,
      ...(failed ? { error: true as const } : {}),
    }) - 1;
  ended.walk(show(operation, -1), show);
  return { spans, omitted: ended.omitted };
}
