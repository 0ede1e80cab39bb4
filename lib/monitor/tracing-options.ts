import { boolean, httpAddress, number, whole } from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { addressFrom, type OptionTable, option } from '../validation/option-table.js';

/** How spans are created and exported. */
export interface TracingOptions {
  /** The receiver of spans by OTLP over gRPC, such as `http://localhost:4317`. Without it, no spans are exported. */
  endpoint?: string | undefined;
  sampling?: SamplingOptions | undefined;
  /** Instrument drivers and outgoing calls, without a preload. */
  instrumentation?: boolean | undefined;
}

/** Which traces are exported. Statistics count every operation, sampled or not. */
export interface SamplingOptions {
  /** The share of traces that are exported, 0 to 1. */
  ratio?: number | undefined;
  /** Export unsampled traces, too, if one of their spans was slow or failed. */
  keepSlowTraces?: boolean | undefined;
  /** The maximum number of spans that wait for the end of their trace, over all traces. */
  maxBufferedSpans?: number | undefined;
  /** The maximum number of spans of one trace that wait for its end. */
  maxSpansPerTrace?: number | undefined;
}

export interface ResolvedTracingOptions {
  readonly endpoint: string | undefined;
  readonly instrumentation: boolean;
  readonly sampling: Complete<SamplingOptions>;
}

const SAMPLING_OPTIONS: OptionTable<SamplingOptions> = {
  ratio: option(number(0, 1), { default: 1 }),
  keepSlowTraces: option(boolean, { default: true }),
  maxBufferedSpans: option(whole(1, 1_000_000), { default: 10_000 }),
  maxSpansPerTrace: option(whole(1, 100_000), { default: 1000 }),
};

export const TRACING_OPTIONS: OptionTable<TracingOptions> = {
  endpoint: option(httpAddress('http://localhost:4317'), {
    variables: addressFrom('ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'),
  }),
  instrumentation: option(boolean, { default: true }),
  sampling: SAMPLING_OPTIONS,
};

/** Which incoming requests are measured. */
export interface HttpOptions {
  /** Requests that are not measured: exact paths, all paths below one that ends in `/`, or patterns of paths. */
  ignore?: (string | RegExp)[] | undefined;
}

export const HTTP_OPTIONS: OptionTable<HttpOptions> = {
  ignore: option(
    {
      allowed: 'an array of paths that begin with / and regular expressions',
      accepts: (value) =>
        Array.isArray(value) &&
        value.every((item) => item instanceof RegExp || (typeof item === 'string' && item.startsWith('/'))),
    },
    { default: [] },
  ),
};
