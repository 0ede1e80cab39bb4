import { holm } from '../inference/holm.js';
import { studentQuantile, studentUpper } from '../inference/student-t.js';
import type { Sample } from '../inference/welch.js';
import { verdictOf } from './compare-operation.js';
import type { ChangeOptions, ChangeVerdict } from './operation-change.js';
import type { MemoryChange, ProcessChange, ProcessSide } from './process-change.js';
import {
  AGES,
  MEMORY_MEASURES,
  type MemoryAtAge,
  type MemoryMeasure,
  ProcessMemory,
  rangeOfAge,
  slotsOfAge,
} from './process-memory.js';

type Ages = readonly (MemoryAtAge | undefined)[];

/** What is assumed of a measure. */
interface Assumption {
  /** The standard deviation between processes of the same version, as a natural logarithm. */
  readonly spread: number;
  /** The smallest change that matters: a multiple of that of a median, and bytes. */
  readonly effect: number;
  readonly bytes: number;
}

const MB = 2 ** 20;
const ASSUMED: Readonly<Record<MemoryMeasure, Assumption>> = {
  heap: { spread: 0.03, effect: 2, bytes: 8 * MB },
  rss: { spread: 0.05, effect: 3, bytes: 32 * MB },
};
/** How many degrees of freedom the assumed spread has: few processes say little about theirs. */
const ASSUMED_DEGREES = 8;
/** A multiple of the assumed variance that shows that the processes of this service differ for reasons of their own. */
const REFUTED = 4;
/** What differs for all processes of a version, as a natural logarithm: the data of the time, the machine. */
const DRIFT = 0.02;
/** Neighbouring slots say nearly the same: nine of them are worth one (an autocorrelation of 0.8). */
const SLOTS_WORTH_ONE = 9;
/** The first age of which the verdict may be: nothing is judged before 40 minutes. */
const FIRST_JUDGED = 3;
/** Each of both ages must have this share of the change. */
const MIN_SHARE = 0.35;
/** The share of the slots of an age that a process was there for, and of those that have a reading: collections may be rare. */
const MIN_PRESENT = 0.9;
const MIN_READ = 1 / 3;
/** So that the ratio of two idle processes is not that of a few executions. */
const IDLE_PER_MINUTE = 1;

/**
 * Judges the memory of a version's processes by that of another version's when they were as old. Growth up to that of the
 * traffic is not attributed to the version.
 * @param before,after bytes of `ProcessMemory`
 * @returns undefined if neither version has recorded any
 */
export function judgeMemory(
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
  options: ChangeOptions,
): ProcessChange | undefined {
  const [one, other] = [processesIn(before), processesIn(after)];
  if (one.length === 0 && other.length === 0) return undefined;
  const estimates = MEMORY_MEASURES.map((measure) => estimateOf(measure, one, other));
  const corrected = holm(estimates.flatMap((estimate) => estimate?.pValue ?? []));
  let at = 0;
  const measures = estimates.map((estimate, index): MemoryChange => {
    if (estimate !== undefined) return changeOf(estimate, corrected[at++] as number, options);
    return { measure: MEMORY_MEASURES[index] as MemoryMeasure, verdict: 'not enough data' };
  });
  return { verdict: verdictOf(measures.map(({ verdict }) => verdict)), measures };
}

function processesIn(bytes: Uint8Array | undefined): readonly Ages[] {
  if (bytes === undefined) return [];
  try {
    return ProcessMemory.fromBytes(bytes).list();
  } catch {
    return [];
  }
}

/** A difference of natural logarithms. */
interface MemoryEstimate {
  readonly measure: MemoryMeasure;
  readonly age: number;
  readonly before: Side;
  readonly after: Side;
  readonly difference: number;
  /** The part of it, towards 0, that other traffic does not explain. */
  readonly unexplained: number;
  readonly interval: readonly [number, number];
  readonly pValue: number;
  readonly isSteady: boolean;
}

function estimateOf(
  measure: MemoryMeasure,
  before: readonly Ages[],
  after: readonly Ages[],
): MemoryEstimate | undefined {
  const age = comparedAge(measure, before, after);
  if (age === undefined) return undefined;
  const [one, other] = [sideAt(measure, age, before), sideAt(measure, age, after)];
  const difference = other.mean - one.mean;
  const traffic = Math.log((other.perMinute + IDLE_PER_MINUTE) / (one.perMinute + IDLE_PER_MINUTE));
  // Between nothing and all of the memory is in proportion to the traffic.
  const [least, most] = [Math.min(0, traffic), Math.max(0, traffic)];
  const unexplained = difference > 0 ? Math.max(0, difference - most) : Math.min(0, difference - least);
  const { variance, degrees } = varianceOfProcesses(measure, one, other);
  const ofMean = ({ processes, noise }: Side): number => (variance + noise) / processes;
  const error = Math.sqrt(ofMean(one) + ofMean(other) + DRIFT ** 2);
  const reach = studentQuantile(0.025, degrees) * error;
  const halves = other.halves.map((half, index) => (half - (one.halves[index] as number)) / difference);
  return {
    ...{ measure, age, before: one, after: other, difference, unexplained },
    interval: [difference - most - reach, difference - least + reach],
    pValue: Math.min(1, 2 * studentUpper(Math.abs(unexplained) / error, degrees)),
    isSteady: Math.min(...halves) >= MIN_SHARE,
  };
}

/** The assumed variance, corrected by that of the processes; or theirs alone, if it shows that the assumption is wrong. */
function varianceOfProcesses(
  measure: MemoryMeasure,
  one: Side,
  other: Side,
): { readonly variance: number; readonly degrees: number } {
  const assumed = ASSUMED[measure].spread ** 2;
  const squares = one.squares + other.squares;
  const own = one.processes + other.processes - 2;
  if (own > 0 && squares / own > REFUTED * assumed) return { variance: squares / own, degrees: own };
  const degrees = ASSUMED_DEGREES + own;
  return { variance: (ASSUMED_DEGREES * assumed + squares) / degrees, degrees };
}

/** The greatest age that at least half of the processes of each version have reached that have reached the first one. */
function comparedAge(
  measure: MemoryMeasure,
  before: readonly Ages[],
  after: readonly Ages[],
): number | undefined {
  const counts = [before, after].map((processes) =>
    Array.from({ length: AGES }, (_, age) => processes.filter((one) => isKnownAt(one, measure, age)).length),
  ) as [number[], number[]];
  const most = counts.map((each) => Math.max(...each.slice(FIRST_JUDGED))) as [number, number];
  for (let age = AGES - 1; age >= FIRST_JUDGED; age--) {
    const isEnough = counts.every((each, side) => {
      const count = each[age] as number;
      return count > 0 && count >= (most[side] as number) / 2;
    });
    if (isEnough) return age;
  }
  return undefined;
}

/** Whether a process has enough of an age and of the one before. */
function isKnownAt(process: Ages, measure: MemoryMeasure, age: number): boolean {
  return [age - 1, age].every((each) => {
    const { rss, [measure]: sample } = process[each] ?? {};
    const slots = slotsOfAge(each);
    return (
      rss !== undefined &&
      sample !== undefined &&
      rss.n >= MIN_PRESENT * slots &&
      sample.n >= MIN_READ * slots
    );
  });
}

/** The processes of a version. */
interface Side extends ProcessSide {
  readonly mean: number;
  /** The means of both ages. */
  readonly halves: readonly number[];
  /** The sum of squared deviations of the processes from their mean. */
  readonly squares: number;
  /** The variance of the mean of one process, by the noise of its slots. */
  readonly noise: number;
}

function sideAt(measure: MemoryMeasure, age: number, all: readonly Ages[]): Side {
  const known = all.filter((process) => isKnownAt(process, measure, age));
  const pairs = [age - 1, age].map((each) => known.map((process) => process[each] as MemoryAtAge));
  const samplesOf = pairs.map((ofAge) => ofAge.map((one) => one[measure] as Sample));
  const halves = samplesOf.map((ofAge) => meanOf(ofAge.map((sample) => sample.mean)));
  const values = known.map((_, index) => meanOf(samplesOf.map((ofAge) => (ofAge[index] as Sample).mean)));
  const mean = meanOf(values);
  const samples = samplesOf.flat();
  const degrees = samples.reduce((sum, { n }) => sum + n - 1, 0);
  const within = samples.reduce((sum, { n, variance }) => sum + (n - 1) * variance, 0) / Math.max(1, degrees);
  const slots = samples.reduce((sum, { n }) => sum + n, 0) / known.length;
  return {
    processes: known.length,
    perMinute: meanOf(pairs.flat().map(({ load }) => load)),
    mean,
    halves,
    squares: values.reduce((sum, value) => sum + (value - mean) ** 2, 0),
    noise: within * Math.min(1, SLOTS_WORTH_ONE / slots),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function changeOf(
  { measure, age, before, after, difference, unexplained, interval, isSteady }: MemoryEstimate,
  pValue: number,
  { minEffectPercent = 10, alpha = 0.01 }: ChangeOptions,
): MemoryChange {
  const base = Math.exp(before.mean);
  const inBytes = (value: number): number => base * Math.expm1(value);
  const { effect, bytes } = ASSUMED[measure];
  const share = (effect * minEffectPercent) / 100;
  const [up, down] = [Math.max(share * base, bytes), Math.max((share / (1 + share)) * base, bytes)];
  const [low, high] = interval.map(inBytes) as [number, number];
  const isCertain = pValue <= alpha && isSteady;
  let verdict: ChangeVerdict = 'not enough data';
  if (isCertain && inBytes(unexplained) >= up) verdict = 'worse';
  else if (isCertain && inBytes(unexplained) <= -down) verdict = 'better';
  else if (high < up && low > -down) verdict = 'same';
  const percent = (value: number): number => (100 * value) / base;
  return {
    measure,
    verdict,
    before: sideOf(before),
    after: sideOf(after),
    age: { from: rangeOfAge(age - 1).from, to: rangeOfAge(age).to },
    difference: inBytes(difference),
    interval: [low, high],
    percent: percent(inBytes(difference)),
    percentInterval: [percent(low), percent(high)],
    pValue,
  };
}

function sideOf({ processes, perMinute, mean }: Side): NonNullable<MemoryChange['before']> {
  return { processes, perMinute, value: Math.exp(mean) };
}
