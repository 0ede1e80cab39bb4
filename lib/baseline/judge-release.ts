import { isPart } from '../operation/operation-parts.js';
import type { MergedBaseline, MergedOperation } from './baseline-merge.js';
import { changedBelow, type PeriodSides } from './changed-below.js';
import { judgeOperations } from './compare-operation.js';
import { judgeMemory } from './judge-memory.js';
import {
  CHANGE_VERDICTS,
  type ChangeOptions,
  type ChangeVerdict,
  type WindowNoise,
} from './operation-change.js';
import { type OperationPeriod, OperationPeriods, sideOfPeriods } from './operation-periods.js';
import type { ProcessChange } from './process-change.js';
import { atSameTime, comparedPeriods, endOf, startOf } from './release-periods.js';
import type { ReleaseOperation, ReleaseSide, ReleaseVerdict } from './release-verdict.js';
import { steadyChanges } from './steady-change.js';
import { WindowModel } from './window-model.js';

/** The greatest number of operations that are listed. */
const MAX_LISTED = 200;
/** An operation with less of the time of all of them does not stand in the way of `same`. */
const MAIN_SHARE = 0.05;
/** The windows of a model from which its noise is used. */
const MIN_MODEL_WINDOWS = 20;

export interface JudgeOptions extends Omit<ChangeOptions, 'noise' | 'drift'> {
  /** Compare only periods in which both versions ran. */
  readonly onlySameTime?: boolean;
}

/** The part of a verdict that follows from the data. */
export type JudgedRelease = Pick<
  ReleaseVerdict,
  'verdict' | 'isSameTime' | 'counts' | 'operations' | 'process' | 'below'
> & { readonly before: ReleaseSide; readonly after: ReleaseSide };

/** Judges a version against another one, one operation at a time. */
export function* judgingRelease(
  before: MergedBaseline,
  after: MergedBaseline,
  options: JudgeOptions = {},
): Generator<undefined, JudgedRelease> {
  const pairs: PeriodSides[] = [];
  for (const [key, other] of after.operations) {
    const one = before.operations.get(key);
    const pair = one === undefined ? newBelow(other) : pairOf(one, other, options);
    if (pair !== undefined) pairs.push(pair);
    yield;
  }
  const incoming = pairs.filter(({ type }) => !isPart(type));
  // A service that only handles messages has nothing else to be judged by.
  const judgedPairs = incoming.length > 0 ? incoming : pairs.filter(({ before: { count } }) => count > 0);
  const judged = judgeOperations(judgedPairs, options);
  const operations = judgedPairs.map(
    ({ type, name }, index): ReleaseOperation =>
      ({ type, name, ...(judged[index] as object) }) as ReleaseOperation,
  );
  const isMain = mainOf(judgedPairs);
  const process = judgeMemory(before.memory, after.memory, options);
  // What only one of them has recorded, the other one being of an older release of this package, is no doubt.
  const isOpen = before.memory !== undefined && after.memory !== undefined;
  const below = incoming.length > 0 ? pairs.filter(({ type }) => isPart(type)) : [];
  const weights = new Map(judgedPairs.map((pair, index) => [operations[index], timeOf(pair)]));
  return {
    verdict: verdictOfRelease(operations, isMain, process, isOpen),
    isSameTime: judgedPairs.length > 0 && judgedPairs.every(({ compared }) => compared.isSameTime),
    before: releaseSide(before, judgedPairs, 'before'),
    after: releaseSide(after, judgedPairs, 'after'),
    counts: countsOf(operations, before, after),
    operations: [...operations]
      .sort(
        (one, other) =>
          rankOf(one) - rankOf(other) || (weights.get(other) as number) - (weights.get(one) as number),
      )
      .slice(0, MAX_LISTED),
    ...(process === undefined ? {} : { process }),
    below: changedBelow(below, incoming, options),
  };
}

function pairOf(
  one: MergedOperation,
  other: MergedOperation,
  options: JudgeOptions,
): PeriodSides | undefined {
  const [earlier, later] = [periodsOf(one), periodsOf(other)];
  if (earlier.length === 0 || later.length === 0) return undefined;
  const compared =
    options.onlySameTime === true
      ? { ...atSameTime(earlier, later), drift: 0.01, isSameTime: true }
      : comparedPeriods(earlier, later);
  const noise = noiseOf(one) ?? noiseOf(other);
  const estimates = steadyChanges(compared, { ...options, ...(noise === undefined ? {} : { noise }) });
  const { type, name } = other;
  return {
    type,
    name,
    compared,
    before: sideOfPeriods(compared.before),
    after: sideOfPeriods(compared.after),
    estimates,
  };
}

/** A statement or call that the version before does not have: it is evidence as well. */
function newBelow(other: MergedOperation): PeriodSides | undefined {
  const after = periodsOf(other);
  if (after.length === 0 || !isPart(other.type)) return undefined;
  const { type, name } = other;
  const compared = { before: [], after, drift: 0, isSameTime: false };
  return { type, name, compared, before: sideOfPeriods([]), after: sideOfPeriods(after), estimates: [] };
}

function periodsOf({ periods }: MergedOperation): OperationPeriod[] {
  if (periods === undefined) return [];
  try {
    return OperationPeriods.fromBytes(periods).list();
  } catch {
    return [];
  }
}

/** The noise of the windows of the version before, of which more is known. */
function noiseOf({ model }: MergedOperation): WindowNoise | undefined {
  if (model.length === 0) return undefined;
  try {
    const learned = WindowModel.fromBytes(model);
    if (learned.weight < MIN_MODEL_WINDOWS) return undefined;
    return {
      varianceOfMean: (windows) => learned.varianceOfMean(windows, 'p50'),
      degrees: (windows) => learned.degreesOfMean(windows),
    };
  } catch {
    return undefined;
  }
}

/**
 * Worse or better if one operation is, or the process; the same only if each of the main ones is.
 * @param isOpen whether a process without a verdict stands in the way of `same`
 */
function verdictOfRelease(
  operations: readonly ReleaseOperation[],
  isMain: readonly boolean[],
  process: ProcessChange | undefined,
  isOpen: boolean,
): ChangeVerdict {
  const verdicts = operations.map(({ verdict }) => verdict);
  const all = process === undefined ? verdicts : [...verdicts, process.verdict];
  if (all.includes('worse')) return 'worse';
  if (all.includes('better')) return 'better';
  const main = verdicts.filter((_, index) => isMain[index]);
  if (isOpen && process?.verdict !== 'same') return 'not enough data';
  return main.length > 0 && main.every((verdict) => verdict === 'same') ? 'same' : 'not enough data';
}

function mainOf(pairs: readonly PeriodSides[]): boolean[] {
  const times = pairs.map(timeOf);
  const all = times.reduce((sum, time) => sum + time, 0);
  return times.map((time) => time >= MAIN_SHARE * all);
}

function timeOf({ after }: PeriodSides): number {
  return after.count * Math.exp(after.median?.mean ?? 0);
}

function countOf(pairs: readonly PeriodSides[], side: 'before' | 'after'): number {
  return pairs.reduce((sum, pair) => sum + pair[side].count, 0);
}

function rankOf({ verdict }: ReleaseOperation): number {
  return verdict === 'worse' ? 0 : verdict === 'better' ? 1 : 2;
}

function countsOf(
  operations: readonly ReleaseOperation[],
  before: MergedBaseline,
  after: MergedBaseline,
): ReleaseVerdict['counts'] {
  const counts = Object.fromEntries(
    CHANGE_VERDICTS.map((verdict) => [verdict, operations.filter((one) => one.verdict === verdict).length]),
  ) as Record<ChangeVerdict, number>;
  const only = (one: MergedBaseline, other: MergedBaseline): number =>
    [...one.operations].filter(([key, { type }]) => !isPart(type) && !other.operations.has(key)).length;
  return { ...counts, new: only(after, before), gone: only(before, after) };
}

function releaseSide(
  { version = 'unknown', startedAt, savedAt, instances }: MergedBaseline,
  pairs: readonly PeriodSides[],
  side: 'before' | 'after',
): ReleaseSide {
  const periods = pairs.flatMap(({ compared }) => compared[side]);
  return {
    version,
    startedAt,
    savedAt,
    instances: instances.length,
    ...(periods.length === 0 ? {} : { from: startOf(periods), to: endOf(periods) }),
    count: countOf(pairs, side),
  };
}
