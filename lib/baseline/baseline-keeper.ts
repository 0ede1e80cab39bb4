import type { ResolvedBaselineOptions } from '../options/baseline-options.js';
import { type BaselineSnapshot, newInstanceId, type SnapshotToSave } from './baseline-snapshot.js';
import type { BaselineStore } from './baseline-store.js';
import { tidy } from './baseline-tidy.js';
import { FileBaselineStore } from './file-store.js';
import { KeyvBaselineStore } from './keyv-store.js';
import { modelMerger } from './merge-models.js';
import { type StoredBaseline, storedBaseline } from './stored-baseline.js';

const DAY_MS = 24 * 3_600_000;
/** What was not saved for so many intervals, and for half an hour, is of a run that is over. */
const STALE_INTERVALS = 10;
const LEAST_STALE_MS = 30 * 60_000;

/** Which run of which service it is. */
export interface KeptRun {
  readonly service: string;
  readonly version: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Keeps a run's baseline in the store, and reads what others keep there. */
export class BaselineKeeper {
  private readonly store: BaselineStore;
  private readonly halfLifeMs: number;
  private instance = newInstanceId();
  /** When it was saved last, in milliseconds since 1970. */
  savedAt: number | undefined;

  constructor(
    private readonly options: ResolvedBaselineOptions,
    private readonly run: KeptRun,
    warn: (message: string) => void,
  ) {
    this.halfLifeMs = options.halfLifeDays * DAY_MS;
    this.store =
      options.store === undefined
        ? new FileBaselineStore(options.directory, warn)
        : new KeyvBaselineStore(options.store, options.maxAgeDays * DAY_MS, warn);
  }

  /**
   * Reads what others have learned, and merges or removes what is old.
   * @returns also whether what this run has saved was taken for that of one that is over: then it is part of the rest,
   * and is to be learned anew under another name; and what was saved beside last
   */
  async load(): Promise<{ stored: StoredBaseline; isAbsorbed: boolean; slo: unknown }> {
    const snapshots = await this.store.load(this.run.service);
    const isAbsorbed = snapshots.some(({ absorbs }) => absorbs.includes(this.instance));
    if (isAbsorbed) this.instance = newInstanceId();
    const now = Date.now();
    const merging = { mergeModels: modelMerger(this.halfLifeMs), halfLifeMs: this.halfLifeMs };
    const stored = await storedBaseline(
      snapshots,
      { ...this.run, instance: this.instance },
      { ...merging, at: now },
    );
    await this.tidy(snapshots, now, merging);
    return { stored, isAbsorbed, slo: lastSlo(snapshots) };
  }

  /** What a snapshot begins with. */
  header(): Omit<BaselineSnapshot, 'operations'> {
    return { ...this.run, instance: this.instance, savedAt: Date.now(), absorbs: [] };
  }

  async save(snapshot: SnapshotToSave): Promise<boolean> {
    const kept = await this.store.save(snapshot);
    if (kept) this.savedAt = snapshot.savedAt;
    return kept;
  }

  private tidy(
    snapshots: readonly BaselineSnapshot[],
    now: number,
    merging: { mergeModels: ReturnType<typeof modelMerger>; halfLifeMs: number },
  ): Promise<void> {
    const { saveIntervalSeconds, maxAgeDays, maxVersions } = this.options;
    const staleMs = Math.max(LEAST_STALE_MS, STALE_INTERVALS * saveIntervalSeconds * 1000);
    const options = { ...merging, now, staleMs, maxAgeMs: maxAgeDays * DAY_MS, maxVersions };
    return tidy(this.store, this.run.service, options, snapshots);
  }
}

function lastSlo(snapshots: readonly BaselineSnapshot[]): unknown {
  const having = snapshots.filter(({ slo }) => slo !== undefined);
  return having.sort((one, other) => other.savedAt - one.savedAt)[0]?.slo;
}
