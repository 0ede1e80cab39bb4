import { type Attributes, isValidTraceId } from '@opentelemetry/api';
import type { SlowOperation } from '../explain/slow-operation.js';

/** The trace of one of the counted operations. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  /** In the unit of the metric. */
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** A slow operation as an exemplar; undefined without a trace. */
export function exemplarOf({ traceId, spanId, durationMs, timestamp }: SlowOperation): Exemplar | undefined {
  return isValidTraceId(traceId) ? { traceId, spanId, value: durationMs / 1000, timestamp } : undefined;
}

/** The value of one series. */
export interface NumberPoint {
  readonly attributes: Attributes;
  readonly value: number;
  readonly exemplar?: Exemplar;
}

/** The durations of one series since counting began, in milliseconds whatever the unit of the metric. */
export interface HistogramPoint {
  readonly attributes: Attributes;
  readonly count: number;
  readonly sumMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** The buckets of {@link LatencyHistogram}. Valid until the next point is read. */
  readonly buckets: Float64Array;
  readonly exemplar?: Exemplar;
}

/** Points in sequence. undefined marks a pause, in which the caller may yield to the event loop. */
export type Points<T> = Iterable<T | undefined>;

interface Described {
  /** By OpenTelemetry's naming conventions: `http.server.request.duration`. */
  readonly name: string;
  /** In UCUM: `s`, `By`, `1` for a ratio, `{operation}`; empty for other numbers. */
  readonly unit: string;
  readonly description: string;
  /** When counting began, in milliseconds since 1970. */
  readonly since: number;
}

export interface Histogram extends Described {
  readonly kind: 'histogram';
  points(): Points<HistogramPoint>;
}

/** `counter`: falls only by a reset. `sum`: rises and falls, and can be added over instances. */
export interface NumberMetric extends Described {
  readonly kind: 'counter' | 'sum' | 'gauge';
  points(): Points<NumberPoint>;
}

/** A metric whose points are computed when they are read. */
export type Metric = Histogram | NumberMetric;
