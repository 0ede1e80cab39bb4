import { context, propagation } from '@opentelemetry/api';

export type Headers = Record<string, string>;

/** Baggage is no part of the trace: it may accompany that of another tool. */
const BAGGAGE = 'baggage';

/**
 * The headers that continue the active trace, as the propagators write them, without those that a message has. Empty where
 * the message continues a trace already: half of the headers of two traces would be neither.
 * @param has whether the message has a header of this name
 */
export function traceHeaders(has: (name: string) => boolean): Headers {
  const headers: Headers = {};
  propagation.inject(context.active(), headers);
  const taken = new Set(Object.keys(headers).filter(has));
  if (taken.size === 0) return headers;
  if (taken.size > 1 || !taken.has(BAGGAGE)) return {};
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== BAGGAGE));
}

/** Whether an object has a header of this name, in upper or lower case. */
export function hasHeader(headers: unknown): (name: string) => boolean {
  const names = new Set(
    typeof headers === 'object' && headers !== null
      ? Object.keys(headers).map((name) => name.toLowerCase())
      : [],
  );
  return (name) => names.has(name.toLowerCase());
}

export function isEmpty(headers: Headers): boolean {
  return Object.keys(headers).length === 0;
}
