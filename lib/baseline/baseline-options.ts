import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Complete } from '../validation/complete.js';

/** What operations were like before: kept across restarts, and what is told from it. */
export interface BaselineOptions {
  /** Learn what is usual, and tell what got slower. Default true. */
  enabled?: boolean | undefined;
  /**
   * Where it is kept, a directory that survives a deploy. Default: a directory of this user's in the directory for
   * temporary files.
   */
  directory?: string | undefined;
  /**
   * Where several instances keep it together instead: a Keyv, or what has its `get`, `set` and `delete`. Each instance
   * writes keys of its own, and readers merge them.
   */
  store?: KeyValueStore | undefined;
  /** Seconds from one save to the next. It is saved at shutdown, too. Default 60. */
  saveIntervalSeconds?: number | undefined;
  /** Days after which what was learned counts half. Default 7. */
  halfLifeDays?: number | undefined;
  /** What is older is forgotten. Default 30 days, and the 10 versions used last. */
  maxAgeDays?: number | undefined;
  maxVersions?: number | undefined;
  /** Seconds after the start in which nothing is learned or compared. Default 180. */
  warmUpSeconds?: number | undefined;
  adaptive?: AdaptiveThresholdOptions | undefined;
  regressions?: RegressionOptions | undefined;
}

/** Thresholds by what is usual. */
export interface AdaptiveThresholdOptions {
  /** An operation is slow, too, when it takes `factor` times its usual p95. Default false. */
  enabled?: boolean | undefined;
  /** Default 3. */
  factor?: number | undefined;
  /** Operations from which on it is known what is usual. Default 200. */
  minCount?: number | undefined;
}

/** Which changes are told. */
export interface RegressionOptions {
  /** Default true. */
  enabled?: boolean | undefined;
  /** The least change that is one: of a latency in percent and in milliseconds. Default 10 and 2. */
  minEffectPercent?: number | undefined;
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

export function resolveBaseline(options: BaselineOptions = {}): ResolvedBaselineOptions {
  const { adaptive = {}, regressions = {} } = options;
  return {
    enabled: options.enabled ?? true,
    directory: options.directory === undefined ? baselineDirectory() : resolve(options.directory),
    store: options.store,
    saveIntervalSeconds: options.saveIntervalSeconds ?? 60,
    halfLifeDays: options.halfLifeDays ?? 7,
    maxAgeDays: options.maxAgeDays ?? 30,
    maxVersions: options.maxVersions ?? 10,
    warmUpSeconds: options.warmUpSeconds ?? 180,
    adaptive: {
      enabled: adaptive.enabled ?? false,
      factor: adaptive.factor ?? 3,
      minCount: adaptive.minCount ?? 200,
    },
    regressions: {
      enabled: regressions.enabled ?? true,
      minEffectPercent: regressions.minEffectPercent ?? 10,
      minEffectMs: regressions.minEffectMs ?? 2,
    },
  };
}

/** One for each user of the machine: nobody else may read or write there. */
function baselineDirectory(): string {
  return join(tmpdir(), `nestjs-performance-baseline-${process.getuid?.() ?? 'user'}`);
}
