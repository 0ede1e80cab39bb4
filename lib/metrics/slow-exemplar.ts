import { isValidTraceId } from '@opentelemetry/api';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { Exemplar } from './metric.js';

/** A slow operation as an exemplar; nothing where there is no trace to look at. */
export function exemplarOf({ traceId, spanId, durationMs, timestamp }: SlowOperation): Exemplar | undefined {
  return isValidTraceId(traceId) ? { traceId, spanId, value: durationMs / 1000, timestamp } : undefined;
}
