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

/** For how long a version is compared with the one before it. */
export const NEW_VERSION_MS = 24 * 3_600_000;

/** What was stored of one operation. */
export interface StoredOperation {
  /** Of a `LatencySketch`, and of a `WindowModel`, which may be none. */
  readonly sketch: PackedBytes;
  readonly model: PackedBytes;
  /** See `BaselineEntry.rebasedAt`. */
  readonly rebasedAt?: number;
}

/** What other runs and other instances have learned of this version, and what was learned of the one before it. */
export interface StoredBaseline {
  /** When this version was first seen, in milliseconds since 1970. */
  readonly since: number;
  readonly previousVersion: string | undefined;
  /** Whether there was another version before. */
  readonly hasPrevious: boolean;
  /** By `operationKey`: those that nobody has taken yet. */
  readonly present: Map<string, StoredOperation>;
  readonly previous: Map<string, StoredOperation>;
}

/** Puts together what `snapshots` hold, but for the one of this run, in slices that hold the event loop for some 1.5 ms. */
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
    present: same.length === 0 ? new Map() : await packed(same, options),
    previous: previous.length === 0 ? new Map() : await packed(previous, options),
  };
}

/** Of those that were there before this one, the one that was saved last. */
function versionBefore(
  snapshots: readonly BaselineSnapshot[],
  present: string | undefined,
  since: number,
): BaselineSnapshot | undefined {
  const begun = new Map<string | undefined, number>();
  for (const { version, startedAt } of snapshots) {
    begun.set(version, Math.min(begun.get(version) ?? startedAt, startedAt));
  }
  return lastSaved(
    snapshots.filter(({ version }) => version !== present && (begun.get(version) as number) < since),
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
