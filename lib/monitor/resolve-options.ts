import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { resolveAlerts } from '../alerting/alert-options.js';
import { resolveBaseline } from '../baseline/baseline-options.js';
import { resolveMetrics } from '../metrics/metrics-options.js';
import { applicationPackage } from '../process/application-package.js';
import { PerformanceOptionsError } from '../validation/options-error.js';
import { own } from '../validation/own.js';
import { type Environment, readEnvironment } from './environment.js';
import type { PerformanceOptions, ProfilingOptions, ResolvedOptions } from './options.js';
import { findFaults } from './validation.js';

/**
 * The options with the environment beneath them and the defaults beneath both.
 * @throws {@link PerformanceOptionsError} that names every option and variable that is not right.
 */
export function resolveOptions(options: PerformanceOptions = {}, env: Environment = {}): ResolvedOptions {
  const faults = findFaults(options);
  const environment = readEnvironment(env);
  if (faults.length > 0 || environment.faults.length > 0) {
    throw new PerformanceOptionsError([...faults, ...environment.faults]);
  }
  const pick = <K extends keyof PerformanceOptions>(key: K): PerformanceOptions[K] =>
    options[key] ?? environment.options[key];
  const custom = definedOnly(options.customThresholds);
  const threshold = (
    key: 'httpThresholdMs' | 'databaseThresholdMs' | 'cacheThresholdMs' | 'externalThresholdMs',
    type: string,
  ): number | undefined => options[key] ?? own(custom, type) ?? environment.options[key];
  const application = applicationPackage();
  const { tracing = {} } = options;
  return {
    enabled: pick('enabled') ?? true,
    serviceName: pick('serviceName') ?? application?.name ?? 'nestjs-application',
    serviceVersion: options.serviceVersion ?? application?.version,
    hostName: pick('hostName') ?? hostname(),
    production: env['NODE_ENV'] === 'production',
    thresholds: {
      messaging: 2000,
      rpc: 2000,
      internal: 1000,
      ...custom,
      http: threshold('httpThresholdMs', 'http') ?? 1000,
      database: threshold('databaseThresholdMs', 'database') ?? 500,
      cache: threshold('cacheThresholdMs', 'cache') ?? 100,
      external: threshold('externalThresholdMs', 'external') ?? 2000,
    },
    enableProfiling: pick('enableProfiling') ?? false,
    profileSlowOperations: pick('profileSlowOperations') ?? false,
    profiling: resolveProfiling(options.profiling),
    tracing: {
      endpoint: tracing.endpoint ?? environment.options.tracing?.endpoint,
      instrumentation: tracing.instrumentation ?? true,
      sampling: {
        ratio: tracing.sampling?.ratio ?? 1,
        keepSlowTraces: tracing.sampling?.keepSlowTraces ?? true,
        maxBufferedSpans: tracing.sampling?.maxBufferedSpans ?? 10_000,
        maxSpansPerTrace: tracing.sampling?.maxSpansPerTrace ?? 1000,
      },
    },
    metrics: resolveMetrics(options.metrics, environment.options.metrics, tracing.endpoint),
    http: { ignore: options.http?.ignore ?? [] },
    detection: {
      maxOperations: options.detection?.maxOperations ?? 1000,
      maxSlowOperations: options.detection?.maxSlowOperations ?? 200,
      maxFindings: options.detection?.maxFindings ?? 200,
      maxQueries: options.detection?.maxQueries ?? 500,
      explain: options.detection?.explain ?? true,
      nPlusOne: {
        enabled: options.detection?.nPlusOne?.enabled ?? true,
        minRepetitions: options.detection?.nPlusOne?.minRepetitions ?? 5,
        minTotalMs: options.detection?.nPlusOne?.minTotalMs ?? 25,
      },
      eventLoopBlock: {
        enabled: options.detection?.eventLoopBlock?.enabled ?? true,
        limitMs: options.detection?.eventLoopBlock?.limitMs ?? 100,
      },
      memoryLeaks: { enabled: options.detection?.memoryLeaks?.enabled ?? true },
    },
    baseline: resolveBaseline(options.baseline),
    resources: { intervalMs: options.resources?.intervalMs ?? 250 },
    alerts: resolveAlerts(options.alerts),
    endpoint: {
      ...options.endpoint,
      enabled: options.endpoint?.enabled ?? true,
      maxStreams: options.endpoint?.maxStreams ?? 20,
    },
    monitor: options.monitor,
  };
}

function resolveProfiling(options: ProfilingOptions = {}): ResolvedOptions['profiling'] {
  return {
    sampler: options.sampler ?? 'auto',
    intervalMs: options.intervalMs ?? 10,
    keepSeconds: options.keepSeconds ?? 60,
    maxMemoryMb: options.maxMemoryMb ?? 8,
    directory: options.directory === undefined ? profilesDirectory() : resolve(options.directory),
    maxDirectoryMb: options.maxDirectoryMb ?? 256,
    maxProfiles: options.maxProfiles ?? 200,
    maxAgeHours: options.maxAgeHours ?? 168,
    cooldownSeconds: options.cooldownSeconds ?? 60,
    maxPerMinute: options.maxPerMinute ?? 20,
    heapSnapshots: options.heapSnapshots ?? false,
    maxHeapSnapshotsPerHour: options.maxHeapSnapshotsPerHour ?? 2,
    pyroscope: { ...options.pyroscope },
  };
}

/** One for each user of the machine: nobody else may read or write there. */
function profilesDirectory(): string {
  return join(tmpdir(), `nestjs-performance-profiles-${process.getuid?.() ?? 'user'}`);
}

function definedOnly(thresholds: Record<string, number> = {}): Record<string, number> {
  return Object.fromEntries(Object.entries(thresholds).filter(([, value]) => value !== undefined));
}
