import { type Check, isObject, milliseconds } from '../validation/checks.js';
import { numberFrom, type OptionTable, option } from '../validation/option-table.js';
import { formatValue, type OptionFault } from '../validation/options-error.js';
import { own } from '../validation/own.js';
import { OPERATION_TYPE_PATTERN } from './operation.js';

/** The durations in milliseconds above which operations are slow. */
export interface ThresholdOptions {
  /** Threshold of incoming requests. */
  httpThresholdMs?: number | undefined;
  /** Threshold of database operations, and of the wait for a connection: `customThresholds.connection_pool` separates them. */
  databaseThresholdMs?: number | undefined;
  /** Threshold of cache operations. */
  cacheThresholdMs?: number | undefined;
  /** Threshold of outgoing calls. */
  externalThresholdMs?: number | undefined;
  /**
   * Thresholds of your own types, of `messaging` and `rpc` (default 2000 each), `internal` (default 1000), and of handlers:
   * `websocket` and `queue` (default that of `messaging`), `schedule`, `event` and `command` (default that of `internal`). A
   * type of your own without a threshold is counted and never slow.
   */
  customThresholds?: Record<string, number> | undefined;
}

/** Thresholds by type, in milliseconds. */
export type ResolvedThresholds = Readonly<Record<string, number>>;

const customThresholds: Check = {
  allowed: `types (a letter, then letters, digits, _, - or .) with ${milliseconds.allowed}`,
  accepts: isObject,
};

export const THRESHOLD_OPTIONS: OptionTable<ThresholdOptions> = {
  httpThresholdMs: option(milliseconds, { default: 1000, variables: numberFrom('OTEL_HTTP_THRESHOLD_MS') }),
  databaseThresholdMs: option(milliseconds, { default: 500, variables: numberFrom('OTEL_DB_THRESHOLD_MS') }),
  cacheThresholdMs: option(milliseconds, { default: 100, variables: numberFrom('OTEL_CACHE_THRESHOLD_MS') }),
  externalThresholdMs: option(milliseconds, {
    default: 2000,
    variables: numberFrom('OTEL_EXTERNAL_THRESHOLD_MS'),
  }),
  customThresholds: option(customThresholds, {
    defaultText:
      '`{ messaging: 2000, rpc: 2000, internal: 1000, connection_pool: databaseThresholdMs }`; handlers as above',
  }),
};

const CUSTOM_DEFAULTS = { messaging: 2000, rpc: 2000, internal: 1000 } as const;

/** Handlers without a threshold of their type: a message by WebSocket or a job counts as one, other work as internal. */
const FALLBACKS = {
  websocket: 'messaging',
  queue: 'messaging',
  schedule: 'internal',
  event: 'internal',
  command: 'internal',
} as const satisfies Record<string, keyof typeof CUSTOM_DEFAULTS>;

const OPTION_OF_TYPE = {
  http: 'httpThresholdMs',
  database: 'databaseThresholdMs',
  cache: 'cacheThresholdMs',
  external: 'externalThresholdMs',
} as const;

/** The thresholds of the types with a separate option. */
export type BuiltInThresholds = Readonly<
  Record<(typeof OPTION_OF_TYPE)[keyof typeof OPTION_OF_TYPE], number>
>;

/**
 * The thresholds of all types. The option of a type overrides `customThresholds`, which overrides the environment.
 * @param resolved the options with environment and defaults
 */
export function resolveThresholds(given: ThresholdOptions, resolved: BuiltInThresholds): ResolvedThresholds {
  const custom = Object.fromEntries(
    Object.entries(given.customThresholds ?? {}).filter(([, value]) => value !== undefined),
  );
  const builtIn = Object.entries(OPTION_OF_TYPE).map(([type, name]) => [
    type,
    given[name] ?? own(custom, type) ?? resolved[name],
  ]);
  const byType = Object.fromEntries(builtIn) as Record<string, number>;
  // Who waits for a connection waits for the database.
  const fallbacks = Object.fromEntries(
    Object.entries(FALLBACKS).map(([type, other]) => [type, own(custom, other) ?? CUSTOM_DEFAULTS[other]]),
  );
  return {
    ...CUSTOM_DEFAULTS,
    ...fallbacks,
    connection_pool: byType['database'] as number,
    ...custom,
    ...byType,
  };
}

/** Adds the faults of the types and values of `customThresholds`. */
export function checkThresholds(given: unknown, faults: OptionFault[]): void {
  if (!isObject(given)) return;
  for (const [type, value] of Object.entries(given)) {
    const path = `customThresholds.${type}`;
    if (!OPERATION_TYPE_PATTERN.test(type)) {
      faults.push({ path, received: 'a type of that name', allowed: customThresholds.allowed });
    } else if (value !== undefined && !milliseconds.accepts(value)) {
      faults.push({ path, received: formatValue(value), allowed: milliseconds.allowed });
    }
  }
}
