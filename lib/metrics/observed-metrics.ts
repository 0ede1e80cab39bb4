import type { Meter, Observable, ObservableResult } from '@opentelemetry/api';
import { iterateCooperatively } from '../async/cooperative.js';
import type { Metric, NumberMetric } from './metric.js';
import type { Metrics } from './metrics.js';

/**
 * Registers every metric except histograms as an observable instrument of the application's meter.
 * @returns a function that removes them
 */
export function observeMetrics(meter: Meter, metrics: Metrics): () => void {
  const ends = metrics
    .list()
    .filter(isNumber)
    .map((metric) => {
      const observable = observableOf(meter, metric);
      const callback = (result: ObservableResult): Promise<void> => observe(metrics, metric.name, result);
      observable.addCallback(callback);
      return () => observable.removeCallback(callback);
    });
  return () => {
    for (const end of ends) end();
  };
}

function observableOf(meter: Meter, { kind, name, unit, description }: NumberMetric): Observable {
  const options = { unit, description };
  if (kind === 'counter') return meter.createObservableCounter(name, options);
  return kind === 'sum'
    ? meter.createObservableUpDownCounter(name, options)
    : meter.createObservableGauge(name, options);
}

async function observe(metrics: Metrics, name: string, result: ObservableResult): Promise<void> {
  const metric = metrics.list().find((one) => one.name === name);
  if (metric === undefined || !isNumber(metric)) return;
  for await (const point of iterateCooperatively(metric.points())) {
    if (point !== undefined) result.observe(point.value, point.attributes);
  }
}

function isNumber(metric: Metric): metric is NumberMetric {
  return metric.kind !== 'histogram';
}
