import { boolean, type Check, isObject, milliseconds, number, whole } from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { directoryOption } from '../validation/directory-option.js';
import { type OptionTable, option } from '../validation/option-table.js';

/** What operations were like before: kept across restarts, and what is compared with it. */
export interface BaselineOptions {
  /** Learn baselines, and report what became slower. */
  enabled?: boolean | undefined;
  /** Where baselines are kept: a directory that survives a deploy. */
  directory?: string | undefined;
  /**
   * Where several instances keep baselines together instead: a Keyv, or an object with its `get`, `set` and `delete`. Each
   * instance writes its own keys, and readers merge them.
   */
  store?: KeyValueStore | undefined;
  /** Seconds between two saves. Baselines are also saved at shutdown. */
  saveIntervalSeconds?: number | undefined;
  /** Days after which learned data counts half. */
  halfLifeDays?: number | undefined;
  /** Days for which a version is kept, and the number of versions that are kept: those used last. */
  maxAgeDays?: number | undefined;
  maxVersions?: number | undefined;
  /** Seconds after the start in which nothing is learned or compared. */
  warmUpSeconds?: number | undefined;
  adaptive?: AdaptiveThresholdOptions | undefined;
  regressions?: RegressionOptions | undefined;
}

/** Thresholds by the baseline of each operation. */
export interface AdaptiveThresholdOptions {
  /** An operation is also slow when it takes `factor` times its baseline p95. */
  enabled?: boolean | undefined;
  factor?: number | undefined;
  /** Operations that a baseline needs before it is compared with. */
  minCount?: number | undefined;
}

/** Which changes are reported. */
export interface RegressionOptions {
  enabled?: boolean | undefined;
  /** The smallest change of a latency that is reported, in percent. */
  minEffectPercent?: number | undefined;
  /** The smallest change of a latency that is reported, in milliseconds. */
  minEffectMs?: number | undefined;
}

/** The part of Keyv that is needed. `iterator` is used where there is one. */
export interface KeyValueStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttlMs?: number): Promise<unknown>;
  delete(key: string): Promise<unknown>;
}

export interface ResolvedBaselineOptions {
  readonly enabled: boolean;
  readonly directory: string;
  readonly store: KeyValueStore | undefined;
  readonly saveIntervalSeconds: number;
  readonly halfLifeDays: number;
  readonly maxAgeDays: number;
  readonly maxVersions: number;
  readonly warmUpSeconds: number;
  readonly adaptive: Complete<AdaptiveThresholdOptions>;
  readonly regressions: Complete<RegressionOptions>;
}

const ADAPTIVE_OPTIONS: OptionTable<AdaptiveThresholdOptions> = {
  enabled: option(boolean, { default: false }),
  factor: option(number(1, 1000), { default: 3 }),
  minCount: option(whole(30, 1_000_000), { default: 200 }),
};
const REGRESSION_OPTIONS: OptionTable<RegressionOptions> = {
  enabled: option(boolean, { default: true }),
  minEffectPercent: option(number(1, 1000), { default: 10 }),
  minEffectMs: option(milliseconds, { default: 2 }),
};

/** The rule of an option that is a {@link KeyValueStore}. */
export const KEY_VALUE_STORE: Check = {
  allowed: 'a Keyv, or an object with its get, set and delete',
  accepts: (value) =>
    isObject(value) && (['get', 'set', 'delete'] as const).every((name) => typeof value[name] === 'function'),
};

export const BASELINE_OPTIONS: OptionTable<BaselineOptions> = {
  enabled: option(boolean, { default: true }),
  directory: directoryOption('baseline'),
  store: KEY_VALUE_STORE,
  saveIntervalSeconds: option(number(1, 3600), { default: 60 }),
  halfLifeDays: option(number(0.1, 365), { default: 7 }),
  maxAgeDays: option(number(0.1, 3650), { default: 30 }),
  maxVersions: option(whole(1, 100), { default: 10 }),
  warmUpSeconds: option(number(0, 3600), { default: 180 }),
  adaptive: ADAPTIVE_OPTIONS,
  regressions: REGRESSION_OPTIONS,
};
