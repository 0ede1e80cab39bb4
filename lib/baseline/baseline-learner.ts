import { performance } from 'node:perf_hooks';
import { BUCKETS } from '../inference/latency-histogram.js';
import type { OperationHistory } from '../statistics/operation-history.js';
import type { OperationStatistics } from '../statistics/operation-statistics.js';
import type { OperationWindow } from '../statistics/operation-window.js';
import { operationKey } from './baseline-merge.js';
import type { ResolvedBaselineOptions } from './baseline-options.js';
import type { BaselineEntry } from './baseline-snapshot.js';
import { type OperationCourse, operationCourse } from './operation-course.js';
import type { Regression } from './regression.js';
import { RegressionDetector } from './regression-detector.js';
import { RegressionLog } from './regression-log.js';
import { type RegressionSettings, regressionSettings } from './regression-settings.js';
import { RegressionWatch } from './regression-watch.js';
import { NEW_VERSION_MS, type StoredBaseline } from './stored-baseline.js';
import type { Trend } from './trend.js';
import { TrendDetector } from './trend-detector.js';
import { LearnedHistory, WatchedHistory } from './watched-history.js';

const HOUR_MS = 3_600_000;
/** The points of an operation's trend: fewer than a resource's, since there are many operations. */
const TREND_POINTS = 40;
/** A tick closes windows of at most this share of the operations, but at least of 50: all of them within a minute. */
const SHARE_PER_TICK = 1 / 6;
const MIN_PER_TICK = 50;

// Reused between calls, each of which fills it first.
const scratch = new Float64Array(BUCKETS);

/** The sources and listeners of learning. None of them may throw. */
export interface LearningDependencies {
  readonly maxOperations: number;
  /** Every operation with a history from {@link BaselineLearner.historyOf}. */
  operations(): Iterable<OperationStatistics & { readonly history: OperationHistory }>;
  /** The threshold of a type in milliseconds, which trends are forecast to reach. */
  thresholdOf(type: string): number | undefined;
  onRegression(regression: Regression): void;
  onTrend(trend: Trend): void;
  onError(error: unknown): void;
}

/**
 * Learns the baselines of operations window by window, and detects regressions and trends. Uses neither timers nor a store;
 * long tasks are generators, to be run cooperatively.
 */
export class BaselineLearner {
  /** The data of other runs and instances. */
  stored: StoredBaseline | undefined;
  readonly versions: { version?: string; previousVersion?: string } = {};
  /** Whether anything was learned since the caller last reset this. */
  isDirty = false;
  private readonly histories = new Map<string, LearnedHistory>();
  private readonly settings: RegressionSettings;
  private readonly watch: RegressionWatch;
  private readonly log = new RegressionLog();
  private decayedAt = performance.now();

  /** @param startedAt on the clock of the windows: `performance.timeOrigin + performance.now()` */
  constructor(
    private readonly options: ResolvedBaselineOptions,
    private readonly dependencies: LearningDependencies,
    version: string | undefined,
    private readonly startedAt: number,
  ) {
    const { minEffectPercent, minEffectMs } = options.regressions;
    this.settings = regressionSettings({
      minEffect: minEffectPercent / 100,
      minEffectMs,
      coldStartMs: options.warmUpSeconds * 1000,
    });
    if (version !== undefined) this.versions.version = version;
    this.watch = new RegressionWatch(this.settings, this.versions);
  }

  /** The history of an operation on its first execution; undefined beyond the maximal number of operations. */
  historyOf(type: string, name: string): LearnedHistory | undefined {
    const key = operationKey({ type, name });
    let history = this.histories.get(key);
    if (history === undefined && this.histories.size < this.dependencies.maxOperations) {
      history = new LearnedHistory(type, name);
      this.histories.set(key, history);
      if (this.hasStored(key)) this.isolated(history, () => this.takeStored(history as LearnedHistory));
    }
    return history;
  }

  /** Open regressions, then those that are over, the latest first. */
  regressions(): Regression[] {
    return this.log.list(this.watch.open);
  }

  /** The current trends at `now`, those that reach their limit first at the top. */
  trends(now: number): Trend[] {
    const trends: Trend[] = [];
    for (const { watched } of this.histories.values()) {
      const trend = watched?.trend.trendAt(now);
      if (trend !== undefined) trends.push(trend);
    }
    const reached = ({ forecast }: Trend): number => forecast?.reachedAt ?? Number.POSITIVE_INFINITY;
    return trends.sort((one, other) => reached(one) - reached(other) || one.pValue - other.pValue);
  }

  /** The latest complete windows of an operation, the oldest first, up to 40. None of the warm-up. */
  windows(type: string, name: string): OperationWindow[] {
    const ring = this.histories.get(operationKey({ type, name }))?.watched?.detector.ring;
    if (ring === undefined) return [];
    return Array.from({ length: ring.end - ring.first }, (_, index) => ring.window(ring.first + index));
  }

  /** What an operation was like over hours and days; undefined if nothing was learned of it. */
  courseOf(type: string, name: string): OperationCourse | undefined {
    const watched = this.histories.get(operationKey({ type, name }))?.watched;
    return watched === undefined ? undefined : operationCourse(watched);
  }

  /** The number of operations with a baseline. */
  get known(): number {
    let known = 0;
    for (const { baseline } of this.histories.values()) if (baseline !== undefined) known++;
    return known;
  }

  /** Whether this version is compared with the previous one. */
  isNewVersion(now: number): boolean {
    const { stored } = this;
    return stored?.hasPrevious === true && now - stored.since < NEW_VERSION_MS;
  }

  /**
   * Replaces the data of other runs and instances.
   * @param absorbedAt the save time of this run's snapshot that `stored` contains, in milliseconds since 1970; absent if it
   * contains none
   */
  *taking(stored: StoredBaseline, absorbedAt?: number): Generator<undefined> {
    this.stored = stored;
    if (stored.previousVersion !== undefined) this.versions.previousVersion = stored.previousVersion;
    if (absorbedAt !== undefined && this.isMostlyOlder(absorbedAt))
      for (const { watched } of this.histories.values()) watched?.clear(absorbedAt);
    for (const [key, history] of this.histories) {
      if (history.watched !== undefined || this.hasStored(key))
        this.isolated(history, () => this.takeStored(history));
      yield;
    }
  }

  /** Closes due windows, and updates regressions. @param now milliseconds on the clock of `performance.now()` */
  *ticking(now: number): Generator<undefined> {
    const at = performance.timeOrigin + now;
    if (now - this.decayedAt >= HOUR_MS) yield* this.decaying(now);
    let left = Math.max(MIN_PER_TICK, Math.ceil(this.histories.size * SHARE_PER_TICK));
    for (const statistics of this.dependencies.operations()) {
      const history = statistics.history as LearnedHistory;
      // A closed window is not due again for a minute, so the rest gets its turn in the next ticks.
      if (left > 0 && history.window.isDue(at)) {
        statistics.settle(now);
        this.isolated(history, () => this.closeWindow(history, true));
        left--;
      }
      yield;
    }
    if (!this.options.regressions.enabled) return;
    const { opened, ended, newNormal } = yield* this.watch.settling(at);
    for (const operation of new Set(newNormal)) {
      this.histories.get(operationKey(operation))?.watched?.rebase(at, this.settings.minModelWindows);
      this.isDirty = true;
    }
    for (const regression of ended) this.log.add(regression);
    for (const regression of opened) this.dependencies.onRegression(regression);
  }

  /** Closes all windows. They are too short to be tested, but their latencies are learned. */
  *closing(now: number): Generator<undefined> {
    for (const statistics of this.dependencies.operations()) {
      const history = statistics.history as LearnedHistory;
      statistics.settle(now);
      if (!history.window.isEmpty) this.isolated(history, () => this.closeWindow(history, false));
      yield;
    }
  }

  /** The data of this run, one operation at a time. */
  *entries(): Generator<BaselineEntry> {
    for (const history of this.histories.values()) {
      let entry: BaselineEntry | undefined;
      this.isolated(history, () => {
        entry = history.watched?.entry();
      });
      if (entry !== undefined) yield entry;
    }
  }

  /** @param isComplete whether it is long enough to be tested */
  private closeWindow(history: LearnedHistory, isComplete: boolean): void {
    const { baseline, window: open } = history;
    const counts = scratch.fill(0);
    const window = open.close(history.watched?.normalP99Ms(baseline), counts);
    if (history.isStream || window.startedAt < this.startedAt + this.settings.coldStartMs) return;
    history.watched ??= this.takeStored(history);
    const { watched } = history;
    this.isDirty = true;
    watched.addLatencies(counts);
    if (isComplete) {
      watched.addPeriod(window);
      if (this.options.regressions.enabled) this.watch.observe(watched, window);
      const trendBefore = watched.trend.trend;
      const limit = this.dependencies.thresholdOf(history.type);
      watched.trend.add((window.startedAt + window.endedAt) / 2, window.p50Ms, window.count, limit);
      const { trend } = watched.trend;
      if (trendBefore === undefined && trend !== undefined) this.dependencies.onTrend(trend);
    }
    this.updateBaseline(history, watched);
  }

  private updateBaseline(history: LearnedHistory, watched: WatchedHistory): void {
    const { enabled, factor, minCount } = this.options.adaptive;
    const baseline = watched.baselineLatency();
    history.baseline = baseline;
    const isAdaptive = enabled && baseline !== undefined && baseline.count >= minCount;
    history.adaptiveMs = isAdaptive ? factor * baseline.p95Ms : Number.POSITIVE_INFINITY;
  }

  /**
   * Whether most data of this run is from before `at`. Discarding it loses the data since; keeping it counts the data before
   * twice.
   */
  private isMostlyOlder(at: number): boolean {
    return at - this.startedAt >= performance.timeOrigin + performance.now() - at;
  }

  private hasStored(key: string): boolean {
    return this.stored?.current.has(key) === true || this.stored?.previous.has(key) === true;
  }

  private takeStored(history: LearnedHistory): WatchedHistory {
    const { type, name } = history;
    history.watched ??= new WatchedHistory(
      type,
      name,
      new RegressionDetector(this.startedAt, this.settings),
      new TrendDetector({ kind: 'operation', type, name }, 'ms', { capacity: TREND_POINTS }),
    );
    const { watched } = history;
    const { stored } = this;
    // Each operation takes its part of the stored data once.
    if (stored === undefined || watched.takenFrom === stored) return watched;
    const key = operationKey(history);
    watched.takenFrom = stored;
    watched.take(stored.current.get(key), stored.previous.get(key), this.isNewVersion(Date.now()));
    stored.current.delete(key);
    stored.previous.delete(key);
    this.updateBaseline(history, watched);
    return watched;
  }

  private *decaying(now: number): Generator<undefined> {
    const factor = 2 ** (-(now - this.decayedAt) / (this.options.halfLifeDays * 24 * HOUR_MS));
    this.decayedAt = now;
    for (const history of this.histories.values()) {
      this.isolated(history, () => history.watched?.decay(factor));
      yield;
    }
  }

  /** Discards the data of an operation that throws, so that it does not stop the learning of all others. */
  private isolated(history: LearnedHistory, action: () => void): void {
    try {
      action();
    } catch (error) {
      history.watched = undefined;
      history.baseline = undefined;
      history.adaptiveMs = Number.POSITIVE_INFINITY;
      this.dependencies.onError(error);
    }
  }
}
