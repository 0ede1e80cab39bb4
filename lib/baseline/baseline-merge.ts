import { runToCompletion } from '../async/cooperative.js';
import type { BaselineSnapshot } from './baseline-snapshot.js';
import { LatencySketch } from './latency-sketch.js';
import { OperationPeriods } from './operation-periods.js';
import { ProcessMemory } from './process-memory.js';
import { NEW_NORMAL_MS } from './regression-settings.js';
import { WindowModel } from './window-model.js';

/** The bytes of a model, and their age at {@link MergeOptions.at}. */
interface AgedModel {
  readonly bytes: Uint8Array;
  readonly ageMs: number;
}

/** What the snapshots contain of one operation. */
interface PartsOfOperation {
  readonly type: string;
  readonly name: string;
  readonly sketch: LatencySketch;
  readonly models: AgedModel[];
}

export interface MergeOptions {
  /** The age at which data counts half. */
  readonly halfLifeMs: number;
  /** The moment that ages are relative to, in milliseconds since 1970. */
  readonly at: number;
}

/** The learned data of one operation, from all instances. */
export interface MergedOperation {
  readonly type: string;
  readonly name: string;
  readonly count: number;
  readonly sketch: LatencySketch;
  /** Bytes of a `WindowModel`; empty if there is none. */
  readonly model: Uint8Array;
  /** When a regression last became the new baseline. Data from before its start is left out. */
  readonly rebasedAt?: number;
  /** Bytes of `OperationPeriods`; absent if there are none. */
  readonly periods?: Uint8Array;
}

/** The learned data of one version, from all instances. */
export interface MergedBaseline {
  readonly version: string | undefined;
  readonly startedAt: number;
  readonly savedAt: number;
  readonly instances: readonly string[];
  /** By {@link operationKey}. */
  readonly operations: ReadonlyMap<string, MergedOperation>;
  /** Bytes of `ProcessMemory`; absent if there is none. */
  readonly memory?: Uint8Array;
}

/** The key of an operation in maps. */
export function operationKey({ type, name }: { readonly type: string; readonly name: string }): string {
  return `${type}\n${name}`;
}

/**
 * Leaves out snapshots that are merged into another one in the list. Of two archives with a common part, which cannot be
 * added, the one with more parts stays: the rest of the other one is lost rather than counted twice.
 */
export function withoutAbsorbed(snapshots: readonly BaselineSnapshot[]): BaselineSnapshot[] {
  const depths = depthsOf(snapshots);
  const ordered = [...snapshots].sort(
    (one, other) =>
      (depths.get(other.instance) ?? 0) - (depths.get(one.instance) ?? 0) ||
      other.absorbs.length - one.absorbs.length ||
      other.savedAt - one.savedAt ||
      (one.instance < other.instance ? -1 : 1),
  );
  const taken = new Set<string>();
  const kept: BaselineSnapshot[] = [];
  for (const snapshot of ordered) {
    if (taken.has(snapshot.instance) || snapshot.absorbs.some((id) => taken.has(id))) continue;
    taken.add(snapshot.instance);
    for (const id of snapshot.absorbs) taken.add(id);
    kept.push(snapshot);
  }
  return kept;
}

/** How deeply archives are nested: an archive has a greater depth than those it has absorbed. */
function depthsOf(snapshots: readonly BaselineSnapshot[]): Map<string, number> {
  const byInstance = new Map(snapshots.map((snapshot) => [snapshot.instance, snapshot]));
  const depths = new Map<string, number>();
  const depthOf = (instance: string): number => {
    const known = depths.get(instance);
    if (known !== undefined) return known;
    // Set before the recursion, which archives that claim each other would never end.
    depths.set(instance, 0);
    const within = (byInstance.get(instance)?.absorbs ?? []).map((id) =>
      byInstance.has(id) ? 1 + depthOf(id) : 1,
    );
    const depth = Math.max(0, ...within);
    depths.set(instance, depth);
    return depth;
  };
  for (const { instance } of snapshots) depthOf(instance);
  return depths;
}

/** Merges snapshots of one service by version, the latest first. Their order does not matter. */
export function mergeSnapshots(
  snapshots: readonly BaselineSnapshot[],
  options: MergeOptions,
): MergedBaseline[] {
  const byVersion = new Map<string | undefined, BaselineSnapshot[]>();
  for (const snapshot of withoutAbsorbed(snapshots)) listIn(byVersion, snapshot.version).push(snapshot);
  return [...byVersion.values()]
    .map((same) => mergeVersion(same, options))
    .sort((one, other) => other.savedAt - one.savedAt);
}

/** @param snapshots of one version, at least one */
export function mergeVersion(snapshots: readonly BaselineSnapshot[], options: MergeOptions): MergedBaseline {
  return runToCompletion(mergingVersion(snapshots, options));
}

/** As {@link mergeVersion}, one operation at a time. */
export function* mergingVersion(
  snapshots: readonly BaselineSnapshot[],
  options: MergeOptions,
): Generator<undefined, MergedBaseline> {
  const ordered = [...snapshots].sort((one, other) => (one.instance < other.instance ? -1 : 1));
  const rebased = yield* latestRebase(ordered);
  const parts = new Map<string, PartsOfOperation>();
  const periods = new Map<string, Uint8Array[]>();
  for (const { operations, savedAt, startedAt } of ordered) {
    const ageMs = Math.max(0, options.at - savedAt);
    for (const entry of operations) {
      const key = operationKey(entry);
      // Those from before a rebase as well: a version is judged by all that it did.
      if (entry.periods !== undefined) listIn(periods, key).push(entry.periods);
      const changedAt = (rebased.get(key) ?? 0) - NEW_NORMAL_MS;
      const sketch = (entry.rebasedAt ?? startedAt) < changedAt ? undefined : sketchIn(entry.sketch);
      if (sketch === undefined) continue;
      if (ageMs > 0) sketch.decay(2 ** (-ageMs / options.halfLifeMs));
      let part = parts.get(key);
      if (part === undefined) {
        part = { type: entry.type, name: entry.name, sketch: new LatencySketch(), models: [] };
        parts.set(key, part);
      }
      part.sketch.merge(sketch);
      if (entry.model.length > 0) part.models.push({ bytes: entry.model, ageMs });
      yield;
    }
  }
  const operations = new Map<string, MergedOperation>();
  for (const [key, { models, ...part }] of parts) {
    const ofOperation = periods.get(key);
    const model = mergeModels(models, options.halfLifeMs);
    const rebasedAt = rebased.get(key);
    operations.set(key, {
      ...part,
      count: part.sketch.count,
      model,
      ...(rebasedAt === undefined ? {} : { rebasedAt }),
      ...(ofOperation === undefined ? {} : { periods: mergePeriods(ofOperation) }),
    });
    yield;
  }
  const memory = mergeMemory(ordered);
  return {
    version: ordered[0]?.version,
    startedAt: Math.min(...ordered.map(({ startedAt }) => startedAt)),
    savedAt: Math.max(...ordered.map(({ savedAt }) => savedAt)),
    instances: ordered.map(({ instance }) => instance),
    operations,
    ...(memory.isEmpty ? {} : { memory: memory.toBytes() }),
  };
}

/** The list of a key, which it adds if it is not there. */
function listIn<K, V>(lists: Map<K, V[]>, key: K): V[] {
  let list = lists.get(key);
  if (list === undefined) {
    list = [];
    lists.set(key, list);
  }
  return list;
}

/** When each operation was last rebased. */
function* latestRebase(snapshots: readonly BaselineSnapshot[]): Generator<undefined, Map<string, number>> {
  const latest = new Map<string, number>();
  for (const { operations } of snapshots) {
    for (const entry of operations) {
      if (entry.rebasedAt === undefined) continue;
      const key = operationKey(entry);
      latest.set(key, Math.max(latest.get(key) ?? 0, entry.rebasedAt));
    }
    yield;
  }
  return latest;
}

/** undefined for bytes of another format. */
function sketchIn(bytes: Uint8Array): LatencySketch | undefined {
  try {
    return LatencySketch.fromBytes(bytes);
  } catch {
    return undefined;
  }
}

/** Periods have no half-life: they have the time in them. Those of another format are left out. */
function mergePeriods(all: readonly Uint8Array[]): Uint8Array {
  const merged = new OperationPeriods();
  for (const bytes of all) {
    try {
      merged.merge(OperationPeriods.fromBytes(bytes));
    } catch {
      // Of another release of this package.
    }
  }
  return merged.toBytes();
}

/** That of another format is left out. */
function mergeMemory(snapshots: readonly BaselineSnapshot[]): ProcessMemory {
  const merged = new ProcessMemory();
  for (const { memory } of snapshots) {
    if (memory === undefined) continue;
    try {
      merged.merge(ProcessMemory.fromBytes(memory));
    } catch {
      // Of another release of this package.
    }
  }
  return merged;
}

/** No bytes if one of the models has another format. */
function mergeModels(models: readonly AgedModel[], halfLifeMs: number): Uint8Array {
  if (models.length === 0) return new Uint8Array(0);
  try {
    const merged = new WindowModel();
    for (const { bytes, ageMs } of models) {
      const model = WindowModel.fromBytes(bytes);
      if (ageMs > 0) model.decay(2 ** (-ageMs / halfLifeMs));
      merged.merge(model);
    }
    return merged.toBytes();
  } catch {
    return new Uint8Array(0);
  }
}
