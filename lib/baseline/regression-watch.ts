import { runToCompletion } from '../async/cooperative.js';
import { believedUpTo } from '../inference/benjamini-hochberg.js';
import type { OperationWindow } from '../statistics/operation-window.js';
import type { Regression, RegressionMetric } from './regression.js';
import type { Candidate } from './regression-candidate.js';
import type { RegressionDetector } from './regression-detector.js';
import { type RegressionSettings, regressionSettings } from './regression-settings.js';
import { wordsOf } from './regression-words.js';
import type { WindowModel } from './window-model.js';

/** An operation that is watched, and what its windows are compared with. */
export interface WatchedOperation {
  readonly type: string;
  readonly name: string;
  readonly detector: RegressionDetector;
  /** What it is like, learned from its windows. */
  readonly model: WindowModel;
  /** What it was like in the last version, while that is what it is compared with. */
  readonly reference?: WindowModel | undefined;
  /** Told of each window that the model has learned, and how much it counts. */
  learned?(window: OperationWindow, weight: number): void;
}

/** What changed in a tick. */
export interface WatchChanges {
  readonly opened: readonly Regression[];
  readonly ended: readonly Regression[];
  /** Operations whose regression was taken for the new normal: what is known of them is to be learned anew. */
  readonly newNormal: readonly WatchedOperation[];
}

interface Suspicion {
  readonly operation: WatchedOperation;
  candidate: Candidate;
  /** Windows since it was suspected, and whether there was one since it was last looked at. */
  age: number;
  isFresh: boolean;
  /** Before it is told: how often in a row it seemed to be gone. After: the evidence that it is. */
  gone: number;
  regression?: Regression;
}

type Changes = { [K in keyof WatchChanges]: WatchChanges[K][number][] };

/** Looked at again, what is not even as probable as that is dropped at the second time. */
const DROP_P_VALUE = 1e-3;
const DROP_TIMES = 2;
/** Windows after which a suspicion that could not be confirmed is dropped. */
const MOST_AGE = 48;
/** A cumulative sum of standardised residuals that ends a regression: the figures came back. */
const GONE = 6;
/** Windows are no longer than that. */
const MOST_MINUTES = 30;
const MINUTE_MS = 60_000;
/** More suspicions at once are not followed: of so many one more says nothing new. */
const MOST = 2000;

/** Decides over all operations which changes are told, and when they are over. */
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

  /** The regressions that are open. */
  get open(): Regression[] {
    return [...this.suspicions.values()].flatMap((byMetric) =>
      [...byMetric.values()].flatMap(({ regression }) => regression ?? []),
    );
  }

  /** Judges a window of an operation, and lets the operation's model learn what may be learned. */
  observe(operation: WatchedOperation, window: OperationWindow): void {
    const { detector, model, reference } = operation;
    const against = reference === undefined ? 'baseline' : 'version';
    this.tests++;
    const followed = this.suspicions.get(detector);
    for (const candidate of detector.observe(window, reference ?? model, against, followed))
      this.pending.push({ operation, candidate });
    for (const suspicion of followed?.values() ?? []) {
      suspicion.age++;
      suspicion.isFresh = true;
    }
    for (const learned of detector.takeLearnable(model)) {
      const weight = Math.min(1, learned.count / 30);
      model.add(learned, weight);
      operation.learned?.(learned, weight);
    }
  }

  /** Ends a tick: what was observed since the last one is judged together. */
  settle(now: number): WatchChanges {
    return runToCompletion(this.settling(now));
  }

  /** As {@link settle}, a suspicion at a time. */
  *settling(now: number): Generator<undefined, WatchChanges> {
    this.suspectAmong(this.pending);
    this.pending = [];
    this.tests = 0;
    const changes: Changes = { opened: [], ended: [], newNormal: [] };
    for (const byMetric of [...this.suspicions.values()])
      for (const suspicion of [...byMetric.values()]) {
        if (suspicion.regression !== undefined) this.followOpen(suspicion, now, changes);
        else if (suspicion.isFresh) this.followSuspected(suspicion, now, changes);
        if (suspicion.isFresh) yield;
        suspicion.isFresh = false;
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
      if (candidate.pValue > limit || this.size >= MOST || byMetric.has(candidate.metric)) continue;
      if (candidate.metric === 'tail_latency' && byMetric.has('latency')) continue;
      byMetric.set(candidate.metric, { operation, candidate, age: 0, isFresh: true, gone: 0 });
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
    if (this.isToBeTold(again)) {
      if (again.metric === 'tail_latency' && this.suspicions.get(detector)?.has('latency')) {
        this.drop(suspicion);
        return;
      }
      suspicion.regression = this.regressionOf(suspicion, now);
      changes.opened.push(suspicion.regression);
    } else if (age > MOST_AGE) this.drop(suspicion);
  }

  /** A change that has lasted was looked at less often by chance than one that just began: it need not be as sure. */
  private isToBeTold({ pValue, windows, since, at }: Candidate): boolean {
    const { certainPValue, tellPValue, lastingWindows, lastingMs } = this.settings;
    const minutes = Math.max(1, Math.min(MOST_MINUTES, (at - since) / windows / MINUTE_MS));
    if (pValue <= certainPValue * minutes) return true;
    const lasting = Math.max(1, (minutes * lastingWindows * MINUTE_MS) / lastingMs);
    return windows >= lastingWindows && at - since >= lastingMs && pValue <= tellPValue * lasting;
  }

  private followOpen(suspicion: Suspicion, now: number, changes: Changes): void {
    const { operation, candidate, regression } = suspicion;
    const { detector, model, reference } = operation;
    if (regression === undefined) return;
    const isNewNormal = now - regression.since >= this.settings.newNormalMs;
    if (suspicion.isFresh)
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
