import { runToCompletion } from '../async/cooperative.js';
import { believedUpTo } from '../inference/benjamini-hochberg.js';
import type { OperationWindow } from '../statistics/operation-window.js';
import type { Candidate, Regression, RegressionMetric } from './regression.js';
import type { RegressionDetector } from './regression-detector.js';
import { type RegressionSettings, regressionSettings } from './regression-settings.js';
import { wordsOf } from './regression-words.js';
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
  learned?(window: OperationWindow, weight: number): void;
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
  candidate: Candidate;
  /** Windows since it was suspected. */
  age: number;
  /** Whether there was a window since the last tick. */
  hasNewWindow: boolean;
  /** Before it is confirmed, the number of consecutive tests without the change; then the evidence that it is gone. */
  gone: number;
  /** Present once it is confirmed. */
  regression?: Regression;
}

type Changes = { [K in keyof WatchChanges]: WatchChanges[K][number][] };

/** A suspicion is dropped when its p-value exceeds this in two consecutive tests. */
const DROP_P_VALUE = 1e-3;
const DROP_TIMES = 2;
/** A suspicion that is not confirmed is dropped after this many windows. */
const MAX_AGE = 48;
/** A regression ends when the cumulative sum of the evidence for a recovery reaches this many standard deviations. */
const GONE = 6;
/** The maximal length of a window. */
const MAX_WINDOW_MINUTES = 30;
const MINUTE_MS = 60_000;
/** The number of suspicions followed at once. Further ones are ignored. */
const MAX_SUSPICIONS = 2000;

/** Decides for all operations together which changes are reported, and when they are over. */
export class RegressionWatch {
  private readonly settings: RegressionSettings;
  private readonly suspicions = new Map<RegressionDetector, Map<RegressionMetric, Suspicion>>();
  private pending: { operation: WatchedOperation; candidate: Candidate }[] = [];
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
    const { detector, model, reference } = operation;
    const against = reference === undefined ? 'baseline' : 'version';
    this.tests++;
    const followed = this.suspicions.get(detector);
    for (const candidate of detector.observe(window, reference ?? model, against, followed))
      this.pending.push({ operation, candidate });
    for (const suspicion of followed?.values() ?? []) {
      suspicion.age++;
      suspicion.hasNewWindow = true;
    }
    for (const learned of detector.takeLearnable(model)) {
      const weight = Math.min(1, learned.count / 30);
      model.add(learned, weight);
      operation.learned?.(learned, weight);
    }
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

  private suspectAmong(pending: readonly { operation: WatchedOperation; candidate: Candidate }[]): void {
    const { falseDiscoveryRate, suspectPValue } = this.settings;
    const pValues = pending.map(({ candidate }) => candidate.pValue);
    const tests = Math.max(this.tests, pending.length);
    const limit = Math.min(suspectPValue, believedUpTo(pValues, falseDiscoveryRate, tests));
    for (const { operation, candidate } of pending) {
      const byMetric = this.suspicions.get(operation.detector) ?? new Map<RegressionMetric, Suspicion>();
      if (candidate.pValue > limit || this.size >= MAX_SUSPICIONS || byMetric.has(candidate.metric)) continue;
      if (candidate.metric === 'tail_latency' && byMetric.has('latency')) continue;
      byMetric.set(candidate.metric, { operation, candidate, age: 0, hasNewWindow: true, gone: 0 });
      this.suspicions.set(operation.detector, byMetric);
      this.size++;
      this.hold(operation.detector);
    }
  }

  private followSuspected(suspicion: Suspicion, now: number, changes: Changes): void {
    const { operation, candidate, age } = suspicion;
    const { detector, model, reference } = operation;
    const again = detector.review(candidate, reference ?? model);
    if (again === undefined || again.pValue > DROP_P_VALUE) {
      if (++suspicion.gone >= DROP_TIMES) this.drop(suspicion);
      return;
    }
    suspicion.gone = 0;
    suspicion.candidate = again;
    if (this.isConfirmed(again)) {
      if (again.metric === 'tail_latency' && this.suspicions.get(detector)?.has('latency')) {
        this.drop(suspicion);
        return;
      }
      suspicion.regression = this.regressionOf(suspicion, now);
      changes.opened.push(suspicion.regression);
    } else if (age > MAX_AGE) this.drop(suspicion);
  }

  /** A change that has lasted needs less certainty than one that just began, of which many more are tested. */
  private isConfirmed({ pValue, windows, since, at }: Candidate): boolean {
    const { certainPValue, lastingPValue, lastingWindows, lastingMs } = this.settings;
    const minutes = Math.max(1, Math.min(MAX_WINDOW_MINUTES, (at - since) / windows / MINUTE_MS));
    if (pValue <= certainPValue * minutes) return true;
    const lasting = Math.max(1, (minutes * lastingWindows * MINUTE_MS) / lastingMs);
    return windows >= lastingWindows && at - since >= lastingMs && pValue <= lastingPValue * lasting;
  }

  private followOpen(suspicion: Suspicion, now: number, changes: Changes): void {
    const { operation, candidate, regression } = suspicion;
    const { detector, model, reference } = operation;
    if (regression === undefined) return;
    const isNewNormal = now - regression.since >= this.settings.newNormalMs;
    if (suspicion.hasNewWindow)
      suspicion.gone = Math.max(0, suspicion.gone + detector.recovery(candidate, reference ?? model));
    if (suspicion.gone < GONE && !isNewNormal) return;
    this.drop(suspicion);
    detector.settle();
    this.hold(detector);
    changes.ended.push({ ...regression, state: 'over', overAt: now });
    if (isNewNormal) changes.newNormal.push(operation);
  }

  private drop({ operation: { detector }, candidate: { metric } }: Suspicion): void {
    const byMetric = this.suspicions.get(detector);
    if (byMetric?.delete(metric)) this.size--;
    if (byMetric?.size === 0) this.suspicions.delete(detector);
    this.hold(detector);
  }

  private hold(detector: RegressionDetector): void {
    const splits = [...(this.suspicions.get(detector)?.values() ?? [])].map(
      ({ candidate }) => candidate.split,
    );
    detector.heldFrom = Math.min(Number.POSITIVE_INFINITY, ...splits);
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
