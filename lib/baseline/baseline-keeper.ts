// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setTimeout } from 'node:timers';
import { newInstanceKey } from '../operation/instance.js';
import type { ResolvedBaselineOptions } from './baseline-options.js';
import { type BaselineSnapshot, isOverRun, type SnapshotToSave } from './baseline-snapshot.js';
import type { BaselineStore } from './baseline-store.js';
import { lastSaved, tidy } from './baseline-tidy.js';
import { FileBaselineStore } from './file-store.js';
import { KeyvBaselineStore } from './keyv-store.js';
import { type StoredBaseline, storedBaseline } from './stored-baseline.js';
import { TimeoutStore } from './timeout-store.js';

const DAY_MS = 24 * 3_600_000;
/** A run is over if it has not saved for this many intervals, and at least half an hour. */
const STALE_INTERVALS = 10;
const MIN_STALE_MS = 30 * 60_000;
/** How long the snapshots of others, which may have some ten megabytes, are kept for the next verdict. */
const KEEP_MS = 5000;

/** One run of a service. */
export interface KeptRun {
  readonly service: string;
  readonly version: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface LoadedBaseline {
  readonly stored: StoredBaseline;
  /**
   * Whether another instance took this run for over and merged its snapshot into an archive. This run then has to go on
   * under another id, without the merged data.
   */
  readonly isAbsorbed: boolean;
  /** The objectives' counts of the latest run that is over. */
  readonly slo: unknown;
  readonly snapshots: readonly BaselineSnapshot[];
}

/** Saves the baseline of a run in the store, and reads those of other runs and instances. */
export class BaselineKeeper {
  private readonly store: BaselineStore;
  private readonly halfLifeMs: number;
  private readonly staleMs: number;
  private instance = newInstanceKey();
  private isTidying = false;
  private reading: Promise<BaselineSnapshot[] | undefined> | undefined;
  private discarding: NodeJS.Timeout | undefined;
  /** When it was last saved, in milliseconds since 1970. */
  savedAt: number | undefined;

  constructor(
    private readonly options: ResolvedBaselineOptions,
    private readonly run: KeptRun,
    warn: (message: string) => void,
  ) {
    this.halfLifeMs = options.halfLifeDays * DAY_MS;
    this.staleMs = Math.max(MIN_STALE_MS, STALE_INTERVALS * options.saveIntervalSeconds * 1000);
    const store =
      options.store === undefined
        ? new FileBaselineStore(options.directory, warn)
        : new KeyvBaselineStore(options.store, options.maxAgeDays * DAY_MS, warn);
    this.store = new TimeoutStore(store, warn);
  }

  /** Reads the data of other runs and instances. @returns undefined if the store cannot be read */
  async load(): Promise<LoadedBaseline | undefined> {
    const snapshots = await this.store.load(this.run.service);
    if (snapshots === undefined) return undefined;
    const { instance, savedAt } = this;
    const isAbsorbed = snapshots.some(({ absorbs }) => absorbs.includes(instance));
    // A store that has lost this run's snapshot has lost the others as well. What was read before is better.
    if (savedAt !== undefined && snapshots.length === 0) return undefined;
    const now = Date.now();
    const stored = await storedBaseline(
      snapshots,
      { ...this.run, instance },
      { halfLifeMs: this.halfLifeMs, at: now },
    );
    const over = snapshots.filter((one) => one.slo !== undefined && isOverRun(one, now - this.staleMs));
    return { stored, isAbsorbed, slo: lastSaved(over)?.slo, snapshots };
  }

  /**
   * The snapshots of other runs and instances, at most some seconds old, so that many verdicts read the store once.
   * @returns undefined if the store cannot be read
   */
  others(): Promise<BaselineSnapshot[] | undefined> {
    if (this.reading !== undefined) return this.reading;
    const reading = this.readOthers();
    this.reading = reading;
    const discard = (): void => {
      if (this.reading === reading) this.discardOthers();
    };
    reading.then((snapshots) => {
      // A failure is not kept.
      if (snapshots === undefined) discard();
      else if (this.reading === reading) this.discarding = setTimeout(discard, KEEP_MS).unref();
    }, discard);
    return reading;
  }

  private async readOthers(): Promise<BaselineSnapshot[] | undefined> {
    const snapshots = await this.store.load(this.run.service);
    return snapshots?.filter(({ instance }) => instance !== this.instance);
  }

  private discardOthers(): void {
    clearTimeout(this.discarding);
    this.reading = undefined;
  }

  /** Merges the snapshots of runs that are over, and removes old ones. Never rejects. */
  async tidy({ snapshots }: LoadedBaseline): Promise<void> {
    if (this.isTidying) return;
    this.isTidying = true;
    const { maxAgeDays, maxVersions } = this.options;
    const { instance, staleMs, halfLifeMs } = this;
    const bounds = { now: Date.now(), staleMs, maxAgeMs: maxAgeDays * DAY_MS, maxVersions };
    try {
      await tidy(this.store, this.run.service, { ...bounds, halfLifeMs, instance }, snapshots);
    } finally {
      this.isTidying = false;
    }
  }

  /** Continues as a new run. The saved snapshot of this one belongs to an archive. */
  beginNewRun(): void {
    this.instance = newInstanceKey();
    this.savedAt = undefined;
    // The archive may be missing in them.
    this.discardOthers();
  }

  /** Whether it must save soon so that others do not take this run for over. */
  isStale(now: number): boolean {
    return this.savedAt !== undefined && now - this.savedAt > this.staleMs / 3;
  }

  /** A snapshot without its operations. */
  header(): Omit<BaselineSnapshot, 'operations'> {
    return { ...this.run, instance: this.instance, savedAt: Date.now(), absorbs: [] };
  }

  async save(snapshot: SnapshotToSave): Promise<boolean> {
    const kept = await this.store.save(snapshot);
    if (kept && snapshot.instance === this.instance) this.savedAt = snapshot.savedAt;
    return kept;
  }
}
