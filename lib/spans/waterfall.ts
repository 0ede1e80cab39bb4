import { round } from '../text/round.js';
import type { CompletedSpan, CompletedSpans } from './completed-spans.js';

/** The spans of a slow operation. Up to 200. */
export interface Waterfall {
  /** The operation itself, then the spans that completed below it, in depth-first order. */
  spans: WaterfallSpan[];
  /** The number of spans that are not listed: the shortest, if there were more than 200. */
  omitted: number;
}

/** One span of a {@link Waterfall}. */
export interface WaterfallSpan {
  /** Low-cardinality, like the name of an operation. */
  name: string;
  type: string;
  /** When it started, in milliseconds since the start of the operation. */
  startMs: number;
  durationMs: number;
  /** The index of its parent; -1 for the operation itself. */
  parent: number;
  /** It failed. */
  error?: true;
}

/** The waterfall of an operation. @param completed the spans that completed below it, on the same clock */
export function waterfallOf(operation: CompletedSpan, completed: CompletedSpans): Waterfall {
  const spans: WaterfallSpan[] = [];
  const add = ({ name, type, startedAt, durationMs, failed }: CompletedSpan, parent: number): number =>
    spans.push({
      name,
      type,
      // A span that was created afterwards, with times of another clock, may seem to start earlier.
      startMs: round(Math.max(0, startedAt - operation.startedAt)),
      durationMs: round(durationMs),
      parent,
      ...(failed ? { error: true as const } : {}),
    }) - 1;
  completed.walk(add(operation, -1), add);
  return { spans, omitted: completed.omitted };
}
