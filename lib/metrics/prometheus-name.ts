import type { Metric } from './metric.js';

const UNITS: ReadonlyMap<string, string> = new Map([
  ['s', 'seconds'],
  ['By', 'bytes'],
]);

/** A metric's name without the `_total` of a counter, and the unit that it ends in. */
export interface PrometheusName {
  readonly family: string;
  readonly unit: string | undefined;
}

/**
 * The name that OpenTelemetry's Collector gives a metric when it hands it to Prometheus, so that a query holds for both
 * ways: dots become underscores, and a unit is appended. A unit in braces says what is counted, and is not.
 */
export function prometheusName({ name, unit, kind }: Pick<Metric, 'name' | 'unit' | 'kind'>): PrometheusName {
  const words = name.replace(/[^A-Za-z0-9:]+/g, '_').split('_');
  const suffix = unit === '1' && kind === 'gauge' ? 'ratio' : UNITS.get(unit);
  if (suffix === undefined) return { family: words.join('_'), unit: undefined };
  return { family: [...words.filter((word) => word !== suffix), suffix].join('_'), unit: suffix };
}

/** The name of a label for an attribute. */
export function labelName(attribute: string): string {
  return attribute.replace(/[^A-Za-z0-9_]/g, '_');
}
