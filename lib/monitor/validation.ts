import { ALERTS, checkAlerts } from '../alerting/alert-checks.js';
import { OPERATION_TYPE_PATTERN } from '../operation/operation.js';
import {
  bearerToken,
  boolean,
  type Check,
  checkShape,
  httpAddress,
  isObject,
  milliseconds,
  number,
  oneOf,
  type Shape,
  secret,
  text,
  whole,
} from '../validation/checks.js';
import { type OptionFault, show } from '../validation/options-error.js';

/** An address to export to. */
export const endpoint = httpAddress('http://localhost:4317');
/** Seconds between two exports. */
export const exportSeconds = number(0.1, 3600);
const customThresholds: Check = {
  allowed: `types (a letter, then letters, digits, _, - or .) with ${milliseconds.allowed}`,
  accepts: isObject,
};

const SHAPE: Shape = {
  enabled: boolean,
  serviceName: text,
  serviceVersion: text,
  hostName: text,
  httpThresholdMs: milliseconds,
  databaseThresholdMs: milliseconds,
  cacheThresholdMs: milliseconds,
  externalThresholdMs: milliseconds,
  customThresholds,
  enableProfiling: boolean,
  profileSlowOperations: boolean,
  profiling: {
    sampler: oneOf(['auto', 'inspector', 'datadog']),
    intervalMs: number(1, 100),
    keepSeconds: number(5, 3600),
    maxMemoryMb: number(1, 1024),
    directory: text,
    maxDirectoryMb: number(1, 1_000_000),
    maxProfiles: whole(1, 100_000),
    maxAgeHours: number(0.01, 100_000),
    cooldownSeconds: number(0, 86_400),
    maxPerMinute: whole(1, 1000),
    heapSnapshots: boolean,
    maxHeapSnapshotsPerHour: whole(1, 60),
    pyroscope: { url: httpAddress('http://localhost:4040'), authToken: secret, tenantId: text },
  },
  tracing: {
    endpoint,
    instrumentation: boolean,
    sampling: {
      ratio: number(0, 1),
      keepSlowTraces: boolean,
      maxBufferedSpans: whole(1, 1_000_000),
      maxSpansPerTrace: whole(1, 100_000),
    },
  },
  metrics: {
    enabled: boolean,
    endpoint,
    intervalSeconds: exportSeconds,
    histograms: oneOf(['exponential', 'explicit']),
    maxSeries: whole(10, 100_000),
  },
  http: {
    ignore: {
      allowed: 'an array of paths that begin with / and regular expressions',
      accepts: (value) =>
        Array.isArray(value) &&
        value.every((item) => item instanceof RegExp || (typeof item === 'string' && item.startsWith('/'))),
    },
  },
  detection: {
    maxOperations: whole(1, 100_000),
    maxSlowOperations: whole(1, 10_000),
    maxFindings: whole(1, 10_000),
    maxQueries: whole(1, 10_000),
    explain: boolean,
    nPlusOne: { enabled: boolean, minRepetitions: whole(2, 10_000), minTotalMs: milliseconds },
    eventLoopBlock: { enabled: boolean, limitMs: number(50, 60_000) },
    memoryLeaks: { enabled: boolean },
  },
  baseline: {
    enabled: boolean,
    directory: text,
    store: {
      allowed: 'a Keyv, or what has its get, set and delete',
      accepts: (value) =>
        isObject(value) &&
        (['get', 'set', 'delete'] as const).every((name) => typeof value[name] === 'function'),
    },
    saveIntervalSeconds: number(1, 3600),
    halfLifeDays: number(0.1, 365),
    maxAgeDays: number(0.1, 3650),
    maxVersions: whole(1, 100),
    warmUpSeconds: number(0, 3600),
    adaptive: { enabled: boolean, factor: number(1, 1000), minCount: whole(30, 1_000_000) },
    regressions: { enabled: boolean, minEffectPercent: number(1, 1000), minEffectMs: milliseconds },
  },
  resources: { intervalMs: whole(50, 60_000) },
  alerts: ALERTS,
  endpoint: {
    enabled: boolean,
    token: bearerToken,
    authorize: { allowed: 'a function', accepts: (value) => typeof value === 'function' },
    guards: {
      allowed: 'an array of guards, which have canActivate: classes or objects',
      accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isGuard),
    },
    maxStreams: whole(1, 1000),
  },
  monitor: { allowed: 'a PerformanceMonitor', accepts: isObject },
};

function isGuard(value: unknown): boolean {
  // A class may give its instances alone the method; what has no prototype is no class.
  if (typeof value === 'function') return value.prototype !== undefined;
  return isObject(value) && typeof value['canActivate'] === 'function';
}

/** Every fault of the options: unknown names, and values that are not allowed. `undefined` is as good as absent. */
export function findFaults(options: unknown): OptionFault[] {
  const faults: OptionFault[] = [];
  if (options !== undefined && !isObject(options)) {
    return [{ path: 'options', received: show(options), allowed: 'an object' }];
  }
  checkShape(options ?? {}, SHAPE, '', faults);
  checkAlerts(options?.['alerts'], faults);
  const custom = options?.['customThresholds'];
  if (isObject(custom)) {
    for (const [type, value] of Object.entries(custom)) {
      const path = `customThresholds.${type}`;
      if (!OPERATION_TYPE_PATTERN.test(type)) {
        faults.push({ path, received: 'a type of that name', allowed: customThresholds.allowed });
      } else if (!milliseconds.accepts(value)) {
        faults.push({ path, received: show(value), allowed: milliseconds.allowed });
      }
    }
  }
  return faults;
}
