import type { Attributes } from '@opentelemetry/api';
import { BOUNDS_S, boundOf, explicitBuckets } from './latency-buckets.js';
import type { Exemplar, Histogram, HistogramPoint, Metric, NumberMetric } from './metric.js';

/** `openmetrics` of version 1.0, with exemplars; `text` is Prometheus's own of version 0.0.4, without. */
export type ExpositionFormat = 'openmetrics' | 'text';

export const EXPOSITION_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  text: 'text/plain; version=0.0.4; charset=utf-8',
};

/**
 * Metrics as text, one series per piece, so that the caller can yield to the event loop in between.
 * @param target the resource attributes of the process
 * @param common the attributes of every series
 */
export function* exposition(
  metrics: Iterable<Metric>,
  target: Attributes,
  format: ExpositionFormat,
  common: Attributes = {},
): Generator<string, void> {
  const before = labels(common);
  yield targetInfo(target, format);
  for (const metric of metrics) {
    yield* metric.kind === 'histogram' ? histogram(metric, format, before) : numbers(metric, format, before);
  }
  if (format === 'openmetrics') yield '# EOF\n';
}

function targetInfo(target: Attributes, format: ExpositionFormat): string {
  const openMetrics = format === 'openmetrics';
  const name = openMetrics ? 'target' : 'target_info';
  return `# HELP ${name} The measured process.\n# TYPE ${name} ${openMetrics ? 'info' : 'gauge'}\ntarget_info${braces(labels(target))} 1\n`;
}

function head(name: string, type: string, unit: string | undefined, description: string): string {
  const unitLine = unit === undefined ? '' : `# UNIT ${name} ${unit}\n`;
  return `# HELP ${name} ${escapeText(description)}\n# TYPE ${name} ${type}\n${unitLine}`;
}

function* numbers(metric: NumberMetric, format: ExpositionFormat, before: string): Generator<string> {
  const { family, unit } = prometheusName(metric);
  const isCounter = metric.kind === 'counter';
  const sample = isCounter ? `${family}_total` : family;
  const openMetrics = format === 'openmetrics';
  yield head(
    openMetrics ? family : sample,
    isCounter ? 'counter' : 'gauge',
    openMetrics ? unit : undefined,
    metric.description,
  );
  for (const point of metric.points()) {
    if (point === undefined) {
      yield '';
      continue;
    }
    const { attributes, value, exemplar } = point;
    const shown = openMetrics && isCounter ? exemplarText(exemplar) : '';
    yield `${sample}${braces(joined(before, labels(attributes)))} ${numberText(value)}${shown}\n`;
  }
}

function* histogram(metric: Histogram, format: ExpositionFormat, before: string): Generator<string> {
  const { family, unit } = prometheusName(metric);
  const openMetrics = format === 'openmetrics';
  yield head(family, 'histogram', openMetrics ? unit : undefined, metric.description);
  const bounds = [...BOUNDS_S, Number.POSITIVE_INFINITY].map((bound) => boundText(bound, openMetrics));
  for (const point of metric.points())
    yield point === undefined ? '' : series(family, point, bounds, openMetrics, before);
}

function series(
  family: string,
  { attributes, buckets, count, sumMs, exemplar }: HistogramPoint,
  bounds: readonly string[],
  openMetrics: boolean,
  common: string,
): string {
  const own = joined(common, labels(attributes));
  const before = `${family}_bucket{${own === '' ? '' : `${own},`}le="`;
  const marked = openMetrics && exemplar !== undefined ? boundOf(exemplar.value) : -1;
  let text = '';
  let upTo = 0;
  for (const [index, inBucket] of explicitBuckets(buckets).entries()) {
    upTo += inBucket;
    text += `${before}${bounds[index]}"} ${upTo}${index === marked ? exemplarText(exemplar) : ''}\n`;
  }
  // Rounded to microseconds, so that a growing sum stays monotonic.
  const sum = Math.round(sumMs * 1000) / 1e6;
  return `${text}${family}_sum${braces(own)} ${numberText(sum)}\n${family}_count${braces(own)} ${count}\n`;
}

function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  const { traceId, spanId, value, timestamp } = exemplar;
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${numberText(value)} ${(timestamp / 1000).toFixed(3)}`;
}

function labels(attributes: Attributes): string {
  let text = '';
  for (const [key, value] of Object.entries(attributes)) {
    text += `${text === '' ? '' : ','}${labelName(key)}="${escapeText(String(value))}"`;
  }
  return text;
}

/** Labels that are already text. */
function joined(one: string, other: string): string {
  return one === '' ? other : other === '' ? one : `${one},${other}`;
}

function braces(inner: string): string {
  return inner === '' ? '' : `{${inner}}`;
}

/** OpenMetrics requires bounds as floating-point numbers. */
function boundText(bound: number, openMetrics: boolean): string {
  if (bound === Number.POSITIVE_INFINITY) return '+Inf';
  return openMetrics && Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

const TO_ESCAPE = /[\\"\n]/;

/** Escapes the value of a label, or a description. */
function escapeText(text: string): string {
  if (!TO_ESCAPE.test(text)) return text;
  return text.replace(/[\\"\n]/g, (one) => (one === '\n' ? '\\n' : `\\${one}`));
}

const UNITS: ReadonlyMap<string, string> = new Map([
  ['s', 'seconds'],
  ['By', 'bytes'],
]);

/** The name of a metric without the `_total` of a counter, and the unit at its end. */
export interface PrometheusName {
  readonly family: string;
  readonly unit: string | undefined;
}

/**
 * The name that OpenTelemetry's Collector gives a metric for Prometheus, so that queries work for both: dots become
 * underscores, and the unit is appended, except for a unit in braces.
 */
export function prometheusName({ name, unit, kind }: Pick<Metric, 'name' | 'unit' | 'kind'>): PrometheusName {
  const words = name.replace(/[^A-Za-z0-9:]+/g, '_').split('_');
  const suffix = unit === '1' && kind === 'gauge' ? 'ratio' : UNITS.get(unit);
  if (suffix === undefined) return { family: words.join('_'), unit: undefined };
  return { family: [...words.filter((word) => word !== suffix), suffix].join('_'), unit: suffix };
}

/** The name of an attribute as a label. */
export function labelName(attribute: string): string {
  return attribute.replace(/[^A-Za-z0-9_]/g, '_');
}
