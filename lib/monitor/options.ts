import type { AlertOptions, ResolvedAlertOptions } from '../alerting/alert-options.js';
import type { BaselineOptions, ResolvedBaselineOptions } from '../baseline/baseline-options.js';
import type { MetricsOptions, ResolvedMetricsOptions } from '../metrics/metrics-options.js';
import type { Complete } from '../validation/complete.js';
import type { PerformanceMonitor } from './performance-monitor.js';

/** What `PerformanceModule.forRoot` takes. Everything is optional; durations are milliseconds. */
export interface PerformanceOptions {
  /** Turns all of it into nothing when false. Environment: `OTEL_PERF_MONITORING`. Default true. */
  enabled?: boolean | undefined;
  /** `service.name` of the telemetry. Environment: `SERVICE_NAME`, `OTEL_SERVICE_NAME`. */
  serviceName?: string | undefined;
  /** `service.version` of the telemetry. Default: the version in the application's package.json. */
  serviceVersion?: string | undefined;
  /** `host.name` of the telemetry. Environment: `CONTAINER_NAME`, `HOSTNAME`. Default: the machine's name. */
  hostName?: string | undefined;
  /** Threshold of a served request. Environment: `OTEL_HTTP_THRESHOLD_MS`. Default 1000. */
  httpThresholdMs?: number | undefined;
  /** Threshold of a database operation. Environment: `OTEL_DB_THRESHOLD_MS`. Default 500. */
  databaseThresholdMs?: number | undefined;
  /** Threshold of a cache operation. Environment: `OTEL_CACHE_THRESHOLD_MS`. Default 100. */
  cacheThresholdMs?: number | undefined;
  /** Threshold of an outgoing call. Environment: `OTEL_EXTERNAL_THRESHOLD_MS`. Default 2000. */
  externalThresholdMs?: number | undefined;
  /**
   * Thresholds of your own types, and of `messaging`, `rpc` (default 2000 each) and `internal` (default 1000).
   * A type of your own without a threshold is counted and never slow.
   */
  customThresholds?: Record<string, number> | undefined;
  /** Keep CPU profiles of the recent past in memory. Environment: `OTEL_ENABLE_PROFILING`. Default false. */
  enableProfiling?: boolean | undefined;
  /**
   * Keep the part of them that a slow operation covers, as a file; needs `enableProfiling`. Environment:
   * `OTEL_PROFILE_SLOW`. Default false.
   */
  profileSlowOperations?: boolean | undefined;
  profiling?: ProfilingOptions | undefined;
  tracing?: TracingOptions | undefined;
  metrics?: MetricsOptions | undefined;
  http?: HttpOptions | undefined;
  detection?: DetectionOptions | undefined;
  baseline?: BaselineOptions | undefined;
  resources?: ResourceOptions | undefined;
  alerts?: AlertOptions | undefined;
  endpoint?: EndpointOptions | undefined;
  /**
   * The monitor to use instead of one of the module's own, for an application that made one early, to hand it to
   * `new SlowSpanProcessor(monitor)`. It keeps the thresholds that it was made with.
   */
  monitor?: PerformanceMonitor | undefined;
}

/** How spans are made and exported. */
export interface TracingOptions {
  /**
   * Where spans are exported to by OTLP over gRPC, such as `http://localhost:4317`; without it nothing is exported.
   * Environment: `ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`.
   */
  endpoint?: string | undefined;
  sampling?: SamplingOptions | undefined;
  /** See drivers and outgoing calls without a preload. Default true. */
  instrumentation?: boolean | undefined;
}

/** Which traces are exported. Statistics count every operation whatever is sampled. */
export interface SamplingOptions {
  /** The share of traces that is exported, 0 to 1. Default 1. */
  ratio?: number | undefined;
  /** Export a trace whole when its local root, or a span under it, was slow or failed. Default true. */
  keepSlowTraces?: boolean | undefined;
  /** Spans that wait for the end of their trace, over all traces. Default 10000. */
  maxBufferedSpans?: number | undefined;
  /** Spans of one trace that wait for its end. Default 1000. */
  maxSpansPerTrace?: number | undefined;
}

/** Which served requests are measured. */
export interface HttpOptions {
  /** Paths (exact, or all below one that ends in `/`) or patterns on the path that are not measured. */
  ignore?: (string | RegExp)[] | undefined;
}

/** What is detected, and the bounds of what is kept. */
export interface DetectionOptions {
  /** Operations with statistics of their own; the others share `(other)`. Default 1000. */
  maxOperations?: number | undefined;
  /** Slow operations that are kept with their evidence. Default 200. */
  maxSlowOperations?: number | undefined;
  /** Findings that are kept. Default 200. */
  maxFindings?: number | undefined;
  /** Statements with statistics of their own; others are counted as dropped. Default 500. */
  maxQueries?: number | undefined;
  /** Find out why slow operations were slow; without it there are no findings and queries either. Default true. */
  explain?: boolean | undefined;
  nPlusOne?: NPlusOneOptions | undefined;
  eventLoopBlock?: EventLoopBlockOptions | undefined;
  memoryLeaks?: MemoryLeakOptions | undefined;
}

/** Work that is repeated within one request: statements, and outgoing calls. */
export interface NPlusOneOptions {
  /** Default true. */
  enabled?: boolean | undefined;
  /** Repetitions within one request from which on it is one. Default 5. */
  minRepetitions?: number | undefined;
  /** Milliseconds that the repetitions must take together. Default 25. */
  minTotalMs?: number | undefined;
}

/** Times in which the event loop stands still. */
export interface EventLoopBlockOptions {
  /** Watch from a thread of its own, and catch the stack that blocks. Default true. */
  enabled?: boolean | undefined;
  /** Milliseconds from which on it is a block, at least 50. Default 100. */
  limitMs?: number | undefined;
}

/** Memory that grows and does not come back. */
export interface MemoryLeakOptions {
  /** Watch what remains after full collections. Default true. */
  enabled?: boolean | undefined;
}

/** How the process's own resources are sampled. */
export interface ResourceOptions {
  /** Milliseconds between two samples, at least 50. Default 250. */
  intervalMs?: number | undefined;
}

/** How profiles are captured, and the bounds of what is kept of them. */
export interface ProfilingOptions {
  /**
   * What samples: Node's inspector, or the package `@datadog/pprof`, which must be installed for it. Default `auto`:
   * `@datadog/pprof` where it is installed, else the inspector.
   */
  sampler?: 'auto' | 'inspector' | 'datadog' | undefined;
  /** Milliseconds between two samples, 1 to 100. Default 10. */
  intervalMs?: number | undefined;
  /** How much of the past is kept in memory. Default 60 seconds. */
  keepSeconds?: number | undefined;
  /** The most memory that it takes; the oldest gives way. Default 8 MB. */
  maxMemoryMb?: number | undefined;
  /** Where files are kept. Default: a directory of this user's in the directory for temporary files. */
  directory?: string | undefined;
  /** Bounds of the directory; the oldest files give way. Default 256 MB, 200 profiles, 168 hours. */
  maxDirectoryMb?: number | undefined;
  maxProfiles?: number | undefined;
  maxAgeHours?: number | undefined;
  /** Seconds in which an operation (its type and name) gets no second file. Default 60. */
  cooldownSeconds?: number | undefined;
  /** Files for slow operations in one minute, all operations together. Default 20. */
  maxPerMinute?: number | undefined;
  /**
   * Take a heap snapshot after a slow operation, too. It stops the process for some 5 to 15 seconds for each 100 MB, and is
   * refused where memory is short. Default false.
   */
  heapSnapshots?: boolean | undefined;
  /** Heap snapshots an hour after slow operations. Default 2. */
  maxHeapSnapshotsPerHour?: number | undefined;
  pyroscope?: PyroscopeOptions | undefined;
}

/** A Pyroscope server that profiles are sent to. */
export interface PyroscopeOptions {
  /** Its address, such as `http://localhost:4040`; without it nothing is sent. */
  url?: string | undefined;
  /** Given as `Authorization: Bearer TOKEN`. */
  authToken?: string | undefined;
  /** Given as `X-Scope-OrgID`, for a server of several tenants. */
  tenantId?: string | undefined;
}

/**
 * Who may see the endpoint: whom one of `token`, `authorize` and `guards` lets in, asked in this order. Without any of
 * them, callers on the loopback interface outside production (`NODE_ENV`), and nobody in production. The path is given
 * beside the options: `forRoot({ ..., endpointPath })`.
 */
export interface EndpointOptions {
  /** Default true. */
  enabled?: boolean | undefined;
  /**
   * A secret that a caller gives as `Authorization: Bearer TOKEN`, and a person in the page, which begins a session of
   * 12 hours. At least 16 characters.
   */
  token?: string | undefined;
  /** Decides by the request, which is that of the platform: Express's or Fastify's. */
  // biome-ignore lint/suspicious/noExplicitAny: a function that names the type of its request must be accepted.
  authorize?: ((request: any) => boolean | Promise<boolean>) | undefined;
  /**
   * Nest guards, all of which must let a request pass: instances, or classes that are found among the application's
   * providers, or made where they are none. How they refuse is theirs: what they throw is answered.
   */
  guards?: (EndpointGuardLike | EndpointGuardClass)[] | undefined;
  /** Pages that may look on at a time, each by a stream. Default 20. */
  maxStreams?: number | undefined;
}

/** What is used of Nest's `CanActivate`, which answers a boolean, a promise or an Observable of one. */
export interface EndpointGuardLike {
  canActivate(execution: never): unknown;
}
export type EndpointGuardClass = new (...dependencies: never[]) => EndpointGuardLike;

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  readonly serviceName: string;
  readonly serviceVersion: string | undefined;
  readonly hostName: string;
  readonly production: boolean;
  /** Milliseconds by type. */
  readonly thresholds: Readonly<Record<string, number>>;
  readonly enableProfiling: boolean;
  readonly profileSlowOperations: boolean;
  readonly profiling: Complete<Omit<ProfilingOptions, 'pyroscope'>> & {
    readonly pyroscope: Readonly<PyroscopeOptions>;
  };
  readonly tracing: {
    readonly endpoint: string | undefined;
    readonly instrumentation: boolean;
    readonly sampling: Complete<SamplingOptions>;
  };
  readonly metrics: ResolvedMetricsOptions;
  readonly http: Complete<HttpOptions>;
  readonly detection: Complete<Omit<DetectionOptions, 'nPlusOne' | 'eventLoopBlock' | 'memoryLeaks'>> & {
    readonly nPlusOne: Complete<NPlusOneOptions>;
    readonly eventLoopBlock: Complete<EventLoopBlockOptions>;
    readonly memoryLeaks: Complete<MemoryLeakOptions>;
  };
  readonly baseline: ResolvedBaselineOptions;
  readonly resources: Complete<ResourceOptions>;
  readonly alerts: ResolvedAlertOptions;
  readonly endpoint: EndpointOptions & { readonly enabled: boolean; readonly maxStreams: number };
  readonly monitor: PerformanceMonitor | undefined;
}
