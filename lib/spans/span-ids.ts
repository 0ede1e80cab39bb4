import { isSpanContextValid, type SpanContext } from '@opentelemetry/api';
import type { EndedOperation } from './ended-operation.js';

/** The ids of an operation's span; empty where it has none that is valid. */
export function spanIdsOf(span: EndedOperation['span']): { traceId: string; spanId: string } {
  const given = span?.spanContext?.() as SpanContext | undefined;
  const { traceId, spanId } =
    given !== undefined && isSpanContextValid(given) ? given : { traceId: '', spanId: '' };
  return { traceId, spanId };
}
