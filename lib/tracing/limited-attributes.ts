import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { sanitizeAttributes } from '@opentelemetry/core';

/** How many attributes a span has, and each of its events and links. How many events it has, and how many links. The SDK's. */
export const MAX_OF_SPAN = 128;

/** The valid ones of the attributes of an event or a link, up to the limit. */
export function limitedAttributes(given: Attributes | undefined): {
  attributes: Attributes;
  droppedAttributesCount: number;
} {
  const valid = Object.entries(sanitizeAttributes(given));
  const kept = valid.slice(0, MAX_OF_SPAN);
  return { attributes: Object.fromEntries(kept), droppedAttributesCount: valid.length - kept.length };
}

/** Adds an item to the last 128. @returns how many were dropped */
export function addLimited<T>(list: T[], item: T): number {
  list.push(item);
  if (list.length <= MAX_OF_SPAN) return 0;
  list.shift();
  return 1;
}

/** The attributes of an exception by the semantic conventions, as the SDK sets them; undefined if it has none. */
export function exceptionAttributes(exception: unknown): Attributes | undefined {
  if (typeof exception === 'string') return exception === '' ? undefined : { 'exception.message': exception };
  const { code, name, message, stack } = (exception ?? {}) as Record<string, AttributeValue | undefined>;
  const type = code ? String(code) : name;
  if (!type && !message) return undefined;
  return {
    ...(type ? { 'exception.type': type } : {}),
    ...(message ? { 'exception.message': message } : {}),
    ...(stack ? { 'exception.stacktrace': stack } : {}),
  };
}
