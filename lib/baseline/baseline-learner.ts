import { performance } from 'node:perf_hooks';
import { BUCKETS } from '../inference/latency-histogram.js';
import type { OperationHistory } from '../statistics/operation-history.js';
import type { OperationStatistics } from '../statistics/operation-statistics.js';
import { operationKey } from './baseline-merge.js';
import type { ResolvedBaselineOptions } from './baseline-options.js';
import type { BaselineEntry } from './baseline-snapshot.js';
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
/** Points of an operation's trend: less than a resource's, as there are many operations. */
const TREND_POINTS = 40;
/** Of the operations, a tick judges at most this share, and so many in any case: all of them in a minute. */
const SHARE = 1 / 6;
const LEAST = 50;

const scratch = new Float64Array(BUCKETS);

/** What is learned from, and whom is told. Nothing of it may throw. */
export interface LearningDependencies {
  readonly maxOperations: number;
  /** Every operation that has a history of {@link BaselineLearner.historyOf}. */
  operations(): Iterable<OperationStatistics & { readonly history: OperationHistory }>;
  /** The threshold of a type in milliseconds, which a trend may reach. */
  thresholdOf(type: string): number | undefined;
  onRegression(regression: Regression): void;
  onTrend(trend: Trend): void;
  onError(error: unknown): void;
}

/**
 * What operations are like, learned window by window, and what is told from it. Knows neither timers nor a store: what takes
 * long is a generator, to be run in slices.
 */
export class BaselineLearner {
  /** What others have learned. */
  stored: StoredBaseline | undefined;
  readonly versions: { version?: string; previousVersion?: string } = {};
  /** Whether something was learned since it was last asked for. */
  isDirty = false;
  private readonly histories = new Map<string, LearnedHistory>();
  private readonly settings: RegressionSettings;
  private readonly watch: RegressionWatch;
  private readonly log = new RegressionLog();
  private decayedAt = performance.now();

  /** @param startedAt on the clock that windows are told by, which does not jump */
  constructor(
    private readonly options: ResolvedBaselineOptions,
    private readonly around: LearningDependencies,
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

  /** The history of an operation that is seen for the first time; none where there are too many. */
  historyOf(type: string, name: string): LearnedHistory | undefined {
    const key = operationKey({ type, name });
    let history = this.histories.get(key);
    if (history === undefined && this.histories.size < this.around.maxOperations) {
      history = new LearnedHistory(type, name);
      this.histories.set(key, history);
      if (this.hasStored(key)) this.isolated(history, () => this.takeStored(history as LearnedHistory));
    }
    return history;
  }

  /** What got worse: what goes on, then what is over, the latest first. */
  regressions(): Regression[] {
    return this.log.list(this.watch.open);
  }

  /** The drifts that go on at `now`, that whose limit is reached first before others. */
  trends(now: number): Trend[] {
    const trends: Trend[] = [];
    for (const { watched } of this.histories.values()) {
      const trend = watched?.trend.trendAt(now);
      if (trend !== undefined) trends.push(trend);
    }
    const reached = ({ forecast }: Trend): number => forecast?.reachedAt ?? Number.POSITIVE_INFINITY;
    return trends.sort((one, other) => reached(one) - reached(other) || one.pValue - other.pValue);
  }

  /** Operations of which it is known what is usual. */
  get known(): number {
    let known = 0;
    for (const { usual } of this.histories.values()) if (usual !== undefined) known++;
    return known;
  }

  /** Whether this version is compared with the one before. */
  isNewVersion(now: number): boolean {
    const { stored } = this;
    return stored?.hasPrevious === true && now - stored.since < NEW_VERSION_MS;
  }

  /**
   * Takes what others have learned, in place of what was taken before.
   * @param absorbedAt of when what this run had learned is part of it, in milliseconds since 1970; absent where it is not
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

  /** Looks at the windows that are over. @param now milliseconds on the clock of `performance.now()` */
  *ticking(now: number): Generator<undefined> {
    const at = performance.timeOrigin + now;
    if (now - this.decayedAt >= HOUR_MS) yield* this.decaying(now);
    let left = Math.max(LEAST, Math.ceil(this.histories.size * SHARE));
    for (const statistics of this.around.operations()) {
      const history = statistics.history as LearnedHistory;
      // What is left for the next tick is not due again for a minute then, so nobody waits for ever.
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
    for (const regression of opened) this.around.onRegression(regression);
  }

  /** What came since the last windows is too little to be judged, and is learned all the same. */
  *closing(now: number): Generator<undefined> {
    for (const statistics of this.around.operations()) {
      const history = statistics.history as LearnedHistory;
      statistics.settle(now);
      if (!history.window.isEmpty) this.isolated(history, () => this.closeWindow(history, false));
      yield;
    }
  }

  /** What this run has learned, an operation at a time. */
  *entries(): Generator<BaselineEntry> {
    for (const history of this.histories.values()) {
      let entry: BaselineEntry | undefined;
      this.isolated(history, () => {
        entry = history.watched?.entry();
      });
      if (entry !== undefined) yield entry;
    }
  }

  /** @param isWhole whether it is long enough to be judged */
  private closeWindow(history: LearnedHistory, isWhole: boolean): void {
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

  private tellUsual(history: LearnedHistory, watched: WatchedHistory): void {
    const { enabled, factor, minCount } = this.options.adaptive;
    const usual = watched.usual();
    history.usual = usual;
    const isKnown = enabled && usual !== undefined && usual.count >= minCount;
    history.adaptiveMs = isKnown ? factor * usual.p95Ms : Number.POSITIVE_INFINITY;
  }

  /** Of what came since, and what others have as well, one is lost or the other counted twice: the less of the two. */
  private isMostlyOlder(at: number): boolean {
    return at - this.startedAt >= performance.timeOrigin + performance.now() - at;
  }

  private hasStored(key: string): boolean {
    return this.stored?.present.has(key) === true || this.stored?.previous.has(key) === true;
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
    // It took its part when it was first seen, and there is none left.
    if (stored === undefined || watched.takenFrom === stored) return watched;
    const key = operationKey(history);
    watched.takenFrom = stored;
    watched.take(stored.present.get(key), stored.previous.get(key), this.isNewVersion(Date.now()));
    // It is held there from now on.
    stored.present.delete(key);
    stored.previous.delete(key);
    this.tellUsual(history, watched);
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

  /** An operation whose numbers went wrong is learned anew: it must not end the learning of all others. */
  private isolated(history: LearnedHistory, action: () => void): void {
    try {
      action();
    } catch (error) {
      history.watched = undefined;
      history.usual = undefined;
      history.adaptiveMs = Number.POSITIVE_INFINITY;
      this.around.onError(error);
    }
  }
}
