import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import { BUCKETS } from '../monitor/latency-histogram.js';
import type { OperationStatistics } from '../monitor/operation-statistics.js';
import type { ResolvedBaselineOptions } from '../options/baseline-options.js';
import { BaselineKeeper } from './baseline-keeper.js';
import { operationKey } from './baseline-merge.js';
import { atOnce, inSlices } from './baseline-slices.js';
import type { BaselineEntry, SnapshotToSave } from './baseline-snapshot.js';
import { OperationHistory } from './operation-history.js';
import type { Regression } from './regression.js';
import { RegressionDetector } from './regression-detector.js';
import { RegressionLog } from './regression-log.js';
import { type RegressionSettings, regressionSettings } from './regression-settings.js';
import { RegressionWatch } from './regression-watch.js';
import { NEW_VERSION_MS, type StoredBaseline } from './stored-baseline.js';
import type { Trend } from './trend.js';
import { TrendDetector } from './trend-detector.js';
import { WatchedHistory } from './watched-history.js';

/** How often windows that are over are looked at: with each slot of the statistics. */
const TICK_MS = 10_000;
/** What was stored is read when the application has settled. */
const LOAD_AFTER_MS = 1000;
/** How often what others have learned meanwhile is read, and what was learned is made older. */
const HOUR_MS = 3_600_000;
/** What is not saved by then is not saved. */
const SHUTDOWN_MS = 3000;
/** Points of an operation's trend: less than a resource's, as there are many operations. */
const TREND_POINTS = 40;

/** What a baseline is told, and whom it tells. Nothing of it may throw. */
export interface BaselineSurroundings {
  readonly service: string;
  readonly version: string | undefined;
  readonly maxOperations: number;
  /** Every operation that has a history. */
  operations(): Iterable<OperationStatistics & { readonly history: OperationHistory }>;
  /** The threshold of a type in milliseconds, which a trend may reach. */
  thresholdOf(type: string): number | undefined;
  onRegression(regression: Regression): void;
  onTrend(trend: Trend): void;
  onError(error: unknown): void;
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

/** Of the operations, a tick judges at most this share, and so many in any case: all of them in a minute. */
const SHARE = 1 / 6;
const LEAST = 50;

const scratch = new Float64Array(BUCKETS);

/** What operations are usually like, learned over days and kept across restarts; and what is told from it. */
export class Baseline {
  private readonly histories = new Map<string, OperationHistory>();
  private readonly keeper: BaselineKeeper;
  private readonly versions: { version?: string; previousVersion?: string } = {};
  private readonly settings: RegressionSettings;
  private readonly watch: RegressionWatch;
  private readonly log = new RegressionLog();
  /** On the clock that windows are told by, which does not jump. */
  private readonly startedAt = Math.round(performance.timeOrigin + performance.now());
  private stored: StoredBaseline | undefined;
  private loadedAt: number | undefined;
  private decayedAt = performance.now();
  private isTicking = false;
  private isLoading = false;
  /** Whether something was learned since it was saved. */
  private isDirty = false;
  private timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly options: ResolvedBaselineOptions,
    private readonly around: BaselineSurroundings,
    warn: (message: string) => void,
  ) {
    const { minEffectPercent, minEffectMs } = options.regressions;
    this.settings = regressionSettings({
      minEffect: minEffectPercent / 100,
      minEffectMs,
      coldStartMs: options.warmUpSeconds * 1000,
    });
    if (around.version !== undefined) this.versions.version = around.version;
    this.watch = new RegressionWatch(this.settings, this.versions);
    const { service, version } = around;
    this.keeper = new BaselineKeeper(options, { service, version, startedAt: this.startedAt }, warn);
  }

  /** The history of an operation that is seen for the first time; none where there are too many. */
  historyOf(type: string, name: string): OperationHistory | undefined {
    if (!this.options.enabled) return undefined;
    const key = operationKey({ type, name });
    let history = this.histories.get(key);
    if (history === undefined && this.histories.size < this.around.maxOperations) {
      history = new OperationHistory(type, name);
      this.histories.set(key, history);
      if (this.stored?.present.has(key) === true || this.stored?.previous.has(key) === true) {
        this.takeStored(history);
      }
    }
    return history;
  }

  /** Begins to learn, on timers that do not keep the process alive. */
  start(): void {
    if (!this.options.enabled || this.timers.length > 0) return;
    this.timers = [
      setTimeout(() => void this.load(), LOAD_AFTER_MS),
      setInterval(() => void this.tickInSlices(), TICK_MS),
      setInterval(() => void this.save(), this.options.saveIntervalSeconds * 1000),
      setInterval(() => void this.load(), HOUR_MS),
    ];
    for (const timer of this.timers) timer.unref();
  }

  /** Reads what is stored, and puts what is there in order. Never rejects. */
  async load(): Promise<void> {
    if (this.isLoading) return;
    this.isLoading = true;
    await this.guarded(async () => {
      const { stored, isAbsorbed, slo } = await this.keeper.load();
      if (this.loadedAt === undefined && slo !== undefined) this.around.slo?.restore(slo);
      this.stored = stored;
      if (stored.previousVersion !== undefined) this.versions.previousVersion = stored.previousVersion;
      if (isAbsorbed) for (const { watched } of this.histories.values()) watched?.clear();
      await inSlices(this.takingStored());
      this.loadedAt = Date.now();
    });
    this.isLoading = false;
  }

  /** Looks at the windows that are over, at once. @param now milliseconds on the clock of `performance.now()` */
  tick(now = performance.now()): void {
    atOnce(this.ticking(now));
  }

  /** Saves what was learned since it was saved last. Never rejects. @returns whether it is kept */
  async save(): Promise<boolean> {
    if (!this.isDirty) return true;
    this.isDirty = false;
    const kept = await this.keeper.save(this.snapshot());
    if (!kept) this.isDirty = true;
    return kept;
  }

  /** What this run has learned, as it is saved; its operations are made one after another. */
  snapshot(): SnapshotToSave {
    const slo = this.around.slo?.saved();
    return { ...this.keeper.header(), ...(slo === undefined ? {} : { slo }), operations: this.entries() };
  }

  /** What got worse: what goes on, then what is over, the latest first. */
  regressions(): Regression[] {
    return this.log.list(this.watch.open);
  }

  /** The drifts that go on, that whose limit is reached first before others. */
  trends(): Trend[] {
    const trends: Trend[] = [];
    for (const { watched } of this.histories.values()) {
      if (watched?.trend.trend !== undefined) trends.push(watched.trend.trend);
    }
    const reached = ({ forecast }: Trend): number => forecast?.reachedAt ?? Number.POSITIVE_INFINITY;
    return trends.sort((one, other) => reached(one) - reached(other) || one.pValue - other.pValue);
  }

  /** How it stands. */
  get status(): BaselineStatus {
    let operations = 0;
    for (const { usual } of this.histories.values()) if (usual !== undefined) operations++;
    const { loadedAt, stored, versions } = this;
    return {
      state: !this.options.enabled ? 'off' : loadedAt === undefined ? 'loading' : 'learning',
      operations,
      ...versions,
      ...(stored === undefined ? {} : { since: stored.since }),
      comparesVersions: this.isNewVersion(Date.now()),
      ...(loadedAt === undefined ? {} : { loadedAt }),
      ...(this.keeper.savedAt === undefined ? {} : { savedAt: this.keeper.savedAt }),
    };
  }

  /** Learns from what has come, and saves it: within three seconds, or not. Never rejects. */
  async shutdown(): Promise<void> {
    for (const timer of this.timers) {
      clearInterval(timer);
      clearTimeout(timer);
    }
    if (this.timers.length === 0) return;
    this.timers = [];
    await this.guarded(() => inSlices(this.closing(performance.now())));
    let timer: NodeJS.Timeout | undefined;
    // A store may never answer, and nobody shall wait for that.
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SHUTDOWN_MS);
    });
    await Promise.race([this.save(), late]);
    clearTimeout(timer);
  }

  private async tickInSlices(): Promise<void> {
    if (this.isTicking) return;
    this.isTicking = true;
    await this.guarded(() => inSlices(this.ticking(performance.now())));
    this.isTicking = false;
  }

  private *ticking(now: number): Generator<undefined> {
    const at = performance.timeOrigin + now;
    if (now - this.decayedAt >= HOUR_MS) yield* this.decaying(now);
    let left = Math.max(LEAST, Math.ceil(this.histories.size * SHARE));
    for (const statistics of this.around.operations()) {
      // What is left for the next tick is not due again for a minute then, so nobody waits for ever.
      if (left > 0 && statistics.history.window.isDue(at)) {
        statistics.settle(now);
        this.closeWindow(statistics.history, true);
        left--;
      }
      yield;
    }
    if (!this.options.regressions.enabled) return;
    const { opened, ended, newNormal } = yield* this.watch.settling(at);
    for (const operation of newNormal) {
      const history = this.histories.get(operationKey(operation));
      history?.watched?.beginAnew();
    }
    for (const regression of ended) this.log.add(regression);
    for (const regression of opened) this.around.onRegression(regression);
  }

  /** @param isWhole whether it is long enough to be judged */
  private closeWindow(history: OperationHistory, isWhole: boolean): void {
    const { usual, window: open } = history;
    const counts = scratch.fill(0);
    const window = open.close(history.watched?.normalP99Ms(usual), counts);
    if (history.isStream || window.startedAt < this.startedAt + this.settings.coldStartMs) return;
    history.watched ??= this.takeStored(history);
    const { watched } = history;
    this.isDirty = true;
    watched.addLatencies(counts);
    if (isWhole) {
      if (this.options.regressions.enabled) this.watch.observe(watched, window);
      const told = watched.trend.trend;
      const limit = this.around.thresholdOf(history.type);
      watched.trend.add((window.startedAt + window.endedAt) / 2, window.p50Ms, window.count, limit);
      if (told === undefined && watched.trend.trend !== undefined) this.around.onTrend(watched.trend.trend);
    }
    this.tellUsual(history, watched);
  }

  private tellUsual(history: OperationHistory, watched: WatchedHistory): void {
    const { enabled, factor, minCount } = this.options.adaptive;
    const usual = watched.usual();
    history.usual = usual;
    const isKnown = enabled && usual !== undefined && usual.count >= minCount;
    history.adaptiveMs = isKnown ? factor * usual.p95Ms : Number.POSITIVE_INFINITY;
  }

  private takeStored(history: OperationHistory): WatchedHistory {
    const { type, name } = history;
    const key = operationKey(history);
    history.watched ??= new WatchedHistory(
      type,
      name,
      new RegressionDetector(this.startedAt, this.settings),
      new TrendDetector({ kind: 'operation', type, name }, 'ms', { capacity: TREND_POINTS }),
    );
    const { watched } = history;
    const { stored } = this;
    watched.take(stored?.present.get(key), stored?.previous.get(key), this.isNewVersion(Date.now()));
    // It is held there from now on.
    stored?.present.delete(key);
    stored?.previous.delete(key);
    this.tellUsual(history, watched);
    return watched;
  }

  private *takingStored(): Generator<undefined> {
    for (const [key, history] of this.histories) {
      if (history.watched !== undefined || this.stored?.present.has(key) || this.stored?.previous.has(key)) {
        this.takeStored(history);
      }
      yield;
    }
  }

  private isNewVersion(now: number): boolean {
    const { stored } = this;
    return stored?.hasPrevious === true && now - stored.since < NEW_VERSION_MS;
  }

  private *decaying(now: number): Generator<undefined> {
    const factor = 2 ** (-(now - this.decayedAt) / (this.options.halfLifeDays * 24 * HOUR_MS));
    this.decayedAt = now;
    for (const { watched } of this.histories.values()) {
      watched?.decay(factor);
      yield;
    }
  }

  /** What came since the last windows is too little to be judged, and is learned all the same. */
  private *closing(now: number): Generator<undefined> {
    for (const statistics of this.around.operations()) {
      statistics.settle(now);
      if (!statistics.history.window.isEmpty) this.closeWindow(statistics.history, false);
      yield;
    }
  }

  private *entries(): Generator<BaselineEntry> {
    for (const { watched } of this.histories.values()) {
      const entry = watched?.entry();
      if (entry !== undefined) yield entry;
    }
  }

  private async guarded(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.around.onError(error);
    }
  }
}
