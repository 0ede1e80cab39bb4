import type { Attributes } from '@opentelemetry/api';

/** A trace that shows one of the operations that were counted. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  /** In the unit of the metric. */
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** A number of one series. */
export interface NumberPoint {
  readonly attributes: Attributes;
  readonly value: number;
  readonly exemplar?: Exemplar;
}

/** The durations of one series since counting began, in milliseconds whatever they are shown in. */
export interface HistogramPoint {
  readonly attributes: Attributes;
  readonly count: number;
  readonly sumMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** As {@link LatencyHistogram} counts. Valid until the next point is taken. */
  readonly buckets: Float64Array;
  readonly exemplar?: Exemplar;
}

/** Points one after the other; nothing where a while passes until the next one, so that others may run. */
export type Points<T> = Iterable<T | undefined>;

interface Described {
  /** By OpenTelemetry's conventions: `http.server.request.duration`. */
  readonly name: string;
  /** In UCUM: `s`, `By`, `1` for a ratio, `{operation}`; empty for a number of another kind. */
  readonly unit: string;
  readonly description: string;
  /** When counting began, in milliseconds since 1970. */
  readonly since: number;
}

export interface Histogram extends Described {
  readonly kind: 'histogram';
  points(): Points<HistogramPoint>;
}

/** `counter`: never falls but by a reset. `sum`: rises and falls, and may be added over instances. */
export interface NumberMetric extends Described {
  readonly kind: 'counter' | 'sum' | 'gauge';
  points(): Points<NumberPoint>;
}

/** What is told of one name: read when somebody asks, so that it costs nothing before. */
export type Metric = Histogram | NumberMetric;
