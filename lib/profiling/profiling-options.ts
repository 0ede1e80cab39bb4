import type { ResolvedServiceOptions } from '../operation/service-options.js';
import {
  boolean,
  httpAddress,
  httpHeaders,
  number,
  oneOf,
  secret,
  text,
  whole,
} from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { directoryOption } from '../validation/directory-option.js';
import { booleanFrom, type OptionTable, option } from '../validation/option-table.js';

/** Whether profiles are captured. */
export interface ProfilingSwitches {
  /** Keep CPU samples of the recent past in memory. */
  enableProfiling?: boolean | undefined;
  /** Write the samples of each slow operation to a file. Requires `enableProfiling`. */
  profileSlowOperations?: boolean | undefined;
}

export const PROFILING_SWITCHES: OptionTable<ProfilingSwitches> = {
  enableProfiling: option(boolean, { default: false, variables: booleanFrom('OTEL_ENABLE_PROFILING') }),
  profileSlowOperations: option(boolean, { default: false, variables: booleanFrom('OTEL_PROFILE_SLOW') }),
};

/** How profiles are captured, and how much of them is kept. */
export interface ProfilingOptions {
  /**
   * What samples: Node's inspector, or the package `@datadog/pprof`, which must be installed for it. `auto` takes
   * `@datadog/pprof` where it is installed, else the inspector.
   */
  sampler?: 'auto' | 'inspector' | 'datadog' | undefined;
  /** Milliseconds between two samples. */
  intervalMs?: number | undefined;
  /** Seconds of the past that are kept in memory. */
  keepSeconds?: number | undefined;
  /** Megabytes of memory for samples. The oldest are dropped first. */
  maxMemoryMb?: number | undefined;
  /** Where files are kept. */
  directory?: string | undefined;
  /** Megabytes, profiles and hours that are kept in the directory. The oldest files are deleted once a limit is reached. */
  maxDirectoryMb?: number | undefined;
  maxProfiles?: number | undefined;
  maxAgeHours?: number | undefined;
  /** Seconds in which an operation (its type and name) gets no second file. */
  cooldownSeconds?: number | undefined;
  /** Files for slow operations in one minute, all operations together. */
  maxPerMinute?: number | undefined;
  /**
   * Also take a heap snapshot after a slow operation. It stops the process for 5 to 15 seconds for each 100 MB, and is
   * refused where memory is short.
   */
  heapSnapshots?: boolean | undefined;
  /** Heap snapshots an hour after slow operations. */
  maxHeapSnapshotsPerHour?: number | undefined;
  pyroscope?: PyroscopeOptions | undefined;
  otlp?: OtlpProfileOptions | undefined;
}

/** A Pyroscope server that profiles are sent to. */
export interface PyroscopeOptions {
  /** Its address, such as `http://localhost:4040`. Without it nothing is sent. */
  url?: string | undefined;
  /** Sent as `Authorization: Bearer TOKEN`. */
  authToken?: string | undefined;
  /** Sent as `X-Scope-OrgID`, for a server with several tenants. */
  tenantId?: string | undefined;
}

/**
 * A receiver of OTLP/HTTP that CPU profiles are sent to, such as a Collector with the feature gate `service.profilesSupport`.
 * OTLP's profiles are alpha: another release may need another version of the receiver.
 */
export interface OtlpProfileOptions {
  /**
   * Its address, such as `http://localhost:4318`, to which `/v1development/profiles` is added unless it ends with `/profiles`.
   * Without it nothing is sent.
   */
  url?: string | undefined;
  /** Additional request headers, such as `{ authorization: 'Bearer …' }`. */
  headers?: Record<string, string> | undefined;
}

/** The options that the profiling of one monitor needs. */
export interface ProfilingSettings extends ResolvedServiceOptions, Complete<ProfilingSwitches> {
  readonly enabled: boolean;
  readonly profiling: ResolvedProfilingOptions;
}

export interface ResolvedProfilingOptions extends Complete<Omit<ProfilingOptions, 'pyroscope' | 'otlp'>> {
  readonly pyroscope: Readonly<PyroscopeOptions>;
  readonly otlp: Readonly<OtlpProfileOptions>;
}

const PYROSCOPE_OPTIONS: OptionTable<PyroscopeOptions> = {
  url: httpAddress('http://localhost:4040'),
  authToken: secret,
  tenantId: text,
};

const OTLP_OPTIONS: OptionTable<OtlpProfileOptions> = {
  url: { ...httpAddress('http://localhost:4318'), secret: true },
  headers: option(httpHeaders, { default: {} }),
};

export const PROFILING_OPTIONS: OptionTable<ProfilingOptions> = {
  sampler: option(oneOf(['auto', 'inspector', 'datadog']), { default: 'auto' }),
  intervalMs: option(number(1, 100), { default: 10 }),
  keepSeconds: option(number(5, 3600), { default: 60 }),
  maxMemoryMb: option(number(1, 1024), { default: 8 }),
  directory: directoryOption('profiles'),
  maxDirectoryMb: option(number(1, 1_000_000), { default: 256 }),
  maxProfiles: option(whole(1, 100_000), { default: 200 }),
  maxAgeHours: option(number(0.01, 100_000), { default: 168 }),
  cooldownSeconds: option(number(0, 86_400), { default: 60 }),
  maxPerMinute: option(whole(1, 1000), { default: 20 }),
  heapSnapshots: option(boolean, { default: false }),
  maxHeapSnapshotsPerHour: option(whole(1, 60), { default: 2 }),
  pyroscope: PYROSCOPE_OPTIONS,
  otlp: OTLP_OPTIONS,
};
