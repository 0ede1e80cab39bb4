import { runCooperatively } from '../async/cooperative.js';
import { type PackedBytes, packBytes } from '../bytes/packed-bytes.js';
import {
  type MergedBaseline,
  type MergeOptions,
  mergingVersion,
  operationKey,
  withoutAbsorbed,
} from './baseline-merge.js';
import type { BaselineSnapshot } from './baseline-snapshot.js';
import { lastSaved } from './baseline-tidy.js';

/** How long a version is compared with the previous one. */
export const NEW_VERSION_MS = 24 * 3_600_000;

/** The stored data of one operation. */
export interface StoredOperation {
  /** The bytes of a `LatencySketch`, and of a `WindowModel`, which may be empty. */
  readonly sketch: PackedBytes;
  readonly model: PackedBytes;
  /** See `BaselineEntry.rebasedAt`. */
  readonly rebasedAt?: number;
}

/** The data of other runs and instances: of this version, and of the previous one. */
export interface StoredBaseline {
  /** When this version was first seen, in milliseconds since 1970. */
  readonly since: number;
  readonly previousVersion: string | undefined;
  /** Whether there was a previous version. */
  readonly hasPrevious: boolean;
  /** By `operationKey`. Entries are removed once their operation has taken them. */
  readonly current: Map<string, StoredOperation>;
  readonly previous: Map<string, StoredOperation>;
}

/** Merges all snapshots except that of this run, in slices of 1.5 ms. */
export async function storedBaseline(
  snapshots: readonly BaselineSnapshot[],
  run: { readonly version: string | undefined; readonly instance: string; readonly startedAt: number },
  options: MergeOptions,
): Promise<StoredBaseline> {
  const others = withoutAbsorbed(snapshots.filter(({ instance }) => instance !== run.instance));
  const same = others.filter(({ version }) => version === run.version);
  const since = Math.min(run.startedAt, ...same.map(({ startedAt }) => startedAt));
  const before = versionBefore(others, run.version, since);
  const previous = before === undefined ? [] : others.filter(({ version }) => version === before.version);
  return {
    since,
    previousVersion: before?.version,
    hasPrevious: before !== undefined,
    current: same.length === 0 ? new Map() : await packed(same, options),
    previous: previous.length === 0 ? new Map() : await packed(previous, options),
  };
}

/** Among the versions that started before this one, the one saved last. */
function versionBefore(
  snapshots: readonly BaselineSnapshot[],
  current: string | undefined,
  since: number,
): BaselineSnapshot | undefined {
  const begun = new Map<string | undefined, number>();
  for (const { version, startedAt } of snapshots) {
    begun.set(version, Math.min(begun.get(version) ?? startedAt, startedAt));
  }
  return lastSaved(
    snapshots.filter(({ version }) => version !== current && (begun.get(version) as number) < since),
  );
}

async function packed(
  snapshots: readonly BaselineSnapshot[],
  options: MergeOptions,
): Promise<Map<string, StoredOperation>> {
  const merged = await runCooperatively(mergingVersion(snapshots, options));
  return runCooperatively(packing(merged));
}

function* packing({ operations }: MergedBaseline): Generator<undefined, Map<string, StoredOperation>> {
  const stored = new Map<string, StoredOperation>();
  for (const operation of operations.values()) {
    const { sketch, model, rebasedAt } = operation;
    stored.set(operationKey(operation), {
      sketch: packBytes(sketch.toBytes()),
      model: packBytes(model),
      ...(rebasedAt === undefined ? {} : { rebasedAt }),
    });
    yield;
  }
  return stored;
}
