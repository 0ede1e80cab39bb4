import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import { runCooperatively, runToCompletion } from '../async/cooperative.js';
import type { OperationHistory } from '../statistics/operation-history.js';
import { BaselineKeeper } from './baseline-keeper.js';
import { BaselineLearner, type LearningDependencies } from './baseline-learner.js';
import type { ResolvedBaselineOptions } from './baseline-options.js';
import type { SnapshotToSave } from './baseline-snapshot.js';
import type { Regression } from './regression.js';
import type { Trend } from './trend.js';

/** How often windows that are over are looked at: with each slot of the statistics. */
const TICK_MS = 10_000;
/** What was stored is read when the application has settled. */
const LOAD_AFTER_MS = 1000;
/** How often what others have learned meanwhile is read; and how soon again when it could not be. */
const HOUR_MS = 3_600_000;
const RETRY_MS = 60_000;
/** What is not saved by then is not saved. */
const SHUTDOWN_MS = 3000;

/** What a baseline is told, and whom it tells. Nothing of it may throw. */
export interface BaselineDependencies extends LearningDependencies {
  readonly service: string;
  readonly version: string | undefined;
  /** What is saved beside, as plain JSON, and given back once after a restart. */
  readonly slo?: { saved(): unknown; restore(saved: unknown): void };
}

/** How it stands. Moments are milliseconds since 1970. */
export interface BaselineStatus {
  readonly state: 'off' | 'loading' | 'learning';
  /** Operations of which it is known what is usual. */
  readonly operations: number;
  readonly version?: string;
  readonly previousVersion?: string;
  /** When this version was first seen, and whether it is compared with the one before. */
  readonly since?: number;
  readonly comparesVersions: boolean;
  readonly loadedAt?: number;
  readonly savedAt?: number;
}

/** What operations are usually like, learned over days and kept across restarts; and what is told from it. */
export class Baseline {
  private readonly learner: BaselineLearner;
  private readonly keeper: BaselineKeeper;
  private loadedAt: number | undefined;
  private isTicking = false;
  private hasEnded = false;
  private loading: Promise<void> | undefined;
  private parallelSavingMs: Promise<boolean> | undefined;
  private timers: NodeJS.Timeout[] = [];
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: ResolvedBaselineOptions,
    private readonly around: BaselineDependencies,
    warn: (message: string) => void,
  ) {
    const { service, version } = around;
    const startedAt = Math.round(performance.timeOrigin + performance.now());
    this.learner = new BaselineLearner(options, around, version, startedAt);
    this.keeper = new BaselineKeeper(options, { service, version, startedAt }, warn);
  }

  /** The history of an operation that is seen for the first time; none where there are too many. */
  historyOf(type: string, name: string): OperationHistory | undefined {
    return this.options.enabled ? this.learner.historyOf(type, name) : undefined;
  }

  /** Begins to learn, on timers that do not keep the process alive. */
  start(): void {
    if (!this.options.enabled || this.timers.length > 0) return;
    this.timers = [
      setTimeout(() => void this.load(), LOAD_AFTER_MS),
      setInterval(() => void this.tickInSlices(), TICK_MS),
      setInterval(() => void (this.parallelSavingMs ?? this.save()), this.options.saveIntervalSeconds * 1000),
      setInterval(() => void this.load(), HOUR_MS),
    ];
    for (const timer of this.timers) timer.unref();
  }

  /** Reads what is stored, and puts what is there in order. What cannot be read is tried again. Never rejects. */
  load(): Promise<void> {
    this.loading ??= this.guarded(() => this.loadNow()).finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  /** Looks at the windows that are over, at once. @param now milliseconds on the clock of `performance.now()` */
  tick(now = performance.now()): void {
    runToCompletion(this.learner.ticking(now));
  }

  /** Saves what was learned since it was saved last. Never rejects. @returns whether it is kept */
  save(): Promise<boolean> {
    const parallelSavingMs = (this.parallelSavingMs ?? Promise.resolve()).then(() => this.saveNow());
    this.parallelSavingMs = parallelSavingMs;
    void parallelSavingMs.then(() => {
      if (this.parallelSavingMs === parallelSavingMs) this.parallelSavingMs = undefined;
    });
    return parallelSavingMs;
  }

  /** What this run has learned, as it is saved; its operations are made one after another. */
  snapshot(): SnapshotToSave {
    // Before it is known what had been counted, it is not the whole.
    const slo = this.loadedAt === undefined ? undefined : this.around.slo?.saved();
    return {
      ...this.keeper.header(),
      ...(slo === undefined ? {} : { slo }),
      operations: this.learner.entries(),
    };
  }

  /** What got worse: what goes on, then what is over, the latest first. */
  regressions(): Regression[] {
    return this.learner.regressions();
  }

  /** The drifts that go on, that whose limit is reached first before others. */
  trends(now = performance.timeOrigin + performance.now()): Trend[] {
    return this.learner.trends(now);
  }

  /** How it stands. */
  get status(): BaselineStatus {
    const { loadedAt, keeper, learner } = this;
    return {
      state: !this.options.enabled ? 'off' : loadedAt === undefined ? 'loading' : 'learning',
      operations: learner.known,
      ...learner.versions,
      ...(learner.stored === undefined ? {} : { since: learner.stored.since }),
      comparesVersions: learner.isNewVersion(Date.now()),
      ...(loadedAt === undefined ? {} : { loadedAt }),
      ...(keeper.savedAt === undefined ? {} : { savedAt: keeper.savedAt }),
    };
  }

  /** Learns from what has come, and saves it: within three seconds, or not. Never rejects. */
  async shutdown(): Promise<void> {
    for (const timer of [...this.timers, this.retry]) {
      clearInterval(timer);
      clearTimeout(timer);
    }
    if (this.timers.length === 0) return;
    this.timers = [];
    this.hasEnded = true;
    await this.guarded(() => runCooperatively(this.learner.closing(performance.now())));
    let timer: NodeJS.Timeout | undefined;
    // A store may never answer, and nobody shall wait for that.
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SHUTDOWN_MS);
    });
    await Promise.race([this.save(), late]);
    clearTimeout(timer);
  }

  private async loadNow(): Promise<void> {
    const loaded = await this.keeper.load();
    if (loaded === undefined) {
      this.loadAgain();
      return;
    }
    const { stored, isAbsorbed, slo } = loaded;
    const { savedAt } = this.keeper;
    if (this.loadedAt === undefined && slo !== undefined) this.around.slo?.restore(slo);
    // In one go with forgetting what is another's: otherwise it is counted twice.
    if (isAbsorbed) this.keeper.beginAnother();
    await runCooperatively(this.learner.taking(stored, isAbsorbed ? savedAt : undefined));
    this.loadedAt = Date.now();
    void this.guarded(() => this.keeper.tidy(loaded));
  }

  private loadAgain(): void {
    if (this.timers.length === 0) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.load(), RETRY_MS).unref();
  }

  private async saveNow(): Promise<boolean> {
    const { learner, keeper } = this;
    let kept = false;
    await this.guarded(async () => {
      const snapshot = this.snapshot();
      // What goes on counting is saved with nothing new learned; and so is what would be taken for that of a run that is over.
      const isDue = learner.isDirty || snapshot.slo !== undefined || keeper.isStale(snapshot.savedAt);
      if (!isDue) {
        kept = true;
        return;
      }
      learner.isDirty = false;
      kept = await keeper.save(this.hasEnded ? { ...snapshot, ended: true } : snapshot);
    });
    if (!kept) learner.isDirty = true;
    return kept;
  }

  private async tickInSlices(): Promise<void> {
    if (this.isTicking) return;
    this.isTicking = true;
    await this.guarded(() => runCooperatively(this.learner.ticking(performance.now())));
    this.isTicking = false;
  }

  private async guarded(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.around.onError(error);
    }
  }
}
