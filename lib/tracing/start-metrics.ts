import { createNoopMeter, type Meter, metrics as metricsApi } from '@opentelemetry/api';
import { DurationInstruments } from '../metrics/duration-instruments.js';
import { ExportHealth } from '../metrics/export-health.js';
import { MetricExport } from '../metrics/metric-export.js';
import type { Metrics } from '../metrics/metrics.js';
import { targetOf } from '../metrics/metrics.js';
import type { ResolvedMetricsOptions } from '../metrics/metrics-options.js';
import { observeMetrics } from '../metrics/observed-metrics.js';
import type { ResolvedOptions } from '../monitor/options.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { SCOPE, tracingRuntime } from '../spans/tracing-runtime.js';
import type { Log } from './tracer-provider.js';

/** The metrics of one module on their way out. */
export interface RunningMetrics {
  /** Sends the last of them and releases what was taken; 3 seconds at the most. */
  shutdown(): Promise<void>;
}

/**
 * Hands the metrics of a monitor to the meter provider of the application, where it has one, or exports them where
 * there is an endpoint. Where there is neither they can be scraped.
 */
export async function startMetrics(
  options: ResolvedOptions,
  monitor: PerformanceMonitor,
  log: Log,
): Promise<RunningMetrics | undefined> {
  if (!options.enabled || !options.metrics.enabled || !monitor.metrics.options.enabled) return undefined;
  // A monitor that the application made early has not read the environment.
  if (monitor.options !== options) monitor.metrics.target = targetOf(options);
  const meter = applicationMeter();
  return meter === undefined ? startExport(options.metrics, monitor.metrics, log) : joinMeter(meter, monitor);
}

/** Nothing where nobody has registered a meter provider: the api then has more than its own no-op one. */
function applicationMeter(): Meter | undefined {
  const meter = metricsApi.getMeterProvider().getMeter(SCOPE.name, SCOPE.version);
  return meter === createNoopMeter() ? undefined : meter;
}

function joinMeter(meter: Meter, monitor: PerformanceMonitor): RunningMetrics {
  const { metrics } = monitor;
  const instruments = new DurationInstruments(meter, Math.floor(metrics.options.maxSeries / 2));
  metrics.instruments = instruments;
  // Durations of several modules add up; of numbers that are asked for, the last answer would hide the others.
  const isFirst = tracingRuntime.monitor === undefined || tracingRuntime.monitor === monitor;
  const end = isFirst ? observeMetrics(meter, metrics) : () => {};
  return {
    async shutdown() {
      end();
      // Another module with the same monitor may have taken over.
      if (metrics.instruments === instruments) metrics.instruments = undefined;
    },
  };
}

async function startExport(
  options: ResolvedMetricsOptions,
  metrics: Metrics,
  log: Log,
): Promise<RunningMetrics | undefined> {
  const { endpoint } = options;
  if (endpoint === undefined) return undefined;
  const sdk = await import('@opentelemetry/sdk-metrics');
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-grpc');
  const { resourceFromAttributes, defaultResource } = await import('@opentelemetry/resources');
  const running = new MetricExport(metrics, options, {
    sdk,
    exporter: new OTLPMetricExporter({ url: endpoint }),
    resource: defaultResource().merge(resourceFromAttributes(metrics.target)),
    health: new ExportHealth('Metrics', 'They are counted on, and nothing is lost.', endpoint, log),
    onRefused: () =>
      log.warn(
        `${endpoint} takes no metrics, so none are exported any more. They can be scraped at /performance/metrics; metrics.endpoint names another receiver, and OTEL_METRICS_EXPORTER=none says that there is none.`,
      ),
  });
  running.start();
  return running;
}
