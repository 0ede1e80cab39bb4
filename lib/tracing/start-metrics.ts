import { createNoopMeter, type Meter, metrics as metricsApi } from '@opentelemetry/api';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { Deadline } from '../async/deadline.js';
import { DurationInstruments } from '../metrics/duration-instruments.js';
import { ExportHealth } from '../metrics/export-health.js';
import { MetricExport } from '../metrics/metric-export.js';
import type { Metrics } from '../metrics/metrics.js';
import { observeMetrics } from '../metrics/observed-metrics.js';
import type { ResolvedOptions } from '../monitor/options.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { SCOPE, tracingRuntime } from '../spans/tracing-runtime.js';
import { abortable } from './abortable-exporter.js';
import { metricExporter } from './otlp-exporters.js';
import type { Log } from './tracer-provider.js';

/** The exported metrics of one module. */
export interface RunningMetrics {
  /** Exports the last values and releases all resources, until the deadline. Never rejects. */
  shutdown(deadline: Deadline): Promise<void>;
}

/**
 * Reports the metrics of a monitor to the meter provider of the application, if it has one; otherwise exports them to
 * `metrics.endpoint`, if it is set. They can be scraped in any case.
 */
export async function startMetrics(
  options: ResolvedOptions,
  monitor: PerformanceMonitor,
  log: Log,
): Promise<RunningMetrics | undefined> {
  if (!options.enabled || !options.metrics.enabled || !monitor.metrics.options.enabled) return undefined;
  // A monitor that the application created itself has not read the environment.
  if (monitor.options !== options) monitor.metrics.identify(options);
  const meter = applicationMeter();
  return meter === undefined ? startExport(options, monitor.metrics, log) : reportToMeter(meter, monitor);
}

/** A meter of the application's meter provider; undefined if none is registered, when the API returns its no-op meter. */
function applicationMeter(): Meter | undefined {
  const meter = metricsApi.getMeterProvider().getMeter(SCOPE.name, SCOPE.version);
  return meter === createNoopMeter() ? undefined : meter;
}

function reportToMeter(meter: Meter, monitor: PerformanceMonitor): RunningMetrics {
  const { metrics } = monitor;
  const instruments = new DurationInstruments(meter, Math.floor(metrics.options.maxSeries / 2));
  metrics.instruments = instruments;
  // Durations of several modules add up. Of observed values, those of the last module would replace the others.
  const isFirst = tracingRuntime.monitor === undefined || tracingRuntime.monitor === monitor;
  const stopObserving = isFirst ? observeMetrics(meter, metrics) : () => {};
  return {
    async shutdown() {
      stopObserving();
      // Another module with the same monitor may have taken over.
      if (metrics.instruments === instruments) metrics.instruments = undefined;
    },
  };
}

async function startExport(
  options: ResolvedOptions,
  metrics: Metrics,
  log: Log,
): Promise<RunningMetrics | undefined> {
  const { isSdkDisabled, traces, metrics: wanted } = options.telemetry;
  if (isSdkDisabled) return undefined;
  // A variable of both signals has been reported with the own tracer provider.
  const reported = tracingRuntime.tracer === undefined ? [] : traces.warnings;
  for (const warning of wanted.warnings) if (!reported.includes(warning)) log.warn(warning);
  const { otlp } = wanted;
  const exporter = otlp && (await metricExporter(otlp, log));
  if (exporter === undefined && !wanted.console) return undefined;
  const sdk = await import('@opentelemetry/sdk-metrics');
  const { resourceFromAttributes, defaultResource } = await import('@opentelemetry/resources');
  const resource = defaultResource().merge(resourceFromAttributes(metrics.target));
  const startOne = (to: PushMetricExporter, name: string): MetricExport => {
    const running = new MetricExport(metrics, options.metrics, {
      sdk,
      exporter: to,
      abort: abortable(to),
      resource,
      health: new ExportHealth(
        'Metrics',
        'Counting continues, and the next export includes all values.',
        name,
        log,
      ),
      onRefused: () =>
        log.warn(
          `${name} takes no metrics: it answered UNIMPLEMENTED, so their export has stopped. Set metrics.endpoint to a receiver of metrics, or OTEL_METRICS_EXPORTER=none to export none. They can be scraped at /performance/metrics.`,
        ),
    });
    running.start();
    return running;
  };
  const exports = [
    ...(exporter === undefined ? [] : [startOne(exporter, otlp?.shown ?? '')]),
    ...(wanted.console ? [startOne(new sdk.ConsoleMetricExporter(), 'the console')] : []),
  ];
  return {
    async shutdown(deadline) {
      await Promise.all(exports.map((running) => running.shutdown(deadline)));
    },
  };
}
