import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { AlertOptions, ResolvedAlertOptions } from './alert-options.js';
import type { BaselineOptions, ResolvedBaselineOptions } from './baseline-options.js';

/** What `PerformanceModule.forRoot` takes. Everything is optional; durations are milliseconds. */
export interface PerformanceOptions {
  /** Turns all of it into nothing when false. Environment: `OTEL_PERF_MONITORING`. Default true. */
  enabled?: boolean;
  /** `service.name` of the telemetry. Environment: `SERVICE_NAME`, `OTEL_SERVICE_NAME`. */
  serviceName?: string;
  /** `service.version` of the telemetry. Default: the version in the application's package.json. */
  serviceVersion?: string;
  /** `host.name` of the telemetry. Environment: `CONTAINER_NAME`, `HOSTNAME`. Default: the machine's name. */
  hostName?: string;
  /** Threshold of a served request. Environment: `OTEL_HTTP_THRESHOLD_MS`. Default 1000. */
  httpThresholdMs?: number;
  /** Threshold of a database operation. Environment: `OTEL_DB_THRESHOLD_MS`. Default 500. */
  databaseThresholdMs?: number;
  /** Threshold of a cache operation. Environment: `OTEL_CACHE_THRESHOLD_MS`. Default 100. */
  cacheThresholdMs?: number;
  /** Threshold of an outgoing call. Environment: `OTEL_EXTERNAL_THRESHOLD_MS`. Default 2000. */
  externalThresholdMs?: number;
  /**
   * Thresholds of your own types, and of `messaging`, `rpc` (default 2000 each) and `internal` (default 1000).
   * A type of your own without a threshold is counted and never slow.
   */
  customThresholds?: Record<string, number>;
  /** Keep CPU profiles of the recent past in memory. Environment: `OTEL_ENABLE_PROFILING`. Default false. */
  enableProfiling?: boolean;
  /**
   * Keep the part of them that a slow operation covers, as a file; needs `enableProfiling`. Environment:
   * `OTEL_PROFILE_SLOW`. Default false.
   */
  profileSlowOperations?: boolean;
  profiling?: ProfilingOptions;
  tracing?: TracingOptions;
  http?: HttpOptions;
  detection?: DetectionOptions;
  baseline?: BaselineOptions;
  resources?: ResourceOptions;
  alerts?: AlertOptions;
  endpoint?: EndpointOptions;
  /**
   * The monitor to use instead of one of the module's own, for an application that made one early, to hand it to
   * `new SlowSpanProcessor(monitor)`. It keeps the thresholds that it was made with.
   */
  monitor?: PerformanceMonitor;
}

/** How spans are made and exported. */
export interface TracingOptions {
  /**
   * Where spans are exported to by OTLP over gRPC, such as `http://localhost:4317`; without it nothing is exported.
   * Environment: `ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`.
   */
  endpoint?: string;
  sampling?: SamplingOptions;
  /** See drivers and outgoing calls without a preload. Default true. */
  instrumentation?: boolean;
}

/** Which traces are exported. Statistics count every operation whatever is sampled. */
export interface SamplingOptions {
  /** The share of traces that is exported, 0 to 1. Default 1. */
  ratio?: number;
  /** Export a trace whole when its local root, or a span under it, was slow or failed. Default true. */
  keepSlowTraces?: boolean;
  /** Spans that wait for the end of their trace, over all traces. Default 10000. */
  maxBufferedSpans?: number;
  /** Spans of one trace that wait for its end. Default 1000. */
  maxSpansPerTrace?: number;
}

/** Which served requests are measured. */
export interface HttpOptions {
  /** Paths (exact, or all below one that ends in `/`) or patterns on the path that are not measured. */
  ignore?: (string | RegExp)[];
}

/** What is detected, and the bounds of what is kept. */
export interface DetectionOptions {
  /** Operations with statistics of their own; the others share `(other)`. Default 1000. */
  maxOperations?: number;
  /** Slow operations that are kept with their evidence. Default 200. */
  maxSlowOperations?: number;
  /** Findings that are kept. Default 200. */
  maxFindings?: number;
  /** Statements with statistics of their own; others are counted as dropped. Default 500. */
  maxQueries?: number;
  /** Find out why slow operations were slow; without it there are no findings and queries either. Default true. */
  explain?: boolean;
  nPlusOne?: NPlusOneOptions;
  eventLoopBlock?: EventLoopBlockOptions;
  memoryLeaks?: MemoryLeakOptions;
}

/** Work that is repeated within one request: statements, and outgoing calls. */
export interface NPlusOneOptions {
  /** Default true. */
  enabled?: boolean;
  /** Repetitions within one request from which on it is one. Default 5. */
  minRepetitions?: number;
  /** Milliseconds that the repetitions must take together. Default 25. */
  minTotalMs?: number;
}

/** Times in which the event loop stands still. */
export interface EventLoopBlockOptions {
  /** Watch from a thread of its own, and catch the stack that blocks. Default true. */
  enabled?: boolean;
  /** Milliseconds from which on it is a block, at least 50. Default 100. */
  limitMs?: number;
}

/** Memory that grows and does not come back. */
export interface MemoryLeakOptions {
  /** Watch what remains after full collections. Default true. */
  enabled?: boolean;
}

/** How the process's own resources are sampled. */
export interface ResourceOptions {
  /** Milliseconds between two samples, at least 50. Default 250. */
  intervalMs?: number;
}

/** How profiles are captured, and the bounds of what is kept of them. */
export interface ProfilingOptions {
  /**
   * What samples: Node's inspector, or the package `@datadog/pprof`, which must be installed for it. Default `auto`:
   * `@datadog/pprof` where it is installed, else the inspector.
   */
  sampler?: 'auto' | 'inspector' | 'datadog';
  /** Milliseconds between two samples, 1 to 100. Default 10. */
  intervalMs?: number;
  /** How much of the past is kept in memory. Default 60 seconds. */
  keepSeconds?: number;
  /** The most memory that it takes; the oldest gives way. Default 8 MB. */
  maxMemoryMb?: number;
  /** Where files are kept. Default: a directory of this user's in the directory for temporary files. */
  directory?: string;
  /** Bounds of the directory; the oldest files give way. Default 256 MB, 200 profiles, 168 hours. */
  maxDirectoryMb?: number;
  maxProfiles?: number;
  maxAgeHours?: number;
  /** Seconds in which an operation (its type and name) gets no second file. Default 60. */
  cooldownSeconds?: number;
  /** Files for slow operations in one minute, all operations together. Default 20. */
  maxPerMinute?: number;
  /**
   * Take a heap snapshot after a slow operation, too. It stops the process for some 5 to 15 seconds for each 100 MB, and is
   * refused where memory is short. Default false.
   */
  heapSnapshots?: boolean;
  /** Heap snapshots an hour after slow operations. Default 2. */
  maxHeapSnapshotsPerHour?: number;
  pyroscope?: PyroscopeOptions;
}

/** A Pyroscope server that profiles are sent to. */
export interface PyroscopeOptions {
  /** Its address, such as `http://localhost:4040`; without it nothing is sent. */
  url?: string;
  /** Given as `Authorization: Bearer TOKEN`. */
  authToken?: string;
  /** Given as `X-Scope-OrgID`, for a server of several tenants. */
  tenantId?: string;
}

/**
 * Who may see the endpoint: whom one of `token`, `authorize` and `guards` lets in, asked in this order. Without any of
 * them, callers on the loopback interface outside production (`NODE_ENV`), and nobody in production. The path is given
 * beside the options: `forRoot({ ..., endpointPath })`.
 */
export interface EndpointOptions {
  /** Default true. */
  enabled?: boolean;
  /**
   * A secret that a caller gives as `Authorization: Bearer TOKEN`, and a person in the page, which begins a session of
   * 12 hours. At least 16 characters.
   */
  token?: string;
  /** Decides by the request. */
  authorize?: (request: unknown) => boolean | Promise<boolean>;
  /**
   * Nest guards, all of which must let a request pass: instances, or classes that are found among the application's
   * providers, or made where they are none. How they refuse is theirs: what they throw is answered.
   */
  guards?: (EndpointGuardLike | EndpointGuardClass)[];
  /** Pages that may look on at a time, each by a stream. Default 20. */
  maxStreams?: number;
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
  readonly profiling: Readonly<Required<Omit<ProfilingOptions, 'pyroscope'>>> & {
    readonly pyroscope: Readonly<PyroscopeOptions>;
  };
  readonly tracing: {
    readonly endpoint: string | undefined;
    readonly instrumentation: boolean;
    readonly sampling: Readonly<Required<SamplingOptions>>;
  };
  readonly http: Readonly<Required<HttpOptions>>;
  readonly detection: Readonly<
    Required<Omit<DetectionOptions, 'nPlusOne' | 'eventLoopBlock' | 'memoryLeaks'>>
  > & {
    readonly nPlusOne: Readonly<Required<NPlusOneOptions>>;
    readonly eventLoopBlock: Readonly<Required<EventLoopBlockOptions>>;
    readonly memoryLeaks: Readonly<Required<MemoryLeakOptions>>;
  };
  readonly baseline: ResolvedBaselineOptions;
  readonly resources: Readonly<Required<ResourceOptions>>;
  readonly alerts: ResolvedAlertOptions;
  readonly endpoint: EndpointOptions & { readonly enabled: boolean; readonly maxStreams: number };
  readonly monitor: PerformanceMonitor | undefined;
}
