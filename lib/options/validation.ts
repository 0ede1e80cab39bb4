import { OPERATION_TYPE_PATTERN } from '../monitor/operation.js';
import { type OptionFault, show } from './options-error.js';

/** Says what is wrong with a value, or nothing. */
interface Check {
  readonly allowed: string;
  readonly accepts: (value: unknown) => boolean;
  readonly secret?: boolean;
}
type Shape = { readonly [key: string]: Check | Shape };

const isCheck = (rule: Check | Shape): rule is Check => typeof (rule as Check).accepts === 'function';
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A day: above it a threshold in milliseconds is surely a mistake of unit. */
const MAX_MS = 86_400_000;

const isNumberIn = (value: unknown, min: number, max: number): boolean =>
  typeof value === 'number' && value >= min && value <= max;
const isWholeIn = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && isNumberIn(value, min, max);

const boolean: Check = { allowed: 'true or false', accepts: (value) => typeof value === 'boolean' };
const text: Check = {
  allowed: 'a string that is not empty',
  accepts: (value) => typeof value === 'string' && value.trim() !== '',
};
/** A threshold in milliseconds. */
export const milliseconds: Check = {
  allowed: `a number of milliseconds, 0 to ${MAX_MS}`,
  accepts: (value) => isNumberIn(value, 0, MAX_MS),
};
const number = (min: number, max: number): Check => ({
  allowed: `a number from ${min} to ${max}`,
  accepts: (value) => isNumberIn(value, min, max),
});
const whole = (min: number, max: number): Check => ({
  allowed: `a whole number from ${min} to ${max}`,
  accepts: (value) => isWholeIn(value, min, max),
});
const isHttpAddress = (value: unknown): boolean =>
  typeof value === 'string' && URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol);
/** An address to export to. */
export const endpoint: Check = {
  allowed: 'an address such as http://localhost:4317 (http: or https:)',
  accepts: isHttpAddress,
};
const httpAddress: Check = {
  allowed: 'an address such as http://localhost:4040 (http: or https:)',
  accepts: isHttpAddress,
};
const secret: Check = { ...text, secret: true };
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
    sampler: {
      allowed: 'auto, inspector or datadog',
      accepts: (value) => ['auto', 'inspector', 'datadog'].includes(value as string),
    },
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
    pyroscope: { url: httpAddress, authToken: secret, tenantId: text },
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
        isObject(value) && ['get', 'set', 'delete'].every((name) => typeof value[name] === 'function'),
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
  alerts: {
    enabled: boolean,
    intervalMs: whole(100, 3_600_000),
    slowPercentage: { threshold: number(0, 100), minCount: whole(1, 1_000_000) },
    heapUsed: { threshold: number(0, 100) },
  },
  endpoint: {
    enabled: boolean,
    token: {
      allowed: 'a string of at least 16 characters',
      accepts: (value) => typeof value === 'string' && value.length >= 16,
      secret: true,
    },
    authorize: { allowed: 'a function', accepts: (value) => typeof value === 'function' },
  },
  monitor: { allowed: 'a PerformanceMonitor', accepts: isObject },
};

/** Every fault of the options: unknown names, and values that are not allowed. `undefined` is as good as absent. */
export function findFaults(options: unknown): OptionFault[] {
  const faults: OptionFault[] = [];
  if (options !== undefined && !isObject(options)) {
    return [{ path: 'options', received: show(options), allowed: 'an object' }];
  }
  checkShape(options ?? {}, SHAPE, '', faults);
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

function checkShape(
  value: Record<string, unknown>,
  shape: Shape,
  prefix: string,
  faults: OptionFault[],
): void {
  for (const [key, given] of Object.entries(value)) {
    const path = prefix + key;
    const rule = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (rule === undefined) {
      const names = Object.keys(shape);
      const near = names.find((name) => distance(name.toLowerCase(), key.toLowerCase()) <= 3);
      const hint = near === undefined ? '' : ` (did you mean ${prefix}${near}?)`;
      faults.push({ path, received: 'not an option', allowed: `one of ${names.join(', ')}${hint}` });
    } else if (given === undefined) {
    } else if (isCheck(rule)) {
      if (rule.accepts(given)) continue;
      faults.push({ path, received: rule.secret ? 'a value (hidden)' : show(given), allowed: rule.allowed });
    } else if (isObject(given)) {
      checkShape(given, rule, `${path}.`, faults);
    } else {
      faults.push({ path, received: show(given), allowed: `an object with ${Object.keys(rule).join(', ')}` });
    }
  }
}

/** Levenshtein's distance, for names of options only. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
