import { performance } from 'node:perf_hooks';
import type { Attributes } from '@opentelemetry/api';
import { BUCKETS } from '../inference/latency-histogram.js';
import { OTHER } from '../operation/operation.js';
import type { OperationStatistics } from '../statistics/operation-statistics.js';
import {
  type Exemplar,
  exemplarOf,
  type HistogramPoint,
  type Metric,
  type NumberPoint,
  type Points,
} from './metric.js';
import type { MetricSources } from './metric-sources.js';
import { attributeText, OVERFLOW } from './series.js';

/** The least number of operations in the last hour for a ratio. */
const MIN_FOR_RATIO = 30;

interface Operation {
  readonly type: string;
  readonly name: string;
  readonly statistics: OperationStatistics;
}

/**
 * Metrics read from the statistics of operations.
 * @param max the number of operations with series of their own, in the order of first execution; the others share one
 */
export function operationMetrics(sources: MetricSources, max: number): Metric[] {
  const since = sources.countingSince();
  return [
    {
      kind: 'histogram',
      name: 'performance.operation.duration',
      unit: 's',
      description: 'Duration of all counted operations.',
      since,
      points: () => durations(sources, max),
    },
    {
      kind: 'gauge',
      name: 'performance.baseline.ratio',
      unit: '1',
      description: 'Median of the last hour divided by the baseline p50 of the operation.',
      since,
      points: () => ratios(sources, max),
    },
    {
      kind: 'counter',
      name: 'performance.dropped',
      unit: '{item}',
      description:
        'Dropped by limits: operations counted as (other), events, queries, calls whose end was not seen, and errors that no finding counts.',
      since,
      points: () => dropped(sources),
    },
  ];
}

/** The attributes of the series of an operation. */
export function operationAttributes(type: string, name: string): Attributes {
  return { 'performance.operation.type': type, 'performance.operation.name': attributeText(name) };
}

function* durations(sources: MetricSources, max: number): Points<HistogramPoint> {
  const exemplars = newestSlow(sources);
  const rest: Operation[] = [];
  const counts = new Float64Array(BUCKETS);
  for (const operation of sources.statistics.all()) {
    // Operations counted as (other) are bounded by the number of types. An operation with a series keeps it.
    if (operation.statistics.place >= max && operation.name !== OTHER) {
      rest.push(operation);
      continue;
    }
    counts.fill(0);
    yield pointOf(operation, counts, exemplars.get(keyOf(operation.type, operation.name)));
  }
  if (rest.length > 0) yield* together(rest, counts);
}

function pointOf(
  { type, name, statistics }: Operation,
  counts: Float64Array,
  exemplar: Exemplar | undefined,
): HistogramPoint {
  statistics.addTo(counts);
  const { min, max } = statistics.extremes;
  return {
    attributes: operationAttributes(type, name),
    count: statistics.count,
    sumMs: statistics.totalMs,
    minMs: min,
    maxMs: max,
    buckets: counts,
    ...(exemplar === undefined ? {} : { exemplar }),
  };
}

function* together(operations: readonly Operation[], counts: Float64Array): Points<HistogramPoint> {
  counts.fill(0);
  let [count, sumMs, minMs, maxMs] = [0, 0, Number.POSITIVE_INFINITY, 0];
  for (const { statistics } of operations) {
    statistics.addTo(counts);
    count += statistics.count;
    sumMs += statistics.totalMs;
    minMs = Math.min(minMs, statistics.extremes.min);
    maxMs = Math.max(maxMs, statistics.extremes.max);
    yield undefined;
  }
  yield { attributes: OVERFLOW, count, sumMs, minMs, maxMs, buckets: counts };
}

/** The latest exemplar of each operation. */
function newestSlow(sources: MetricSources): Map<string, Exemplar> {
  const result = new Map<string, Exemplar>();
  for (const slow of sources.slowOperations()) {
    const key = keyOf(slow.type, slow.name);
    const exemplar = exemplarOf(slow);
    if (exemplar !== undefined && !result.has(key)) result.set(key, exemplar);
  }
  return result;
}

function keyOf(type: string, name: string): string {
  return `${type}\n${name}`;
}

function* ratios({ statistics }: MetricSources, max: number): Points<NumberPoint> {
  const now = performance.now();
  let series = 0;
  for (const { type, name, statistics: operation } of statistics.all()) {
    const baseline = operation.history?.baseline;
    if (baseline === undefined || baseline.p50Ms <= 0 || series >= max) continue;
    const { count, p50 } = operation.summary('hour', now);
    if (count < MIN_FOR_RATIO || p50 === undefined) {
      yield undefined;
      continue;
    }
    series++;
    yield { attributes: operationAttributes(type, name), value: p50 / baseline.p50Ms };
  }
}

function* dropped(sources: MetricSources): Iterable<NumberPoint> {
  const { operationsToOther: operations, events, queries, calls = 0, errors = 0 } = sources.dropped();
  for (const [reason, value] of Object.entries({ operations, events, queries, calls, errors }))
    yield { attributes: { reason }, value };
}
