import type { CauseName } from './cause.js';
import type { SlowOperation } from './slow-operation.js';

/** How a slow operation ended; `2xx` to `5xx` by the status of the response of an incoming request. */
export const SLOW_STATUSES = ['failed', 'succeeded', '2xx', '3xx', '4xx', '5xx'] as const;
export type SlowStatus = (typeof SLOW_STATUSES)[number];

/** Which slow operations are listed: those that meet each given condition. */
export interface SlowFilter {
  type?: string | undefined;
  /** The exact name of the operation, or of the outermost one that it ran in. */
  name?: string | undefined;
  /** The first cause. */
  cause?: CauseName | undefined;
  status?: SlowStatus | undefined;
  /** The shortest duration, in milliseconds. */
  minMs?: number | undefined;
  /** The earliest end, in milliseconds since 1970. */
  since?: number | undefined;
  /** The latest end, in milliseconds since 1970. */
  until?: number | undefined;
  /** Part of the name, the explanation, the statement, the trace ID or the span ID, in any case. */
  text?: string | undefined;
}

/** Whether a slow operation meets all conditions of a filter. */
export function slowMatcher(filter: SlowFilter): (operation: SlowOperation) => boolean {
  const { type, name, cause, status, minMs, since, until } = filter;
  const text = filter.text?.trim().toLowerCase() ?? '';
  return (one) =>
    (type === undefined || one.type === type) &&
    (name === undefined || one.name === name || one.root?.name === name) &&
    (cause === undefined || one.cause === cause) &&
    (status === undefined || endedWith(one, status)) &&
    (minMs === undefined || one.durationMs >= minMs) &&
    (since === undefined || one.timestamp >= since) &&
    (until === undefined || one.timestamp <= until) &&
    (text === '' || contains(one, text));
}

function endedWith({ error, http }: SlowOperation, status: SlowStatus): boolean {
  if (status === 'failed' || status === 'succeeded') return error === (status === 'failed');
  return Math.floor((http?.statusCode ?? 0) / 100) === Number(status[0]);
}

function contains({ name, explanation, statement, traceId, id }: SlowOperation, text: string): boolean {
  return [name, explanation, statement, traceId, id].some((part) => part?.toLowerCase().includes(text));
}
