import { type HrTime, ValueType } from '@opentelemetry/api';
import type {
  AggregationTemporality,
  DataPoint,
  DataPointType,
  ExponentialHistogramMetricData,
  GaugeMetricData,
  HistogramMetricData,
  SumMetricData,
} from '@opentelemetry/sdk-metrics';
import { BOUNDS_S, explicitBuckets, exponentialBuckets } from './latency-buckets.js';
import type { Histogram, HistogramPoint, Metric, NumberMetric } from './metric.js';

/** A metric in the format of exporters. */
export type MetricData =
  | SumMetricData
  | GaugeMetricData
  | HistogramMetricData
  | ExponentialHistogramMetricData;

/** The values of the SDK, which is loaded only if there is an endpoint. */
export interface MetricsSdk {
  readonly DataPointType: typeof DataPointType;
  readonly AggregationTemporality: typeof AggregationTemporality;
}

/** The format of durations, and the moment of the export. */
export interface ExportSettings {
  readonly sdk: MetricsSdk;
  readonly histograms: 'exponential' | 'explicit';
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Each series of each metric as one item. undefined marks a pause, in which the caller may yield to the event loop. */
export function* otlpPoints(
  metrics: Iterable<Metric>,
  settings: ExportSettings,
): Generator<MetricData | undefined, void> {
  for (const metric of metrics) {
    yield* metric.kind === 'histogram' ? histogram(metric, settings) : numbers(metric, settings);
  }
}

function* numbers(
  metric: NumberMetric,
  { sdk, now }: ExportSettings,
): Generator<SumMetricData | GaugeMetricData | undefined> {
  const base = baseOf(metric, sdk);
  const times = timesOf(metric, now);
  for (const point of metric.points()) {
    if (point === undefined) {
      yield undefined;
      continue;
    }
    const dataPoints: DataPoint<number>[] = [{ ...times, attributes: point.attributes, value: point.value }];
    yield metric.kind === 'gauge'
      ? { ...base, dataPointType: sdk.DataPointType.GAUGE, dataPoints }
      : { ...base, dataPointType: sdk.DataPointType.SUM, dataPoints, isMonotonic: metric.kind === 'counter' };
  }
}

function* histogram(
  metric: Histogram,
  { sdk, histograms, now }: ExportSettings,
): Generator<HistogramMetricData | ExponentialHistogramMetricData | undefined> {
  const base = baseOf(metric, sdk);
  const times = timesOf(metric, now);
  for (const point of metric.points()) {
    if (point === undefined) {
      yield undefined;
      continue;
    }
    const { attributes } = point;
    if (histograms === 'explicit') {
      const buckets = { boundaries: [...BOUNDS_S], counts: explicitBuckets(point.buckets) };
      const dataPoints = [{ ...times, attributes, value: { ...totalsOf(point), buckets } }];
      yield { ...base, dataPointType: sdk.DataPointType.HISTOGRAM, dataPoints };
    } else {
      const dataPoints = [{ ...times, attributes, value: exponentialOf(point) }];
      yield { ...base, dataPointType: sdk.DataPointType.EXPONENTIAL_HISTOGRAM, dataPoints };
    }
  }
}

function exponentialOf(point: HistogramPoint): ExponentialHistogramMetricData['dataPoints'][number]['value'] {
  const { scale, offset, bucketCounts } = exponentialBuckets(point.buckets);
  return {
    ...totalsOf(point),
    scale,
    zeroCount: 0,
    positive: { offset, bucketCounts },
    negative: { offset: 0, bucketCounts: [] },
  };
}

/** In seconds. */
function totalsOf({ count, sumMs, minMs, maxMs }: HistogramPoint) {
  const extremes = count === 0 ? {} : { min: minMs / 1000, max: maxMs / 1000 };
  return { count, sum: sumMs / 1000, ...extremes };
}

function baseOf({ name, unit, description }: Metric, sdk: MetricsSdk) {
  return {
    descriptor: { name, unit, description, valueType: ValueType.DOUBLE },
    aggregationTemporality: sdk.AggregationTemporality.CUMULATIVE,
  };
}

function timesOf({ since }: Metric, now: number): { startTime: HrTime; endTime: HrTime } {
  return { startTime: hrTime(since), endTime: hrTime(now) };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
