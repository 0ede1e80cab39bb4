import { boolean, httpAddress, number, oneOf, whole } from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { addressFrom, type OptionTable, option, type Variables } from '../validation/option-table.js';
import { providers } from './provider-patterns.js';

/** How spans are created and exported. */
export interface TracingOptions {
  /**
   * The receiver of spans and metrics by OTLP over gRPC, such as `http://localhost:4317`. Over HTTP, `/v1/traces` is appended
   * (see `OTEL_EXPORTER_OTLP_PROTOCOL`). Without it, no spans are exported.
   */
  endpoint?: string | undefined;
  sampling?: SamplingOptions | undefined;
  /** Instrument drivers and outgoing calls, without a preload. */
  instrumentation?: boolean | undefined;
  /**
   * Measure the methods of the application's own providers and controllers without decorators: all of them, or those that
   * match a pattern such as `*Service` or `CatalogRepository.find*`. Each is an operation of type `internal`. Classes of
   * installed packages are never measured.
   */
  providers?: boolean | string[] | undefined;
  /**
   * Continue the baggage of incoming requests and messages, and pass it on with outgoing calls. Set it where all callers are
   * your own services: any client can send baggage.
   */
  trustIncomingBaggage?: boolean | undefined;
  /**
   * Export every trace that an incoming request or message marks as sampled. Otherwise `sampling.ratio` applies to these, too,
   * by trace id, which is the same in all services with this ratio. Requests marked as not sampled remain so in both cases.
   * A sampler set with `OTEL_TRACES_SAMPLER` follows its parent as specified.
   * Set it where all callers are your own services: any client can mark its requests.
   */
  trustIncomingSampling?: boolean | undefined;
  semanticConventions?: SemanticConventionOptions | undefined;
}

/** The names of attributes: those of the stable semantic conventions, those before them, or both. */
export type AttributeNames = 'stable' | 'old' | 'both';

/**
 * The names of attributes of the spans that this package creates and exports, for backends and dashboards that know the names
 * before the stable semantic conventions, such as `http.method` and `db.statement`. Everything else reads the stable names.
 */
export interface SemanticConventionOptions {
  /** Of incoming and outgoing requests. */
  http?: AttributeNames | undefined;
  /** Of queries. */
  database?: AttributeNames | undefined;
}

/** Which traces are exported. Statistics count every operation, sampled or not. */
export interface SamplingOptions {
  /** The share of traces that are exported, 0 to 1. Overrides `OTEL_TRACES_SAMPLER`. */
  ratio?: number | undefined;
  /**
   * Export unsampled traces, too, if one of their spans was slow or failed. With `OTEL_TRACES_SAMPLER`, only if this option is
   * given.
   */
  keepSlowTraces?: boolean | undefined;
  /** The maximum number of spans that wait for the end of their trace, over all traces. */
  maxBufferedSpans?: number | undefined;
  /** The maximum number of spans of one trace that wait for its end. */
  maxSpansPerTrace?: number | undefined;
}

export interface ResolvedTracingOptions {
  readonly endpoint: string | undefined;
  readonly instrumentation: boolean;
  readonly providers: boolean | readonly string[];
  readonly trustIncomingBaggage: boolean;
  readonly trustIncomingSampling: boolean;
  readonly sampling: Complete<SamplingOptions>;
  readonly semanticConventions: Complete<SemanticConventionOptions>;
}

const SAMPLING_OPTIONS: OptionTable<SamplingOptions> = {
  ratio: option(number(0, 1), { default: 1 }),
  keepSlowTraces: option(boolean, { default: true }),
  maxBufferedSpans: option(whole(1, 1_000_000), { default: 10_000 }),
  maxSpansPerTrace: option(whole(1, 100_000), { default: 1000 }),
};

/** `http/dup` means both. What OpenTelemetry's variable says of other conventions concerns others. */
function namesFrom(convention: string): Variables {
  return {
    names: ['OTEL_SEMCONV_STABILITY_OPT_IN'],
    allowed: `a list with \`${convention}\` (stable) or \`${convention}/dup\` (both)`,
    parse(text) {
      const listed = text.split(',').map((name) => name.trim());
      return listed.includes(`${convention}/dup`)
        ? 'both'
        : listed.includes(convention)
          ? 'stable'
          : undefined;
    },
  };
}

const NAMES = oneOf(['stable', 'old', 'both']);
const SEMANTIC_CONVENTION_OPTIONS: OptionTable<SemanticConventionOptions> = {
  http: option(NAMES, { default: 'stable', variables: namesFrom('http') }),
  database: option(NAMES, { default: 'stable', variables: namesFrom('database') }),
};

export const TRACING_OPTIONS: OptionTable<TracingOptions> = {
  endpoint: option(httpAddress('http://localhost:4317'), {
    variables: addressFrom('ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'),
  }),
  instrumentation: option(boolean, { default: true }),
  providers: option(providers, { default: false }),
  trustIncomingBaggage: option(boolean, { default: false }),
  trustIncomingSampling: option(boolean, { default: false }),
  sampling: SAMPLING_OPTIONS,
  semanticConventions: SEMANTIC_CONVENTION_OPTIONS,
};

/** Which incoming requests are measured, and how. */
export interface HttpOptions {
  /** Requests that are not measured: exact paths, all paths below one that ends in `/`, or patterns of paths. */
  ignore?: (string | RegExp)[] | undefined;
  /**
   * Bind `PerformanceInterceptor` to all routes, so that pipes and the interceptors within it count as the handler, not as
   * the time before and after it. Nest's interceptors double what this package adds to a request.
   */
  interceptor?: boolean | undefined;
  /**
   * Whose responses get a `Server-Timing` header that says where the time of the request went: those to `internal` addresses
   * (loopback, private, and through no proxy), those to `all`, or none. Another service with this package, and a browser's
   * developer tools, read it. It names operations such as `SELECT track`.
   */
  serverTiming?: 'off' | 'internal' | 'all' | undefined;
}

export type ResolvedHttpOptions = Complete<HttpOptions>;

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
  interceptor: option(boolean, { default: false }),
  serverTiming: option(oneOf(['off', 'internal', 'all']), { default: 'off' }),
};
