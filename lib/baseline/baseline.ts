import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import { runCooperatively, runToCompletion } from '../async/cooperative.js';
import { Deadline, SHUTDOWN_MS } from '../async/deadline.js';
import { isPart } from '../operation/operation-parts.js';
import type { OperationHistory } from '../statistics/operation-history.js';
import type { OperationWindow } from '../statistics/operation-window.js';
import { BaselineKeeper } from './baseline-keeper.js';
import { BaselineLearner, type LearningDependencies } from './baseline-learner.js';
import type { ResolvedBaselineOptions } from './baseline-options.js';
import type { BaselineEntry, BaselineSnapshot, SnapshotToSave } from './baseline-snapshot.js';
import { type MemoryReading, MemoryRecorder } from './memory-recorder.js';
import type { OperationCourse } from './operation-course.js';
import type { Regression } from './regression.js';
import type { ReleaseVerdict } from './release-verdict.js';
import type { Trend } from './trend.js';

/** How often due windows are closed: once per slot of the statistics. */
const TICK_MS = 10_000;
/** Stored baselines are read after the application has started up. */
const LOAD_AFTER_MS = 1000;
/** How often the data of other instances is read, and how soon after a failure. */
const RELOAD_MS = 3_600_000;
const RETRY_MS = 60_000;

/** The dependencies of a baseline. None of them may throw. */
export interface BaselineDependencies extends LearningDependencies {
  readonly service: string;
  readonly version: string | undefined;
  /** The counts of objectives: plain JSON that is saved with the baseline and restored once after a restart. */
  readonly slo?: { saved(): unknown; restore(saved: unknown): void };
}

/** Moments in milliseconds since 1970. */
export interface BaselineStatus {
  readonly state: 'off' | 'loading' | 'learning';
  /** The number of operations with a baseline. */
  readonly operations: number;
  readonly version?: string;
  readonly previousVersion?: string;
  /** When this version was first seen. */
  readonly since?: number;
  /** Whether this version is compared with the previous one. */
  readonly comparesVersions: boolean;
  readonly loadedAt?: number;
  readonly savedAt?: number;
}

/** Baselines of operations, learned over days and kept across restarts; and the regressions and trends against them. */
export class Baseline {
  private readonly learner: BaselineLearner;
  private readonly keeper: BaselineKeeper;
  private readonly recorder: MemoryRecorder;
  private loadedAt: number | undefined;
  private isTicking = false;
  private hasEnded = false;
  private loading: Promise<void> | undefined;
  private saving: Promise<boolean> | undefined;
  private timers: NodeJS.Timeout[] = [];
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: ResolvedBaselineOptions,
    private readonly dependencies: BaselineDependencies,
    warn: (message: string) => void,
  ) {
    const { service, version } = dependencies;
    const startedAt = Math.round(performance.timeOrigin + performance.now());
    this.learner = new BaselineLearner(options, dependencies, version, startedAt);
    this.recorder = new MemoryRecorder(startedAt, options.warmUpSeconds * 1000);
    this.keeper = new BaselineKeeper(options, { service, version, startedAt }, warn);
  }

  /** The history of an operation on its first execution; undefined beyond the maximal number of operations. */
  historyOf(type: string, name: string): OperationHistory | undefined {
    return this.options.enabled ? this.learner.historyOf(type, name) : undefined;
  }

  /** Starts learning, on timers that do not keep the process alive. */
  start(): void {
    if (!this.options.enabled || this.timers.length > 0) return;
    this.timers = [
      setTimeout(() => void this.load(), LOAD_AFTER_MS),
      setInterval(() => void this.tickCooperatively(), TICK_MS),
      setInterval(() => void (this.saving ?? this.save()), this.options.saveIntervalSeconds * 1000),
      setInterval(() => void this.load(), RELOAD_MS),
    ];
    for (const timer of this.timers) timer.unref();
  }

  /** Reads stored baselines, then tidies the store. A failed read is retried. Never rejects. */
  load(): Promise<void> {
    this.loading ??= this.guarded(() => this.loadNow()).finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  /** Closes due windows without pauses. @param now milliseconds on the clock of `performance.now()` */
  tick(now = performance.now()): void {
    runToCompletion(this.learner.ticking(now));
  }

  /** Saves if anything was learned since the last save. Never rejects. @returns whether everything is stored */
  save(): Promise<boolean> {
    const saving = (this.saving ?? Promise.resolve()).then(() => this.saveNow());
    this.saving = saving;
    void saving.then(() => {
      if (this.saving === saving) this.saving = undefined;
    });
    return saving;
  }

  /** The snapshot to save. Its operations are created lazily. */
  snapshot(): SnapshotToSave {
    // Before the previous counts are restored, the counts are incomplete.
    const slo = this.loadedAt === undefined ? undefined : this.dependencies.slo?.saved();
    return {
      ...this.header(),
      ...(slo === undefined ? {} : { slo }),
      operations: this.learner.entries(),
    };
  }

  /** What an operation was like over hours and days; undefined if nothing was learned of it. */
  courseOf(type: string, name: string): OperationCourse | undefined {
    return this.learner.courseOf(type, name);
  }

  /**
   * The verdict of this version against another one, by this run and by what the other instances have saved.
   * @param since the version it is compared with; by default the other one that saved last
   * @returns a promise that rejects with UnknownVersionError if `since` has no data
   */
  async release(since?: string): Promise<ReleaseVerdict> {
    const { service, version } = this.dependencies;
    const { minEffectPercent, minEffectMs } = this.options.regressions;
    const { enabled } = this.options;
    const snapshots = enabled ? [await this.ownSnapshot(), ...((await this.keeper.others()) ?? [])] : [];
    const options = { service, version, since, minEffectPercent, minEffectMs, enabled };
    const { judgingVersion } = await import('./release.js');
    return runCooperatively(judgingVersion(snapshots, options));
  }

  /** Records the memory of this process, by which its version is judged. */
  addMemory(reading: MemoryReading): void {
    if (!this.options.enabled) return;
    if (this.recorder.add(reading, () => this.incomingCount())) this.learner.isDirty = true;
  }

  /** Open regressions, then those that are over, the latest first. */
  regressions(): Regression[] {
    return this.learner.regressions();
  }

  /** The current trends, those that reach their limit first at the top. */
  trends(now = performance.timeOrigin + performance.now()): Trend[] {
    return this.learner.trends(now);
  }

  /** The latest complete windows of an operation in this run, the oldest first, up to 40. */
  windows(type: string, name: string): OperationWindow[] {
    return this.learner.windows(type, name);
  }

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

  /** Closes all windows and saves, until the deadline. Never rejects. */
  async shutdown(deadline = new Deadline(SHUTDOWN_MS)): Promise<void> {
    for (const timer of [...this.timers, this.retry]) {
      clearInterval(timer);
      clearTimeout(timer);
    }
    if (this.timers.length === 0) return;
    this.timers = [];
    this.hasEnded = true;
    await this.guarded(() => runCooperatively(this.learner.closing(performance.now())));
    // A store may never answer.
    await deadline.settle(this.save());
  }

  private header(): Omit<BaselineSnapshot, 'operations'> {
    const { memory } = this.recorder;
    return { ...this.keeper.header(), ...(memory.isEmpty ? {} : { memory: memory.toBytes() }) };
  }

  /** Executions of operations that are no part of others. */
  private incomingCount(): number {
    let count = 0;
    for (const operation of this.dependencies.operations())
      if (!isPart(operation.history.type)) count += operation.count;
    return count;
  }

  private async ownSnapshot(): Promise<BaselineSnapshot> {
    const operations: BaselineEntry[] = [];
    await runCooperatively(this.learner.entries(), (entry) => operations.push(entry));
    return { ...this.header(), operations };
  }

  private async loadNow(): Promise<void> {
    const loaded = await this.keeper.load();
    if (loaded === undefined) {
      this.loadAgain();
      return;
    }
    const { stored, isAbsorbed, slo } = loaded;
    const { savedAt } = this.keeper;
    if (this.loadedAt === undefined && slo !== undefined) this.dependencies.slo?.restore(slo);
    // Without a pause before the learner discards the absorbed data, which would otherwise be saved and counted twice.
    if (isAbsorbed) this.keeper.beginNewRun();
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
      // Counts of objectives always change. A stale snapshot would make other instances take this run for over.
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

  private async tickCooperatively(): Promise<void> {
    if (this.isTicking) return;
    this.isTicking = true;
    await this.guarded(() => runCooperatively(this.learner.ticking(performance.now())));
    this.isTicking = false;
  }

  private async guarded(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.dependencies.onError(error);
    }
  }
}
