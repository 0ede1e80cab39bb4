import { boolean, httpAddress, number, oneOf, whole } from '../validation/checks.js';
import { addressFrom, type OptionTable, option } from '../validation/option-table.js';

/** Metrics, and where they are exported to. */
export interface MetricsOptions {
  /** Record metrics, and serve them at `/performance/metrics`. */
  enabled?: boolean | undefined;
  /**
   * The endpoint that metrics are exported to by OTLP, unless the application has a meter provider. Over HTTP, it is the whole
   * address. With `OTEL_METRICS_EXPORTER=none`, metrics are exported only if this option is given.
   */
  endpoint?: string | undefined;
  /** Seconds between two exports. The variable gives milliseconds. */
  intervalSeconds?: number | undefined;
  /** How durations are exported by OTLP: as `exponential` histograms, or with `explicit` buckets. */
  histograms?: 'exponential' | 'explicit' | undefined;
  /**
   * The number of series of all metrics. Beyond it, each metric counts in one series marked `otel.metric.overflow`. A
   * histogram is one series.
   */
  maxSeries?: number | undefined;
}

/** The options of metrics with every default filled in. */
export interface ResolvedMetricsOptions {
  readonly enabled: boolean;
  readonly endpoint: string | undefined;
  readonly intervalSeconds: number;
  readonly histograms: 'exponential' | 'explicit';
  readonly maxSeries: number;
}

const exportSeconds = number(0.1, 3600);
const HISTOGRAMS = new Map([
  ['base2_exponential_bucket_histogram', 'exponential'],
  ['explicit_bucket_histogram', 'explicit'],
]);

export const METRICS_OPTIONS: OptionTable<MetricsOptions> = {
  enabled: option(boolean, { default: true }),
  endpoint: option(httpAddress('http://localhost:4317'), {
    defaultText: '`tracing.endpoint`',
    variables: addressFrom('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'),
  }),
  intervalSeconds: option(exportSeconds, {
    default: 60,
    variables: {
      names: ['OTEL_METRIC_EXPORT_INTERVAL'],
      parse: (value) => Number(value) / 1000,
      allowed: 'a number of milliseconds, 100 to 3600000',
    },
  }),
  histograms: option(oneOf(['exponential', 'explicit']), {
    default: 'exponential',
    variables: {
      names: ['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'],
      parse: (value) => HISTOGRAMS.get(value.toLowerCase()) ?? value,
      allowed: [...HISTOGRAMS.keys()].join(' or '),
    },
  }),
  maxSeries: option(whole(10, 100_000), { default: 2000 }),
};
