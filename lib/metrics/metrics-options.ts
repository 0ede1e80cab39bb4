/** What is counted for metrics, and where it goes. */
export interface MetricsOptions {
  /** Count for metrics, and answer at `/performance/metrics`. Default true. */
  enabled?: boolean | undefined;
  /**
   * Where metrics are exported to by OTLP over gRPC, where the application has no meter provider of its own. Default:
   * `tracing.endpoint`. Environment: `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`, `ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`;
   * `OTEL_METRICS_EXPORTER=none` for nowhere.
   */
  endpoint?: string | undefined;
  /** Seconds from one export to the next. Environment: `OTEL_METRIC_EXPORT_INTERVAL`, in milliseconds. Default 60. */
  intervalSeconds?: number | undefined;
  /**
   * What durations are exported as by OTLP: `exponential` histograms, or those of `explicit` buckets for what knows no
   * others. Environment: `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`. Default `exponential`.
   */
  histograms?: 'exponential' | 'explicit' | undefined;
  /**
   * Series that are told apart, over all metrics; the others share one for each metric, which is marked
   * `otel.metric.overflow`. A histogram counts as one. Default 2000.
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

/**
 * The options with what the environment says beneath them, and the defaults beneath both.
 * @param tracingEndpoint the option of that name: who gave it gave it for all telemetry
 */
export function resolveMetrics(
  options: MetricsOptions = {},
  environment: MetricsOptions = {},
  tracingEndpoint?: string,
): ResolvedMetricsOptions {
  return {
    enabled: options.enabled ?? true,
    endpoint:
      options.endpoint ??
      (environment.enabled === false ? undefined : (tracingEndpoint ?? environment.endpoint)),
    intervalSeconds: options.intervalSeconds ?? environment.intervalSeconds ?? 60,
    histograms: options.histograms ?? environment.histograms ?? 'exponential',
    maxSeries: options.maxSeries ?? 2000,
  };
}
