import { createHash } from 'node:crypto';
import { runCooperatively, runToCompletion } from '../async/cooperative.js';
import { type MergeOptions, mergingVersion, withoutAbsorbed } from './baseline-merge.js';
import {
  type BaselineEntry,
  type BaselineSnapshot,
  MAX_ABSORBED,
  MAX_OPERATIONS,
} from './baseline-snapshot.js';
import type { BaselineStore } from './baseline-store.js';

export interface TidyOptions extends Omit<MergeOptions, 'at'> {
  readonly now: number;
  /** A run is over if it has not saved for this time: many times the save interval. */
  readonly staleMs: number;
  readonly maxAgeMs: number;
  /** The calling instance, which is not over however old its snapshot is. */
  readonly instance?: string;
  /** The number of versions kept, those saved last. */
  readonly maxVersions: number;
}

/** The archives to write, then the instances to remove. */
export interface TidyPlan {
  readonly archives: readonly BaselineSnapshot[];
  readonly remove: readonly string[];
}

/**
 * Limits the number of snapshots: those of runs that are over are merged into one archive per version, which lists them.
 * The name of an archive is a hash of its list, so two instances that merge at the same time write the same archive. A
 * merged snapshot is removed only once its archive was read from the store, so a crash in between loses nothing.
 */
export function planTidy(snapshots: readonly BaselineSnapshot[], options: TidyOptions): TidyPlan {
  return runToCompletion(planningTidy(snapshots, options));
}

function* planningTidy(
  snapshots: readonly BaselineSnapshot[],
  options: TidyOptions,
): Generator<undefined, TidyPlan> {
  const { now, staleMs, maxAgeMs, maxVersions } = options;
  const latest = new Map<string | undefined, number>();
  for (const { version, savedAt } of snapshots)
    latest.set(version, Math.max(latest.get(version) ?? 0, savedAt));
  const versions = [...latest].sort(([, one], [, other]) => other - one).slice(0, maxVersions);
  const aged = ageingAt(snapshots, options);
  const kept = new Set(
    versions.filter(([, savedAt]) => aged - savedAt <= maxAgeMs).map(([version]) => version),
  );
  const isOver = ({ savedAt, instance }: BaselineSnapshot): boolean =>
    now - savedAt > staleMs && instance !== options.instance;

  const valid = withoutAbsorbed(
    snapshots.filter(({ version, savedAt }) => kept.has(version) && aged - savedAt <= maxAgeMs),
  );
  const stays = new Set(valid.map(({ instance }) => instance));
  const remove = snapshots
    .filter((snapshot) => !stays.has(snapshot.instance) && isOver(snapshot))
    .map(({ instance }) => instance);
  const archives: BaselineSnapshot[] = [];
  const present = new Set(snapshots.map(({ instance }) => instance));
  for (const version of kept) {
    const over = valid.filter((snapshot) => snapshot.version === version && isOver(snapshot));
    if (over.length > 1) archives.push(yield* archiveOf(over, present, options));
  }
  return { archives, remove };
}

/**
 * Executes {@link planTidy}. Call it regularly: the parts of an archive are removed by a later call. Never rejects.
 * @param snapshots the contents of the store, if just loaded
 */
export async function tidy(
  store: BaselineStore,
  service: string,
  options: TidyOptions,
  snapshots?: readonly BaselineSnapshot[],
): Promise<void> {
  const present = snapshots ?? (await store.load(service)) ?? [];
  const { archives, remove } = await runCooperatively(planningTidy(present, options));
  for (const archive of archives) await store.save(archive);
  for (const instance of remove) await store.remove(service, instance);
}

/**
 * The moment that ages are relative to. If the snapshots of all others are old, the clock of this machine may be wrong. Then
 * ages are limited to half the maximal age until another instance saves.
 */
function ageingAt(snapshots: readonly BaselineSnapshot[], options: TidyOptions): number {
  const others = lastSaved(snapshots.filter(({ instance }) => instance !== options.instance));
  return Math.min(options.now, (others?.savedAt ?? options.now) + options.maxAgeMs / 2);
}

function* archiveOf(
  over: readonly BaselineSnapshot[],
  present: ReadonlySet<string>,
  options: TidyOptions,
): Generator<undefined, BaselineSnapshot> {
  const parts = [...over]
    .sort((one, other) => (one.instance < other.instance ? -1 : 1))
    .slice(0, MAX_ABSORBED / 2);
  // The parts of an older archive are listed only while they still exist.
  const absorbs = parts
    .flatMap(({ instance, absorbs: ids }) => [instance, ...ids.filter((id) => present.has(id))])
    .slice(0, MAX_ABSORBED);
  const at = Math.max(...parts.map(({ savedAt }) => savedAt));
  const merged = yield* mergingVersion(parts, { ...options, at });
  const busiest = [...merged.operations.values()]
    .sort((one, other) => other.count - one.count)
    .slice(0, MAX_OPERATIONS);
  const operations: BaselineEntry[] = [];
  for (const { sketch, ...known } of busiest) {
    operations.push({ ...known, sketch: sketch.toBytes() });
    yield;
  }
  const { slo } = lastSaved(parts.filter((part) => part.slo !== undefined)) ?? {};
  const name = createHash('sha256').update(absorbs.join('\n')).digest('hex').slice(0, 24);
  return {
    service: parts[0]?.service ?? '',
    version: merged.version,
    instance: `archive-${name}`,
    startedAt: merged.startedAt,
    savedAt: at,
    absorbs,
    operations,
    ...(merged.memory === undefined ? {} : { memory: merged.memory }),
    ...(slo === undefined ? {} : { slo }),
  };
}

/** The snapshot that was saved last. */
export function lastSaved(snapshots: readonly BaselineSnapshot[]): BaselineSnapshot | undefined {
  return snapshots.reduce<BaselineSnapshot | undefined>(
    (last, one) => (last === undefined || one.savedAt > last.savedAt ? one : last),
    undefined,
  );
}
