import { runToCompletion } from '../async/cooperative.js';
import { believedUpTo } from '../inference/benjamini-hochberg.js';
import type { OperationWindow } from '../statistics/operation-window.js';
import { withoutExtremes } from './moderate-window.js';
import type { Candidate, Regression, RegressionMetric } from './regression.js';
import type { RegressionDetector, WindowScale } from './regression-detector.js';
import { type RegressionSettings, regressionSettings } from './regression-settings.js';
import { wordsOf } from './regression-words.js';
import type { ScaleDetector } from './scale-detector.js';
import type { WindowModel } from './window-model.js';

/** A watched operation, and the models its windows are compared with. */
export interface WatchedOperation {
  readonly type: string;
  readonly name: string;
  readonly detector: RegressionDetector;
  /** Its baseline, learned from its windows. */
  readonly model: WindowModel;
  /** Its model in the previous version, while that is what it is compared with. */
  readonly reference?: WindowModel | undefined;
  /** Called with each window that the model has learned, and its weight. */
  learned?(window: OperationWindow, weight: number, scale: WindowScale): void;
}

/** The changes of one tick. */
export interface WatchChanges {
  readonly opened: readonly Regression[];
  readonly ended: readonly Regression[];
  /** Operations whose regression became the new baseline, which has to be learned again. */
  readonly newNormal: readonly WatchedOperation[];
}

interface Suspicion {
  readonly operation: WatchedOperation;
  readonly scale: WindowScale;
  candidate: Candidate;
  /** Windows since it was suspected. */
  age: number;
  /** Whether there was a window since the last tick. */
  hasNewWindow: boolean;
  /** Before it is confirmed, the number of consecutive tests without the change; then the evidence that it is gone. */
  gone: number;
  /** When the evidence that it is gone began, in milliseconds since 1970. */
  goneSince: number;
  /** Present once it is confirmed. */
  regression?: Regression;
}

type Pending = Pick<Suspicion, 'operation' | 'scale' | 'candidate'>;

type Changes = { [K in keyof WatchChanges]: WatchChanges[K][number][] };

/** A suspicion is dropped when its p-value exceeds this in two consecutive tests. */
const DROP_P_VALUE = 1e-3;
const DROP_TIMES = 2;
/** A suspicion that is not confirmed is dropped after this many windows. */
const MAX_AGE = 48;
/** A regression ends when the cumulative sum of the evidence for a recovery reaches this many standard deviations. */
const GONE = 6;
/** The length of a window that certainty is scaled up to. */
const MAX_WINDOW_MINUTES = 30;
/**
 * A change of this many deviations of the operation's lasting noise is clear at once. A smaller one must last longer by the
 * fourth power of their ratio, up to ten hours: with the noise of hours, a mean of twice the time is not twice as certain.
 */
const CLEAR = 11;
const MAX_LASTING_MS = 10 * 3_600_000;
/** What went away by itself within this time is learned, as far as it is not extreme: it happens to this operation. */
const INCIDENT_MS = 3 * 3_600_000;
/** A change still falls if its last third is below this share of the first. */
const STILL = 0.75;
const MINUTE_MS = 60_000;
/** The number of suspicions followed at once. Further ones are ignored. */
const MAX_SUSPICIONS = 2000;

/** Decides for all operations together which changes are reported, and when they are over. */
export class RegressionWatch {
  private readonly settings: RegressionSettings;
  private readonly suspicions = new Map<ScaleDetector, Map<RegressionMetric, Suspicion>>();
  private pending: Pending[] = [];
  private tests = 0;
  private size = 0;

  constructor(
    settings: Partial<RegressionSettings> = {},
    private readonly versions: { readonly version?: string; readonly previousVersion?: string } = {},
  ) {
    this.settings = regressionSettings(settings);
  }

  /** The open regressions. */
  get open(): Regression[] {
    return [...this.suspicions.values()].flatMap((byMetric) =>
      [...byMetric.values()].flatMap(({ regression }) => regression ?? []),
    );
  }

  /** Tests a window of an operation, and adds learnable windows to the operation's model. */
  observe(operation: WatchedOperation, window: OperationWindow): void {
    for (const [scale, one] of operation.detector.windowsOf(window)) this.observeAt(scale, operation, one);
  }

  /** Ends a tick: corrects for all tests since the last one, and updates suspicions and regressions. */
  settle(now: number): WatchChanges {
    return runToCompletion(this.settling(now));
  }

  /** As {@link settle}, one suspicion at a time. */
  *settling(now: number): Generator<undefined, WatchChanges> {
    this.suspectAmong(this.pending);
    this.pending = [];
    this.tests = 0;
    const changes: Changes = { opened: [], ended: [], newNormal: [] };
    for (const byMetric of [...this.suspicions.values()])
      for (const suspicion of [...byMetric.values()]) {
        if (suspicion.regression !== undefined) this.followOpen(suspicion, now, changes);
        else if (suspicion.hasNewWindow) this.followSuspected(suspicion, now, changes);
        if (suspicion.hasNewWindow) yield;
        suspicion.hasNewWindow = false;
      }
    return changes;
  }

  private observeAt(scale: WindowScale, operation: WatchedOperation, window: OperationWindow): void {
    const { detector, reference } = operation;
    const model = operation.model.of(scale);
    const against = reference === undefined ? 'baseline' : 'version';
    this.tests++;
    const isFollowed = (metric: RegressionMetric): boolean =>
      this.suspicions.get(detector[scale])?.has(metric) === true || this.isOpen(detector, metric);
    const compared = reference?.of(scale) ?? model;
    for (const candidate of detector[scale].observe(window, compared, against, isFollowed))
      this.pending.push({ operation, scale, candidate });
    for (const suspicion of this.suspicions.get(detector[scale])?.values() ?? []) {
      suspicion.age++;
      suspicion.hasNewWindow = true;
    }
    this.learn(scale, operation, model, detector[scale].takeLearnable(model));
  }

  private learn(
    scale: WindowScale,
    operation: WatchedOperation,
    model: WindowModel,
    windows: readonly OperationWindow[],
  ): void {
    for (const window of windows) {
      const weight = Math.min(1, window.count / 30);
      const moderate = withoutExtremes(window, model);
      model.add(moderate, weight);
      operation.learned?.(moderate, weight, scale);
    }
  }

  private suspectAmong(pending: readonly Pending[]): void {
    const { falseDiscoveryRate, suspectPValue } = this.settings;
    const pValues = pending.map(({ candidate }) => candidate.pValue);
    const tests = Math.max(this.tests, pending.length);
    const limit = Math.min(suspectPValue, believedUpTo(pValues, falseDiscoveryRate, tests));
    for (const { operation, scale, candidate } of pending) {
      const detector = operation.detector[scale];
      const byMetric = this.suspicions.get(detector) ?? new Map<RegressionMetric, Suspicion>();
      if (candidate.pValue > limit || this.size >= MAX_SUSPICIONS || byMetric.has(candidate.metric)) continue;
      if (candidate.metric === 'tail_latency' && byMetric.has('latency')) continue;
      const suspicion = { operation, scale, candidate, age: 0, hasNewWindow: true, gone: 0, goneSince: 0 };
      byMetric.set(candidate.metric, suspicion);
      this.suspicions.set(detector, byMetric);
      this.size++;
      this.hold(operation.detector);
    }
  }

  private followSuspected(suspicion: Suspicion, now: number, changes: Changes): void {
    const { operation, scale, candidate, age } = suspicion;
    const { detector, model, reference } = operation;
    const again = detector[scale].review(candidate, (reference ?? model).of(scale));
    if (again === undefined || again.pValue > DROP_P_VALUE) {
      if (++suspicion.gone >= DROP_TIMES) this.drop(suspicion);
      return;
    }
    suspicion.gone = 0;
    suspicion.candidate = again;
    if (this.isConfirmed(suspicion)) {
      const isKnown =
        this.isOpen(detector, again.metric) ||
        (again.metric === 'tail_latency' && this.isSuspected(detector, 'latency'));
      if (isKnown) {
        this.drop(suspicion);
        return;
      }
      suspicion.regression = this.regressionOf(suspicion, now);
      changes.opened.push(suspicion.regression);
    } else if (age > MAX_AGE) this.drop(suspicion);
  }

  private isConfirmed({ scale, candidate, operation }: Suspicion): boolean {
    const { pValue, windows, since, at, lastedMs, thirds, deviations } = candidate;
    const { settings } = this;
    const { lastingWindows, lastingMs, minThird, settlingMs } = settings;
    if (lastedMs < lastingMs) return false;
    if (at - since < Math.min(MAX_LASTING_MS, lastingMs * (CLEAR / deviations) ** 4)) return false;
    if (thirds.some((third) => third < minThird)) return false;
    const { startedAt } = operation.detector;
    const isOfStart = since - startedAt < settlingMs;
    if (isOfStart && (at - startedAt < settlingMs || isFalling(thirds))) return false;
    const minutes = Math.max(1, Math.min(MAX_WINDOW_MINUTES, (at - since) / windows / MINUTE_MS));
    if (pValue <= settings.certainPValue * minutes) return true;
    if (windows < lastingWindows) return false;
    if (scale === 'coarse') return pValue <= settings.coarsePValue;
    const lasting = Math.max(1, (minutes * lastingWindows * MINUTE_MS) / lastingMs);
    return pValue <= settings.lastingPValue * lasting;
  }

  private followOpen(suspicion: Suspicion, now: number, changes: Changes): void {
    const { operation, scale, candidate, regression } = suspicion;
    const { detector, model, reference } = operation;
    if (regression === undefined) return;
    const isNewNormal = now - regression.since >= this.settings.newNormalMs;
    if (suspicion.hasNewWindow) {
      if (suspicion.gone === 0) suspicion.goneSince = now;
      const evidence = detector[scale].recovery(candidate, (reference ?? model).of(scale));
      suspicion.gone = Math.max(0, Math.min(GONE, suspicion.gone + evidence));
    }
    const isGone = suspicion.gone >= GONE && now - suspicion.goneSince >= this.settings.lastingMs;
    if (!isGone && !isNewNormal) return;
    this.drop(suspicion);
    if (now - regression.since < INCIDENT_MS)
      for (const each of ['fine', 'coarse'] as const)
        this.learn(each, operation, model.of(each), detector[each].heldWindows());
    detector.settle();
    this.hold(detector);
    changes.ended.push({ ...regression, state: 'over', overAt: now });
    if (isNewNormal) changes.newNormal.push(operation);
  }

  /** Whether a regression of the metric is open at either scale. */
  private isOpen({ fine, coarse }: RegressionDetector, metric: RegressionMetric): boolean {
    return [fine, coarse].some((one) => this.suspicions.get(one)?.get(metric)?.regression !== undefined);
  }

  private isSuspected({ fine, coarse }: RegressionDetector, metric: RegressionMetric): boolean {
    return [fine, coarse].some((one) => this.suspicions.get(one)?.has(metric));
  }

  private drop({ operation: { detector }, scale, candidate: { metric } }: Suspicion): void {
    const byMetric = this.suspicions.get(detector[scale]);
    if (byMetric?.delete(metric)) this.size--;
    if (byMetric?.size === 0) this.suspicions.delete(detector[scale]);
    this.hold(detector);
  }

  private hold(detector: RegressionDetector): void {
    const moments = [detector.fine, detector.coarse].flatMap((one) =>
      [...(this.suspicions.get(one)?.values() ?? [])].map(({ candidate }) => candidate.since),
    );
    detector.hold(Math.min(Number.POSITIVE_INFINITY, ...moments));
  }

  private regressionOf({ operation, candidate }: Suspicion, now: number): Regression {
    const { type, name } = operation;
    const { metric, against, since, before, change, interval, pValue, count, parts } = candidate;
    const { version, previousVersion } = this.versions;
    return {
      id: `${type}:${name}:${metric}:${since}`,
      type,
      name,
      metric,
      against,
      ...(version === undefined ? {} : { version }),
      ...(against === 'version' && previousVersion !== undefined ? { previousVersion } : {}),
      state: 'open',
      since,
      detectedAt: now,
      before,
      now: candidate.now,
      change,
      interval,
      pValue,
      count,
      parts,
      explanation: wordsOf(name, candidate, version, previousVersion),
    };
  }
}

/** Whether a change gets smaller, as that of caches that fill. */
function isFalling(thirds: readonly number[]): boolean {
  const [first = 0, , last = 0] = thirds;
  return last < STILL * first;
}
