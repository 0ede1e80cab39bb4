import type { MergeOptions } from './baseline-merge.js';
import type { ResolvedBaselineOptions } from './baseline-options.js';
import { type BaselineSnapshot, newInstanceId, type SnapshotToSave } from './baseline-snapshot.js';
import type { BaselineStore } from './baseline-store.js';
import { lastSaved, tidy } from './baseline-tidy.js';
import { FileBaselineStore } from './file-store.js';
import { KeyvBaselineStore } from './keyv-store.js';
import { modelMerger } from './merge-models.js';
import { isOverRun } from './run-process.js';
import { type StoredBaseline, storedBaseline } from './stored-baseline.js';
import { TimeoutStore } from './timeout-store.js';

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

/** What was read. */
export interface LoadedBaseline {
  readonly stored: StoredBaseline;
  /**
   * What this run has saved was taken for that of one that is over: it is part of the rest now, and is to be learned anew
   * under another name.
   */
  readonly isAbsorbed: boolean;
  /** What the last run that is over has saved beside. */
  readonly slo: unknown;
  readonly snapshots: readonly BaselineSnapshot[];
}

/** Keeps a run's baseline in the store, and reads what others keep there. */
export class BaselineKeeper {
  private readonly store: BaselineStore;
  private readonly halfLifeMs: number;
  private readonly staleMs: number;
  private instance = newInstanceId();
  private isTidying = false;
  /** When it was saved last, in milliseconds since 1970. */
  savedAt: number | undefined;

  constructor(
    private readonly options: ResolvedBaselineOptions,
    private readonly run: KeptRun,
    warn: (message: string) => void,
  ) {
    this.halfLifeMs = options.halfLifeDays * DAY_MS;
    this.staleMs = Math.max(LEAST_STALE_MS, STALE_INTERVALS * options.saveIntervalSeconds * 1000);
    const store =
      options.store === undefined
        ? new FileBaselineStore(options.directory, warn)
        : new KeyvBaselineStore(options.store, options.maxAgeDays * DAY_MS, warn);
    this.store = new TimeoutStore(store, warn);
  }

  /** Reads what others have learned; nothing where that cannot be read. */
  async load(): Promise<LoadedBaseline | undefined> {
    const snapshots = await this.store.load(this.run.service);
    if (snapshots === undefined) return undefined;
    const { instance, savedAt } = this;
    const isAbsorbed = snapshots.some(({ absorbs }) => absorbs.includes(instance));
    // A store that has lost what was saved in it has lost the rest, too: what was read before is better.
    if (savedAt !== undefined && snapshots.length === 0) return undefined;
    const now = Date.now();
    const stored = await storedBaseline(snapshots, { ...this.run, instance }, { ...this.merging, at: now });
    const over = snapshots.filter((one) => one.slo !== undefined && isOverRun(one, now - this.staleMs));
    return { stored, isAbsorbed, slo: lastSaved(over)?.slo, snapshots };
  }

  /** Merges what runs that are over have left, and removes what is old. Never rejects. */
  async tidy({ snapshots }: LoadedBaseline): Promise<void> {
    if (this.isTidying) return;
    this.isTidying = true;
    const { maxAgeDays, maxVersions } = this.options;
    const { instance, staleMs, merging } = this;
    const bounds = { now: Date.now(), staleMs, maxAgeMs: maxAgeDays * DAY_MS, maxVersions };
    try {
      await tidy(this.store, this.run.service, { ...merging, ...bounds, instance }, snapshots);
    } finally {
      this.isTidying = false;
    }
  }

  /** From now on it is another run: what this one has saved is another's. */
  beginAnother(): void {
    this.instance = newInstanceId();
    this.savedAt = undefined;
  }

  /** Whether what is saved would be taken for that of a run that is over before long. */
  isStale(now: number): boolean {
    return this.savedAt !== undefined && now - this.savedAt > this.staleMs / 3;
  }

  /** What a snapshot begins with. */
  header(): Omit<BaselineSnapshot, 'operations'> {
    return { ...this.run, instance: this.instance, savedAt: Date.now(), absorbs: [] };
  }

  async save(snapshot: SnapshotToSave): Promise<boolean> {
    const kept = await this.store.save(snapshot);
    if (kept && snapshot.instance === this.instance) this.savedAt = snapshot.savedAt;
    return kept;
  }

  private get merging(): Omit<MergeOptions, 'at'> {
    return { mergeModels: modelMerger(this.halfLifeMs), halfLifeMs: this.halfLifeMs };
  }
}
