import { rateRatioUpper } from '../inference/rate-ratio.js';
import { shareDifferenceInterval } from '../inference/share-difference.js';
import { studentQuantile, studentUpper } from '../inference/student-t.js';
import type { Sample } from '../inference/welch.js';
import { BlockVariances } from './block-variances.js';
import {
  CHANGE_MEASURES,
  type ChangeMeasure,
  type ChangeOptions,
  type OperationSide,
  type WindowNoise,
} from './operation-change.js';
import type { SampledMeasure } from './side-of-windows.js';

/** With fewer windows, or fewer executions, on either side nothing is judged. */
const MIN_WINDOWS = 5;
const MIN_COUNT = 30;
/** The lower bound of the spread of windows: quantised values may not differ at all. */
const MIN_SPREAD = 0.03;
/** The most neighbouring windows whose noise is known. Longer stretches of windows are independent of each other. */
const BLOCK = 32;
/** Beyond, Student's t is the normal distribution to three digits. */
const MAX_DEGREES = 1000;
const DRIFT = 0.01;
const ERROR_DISPERSION = 1.5;

/** A difference, in the unit of `MeasureChange`, before the correction for several tests. */
export interface ChangeEstimate {
  readonly measure: ChangeMeasure;
  readonly before: number;
  readonly after: number;
  readonly difference: number;
  readonly interval: readonly [number, number];
  /** Two-sided. */
  readonly pValue: number;
  /** `false` if it falls, or has only begun: then it is not judged yet. */
  readonly isSteady?: boolean;
}

/** The differences of the measures that both sides have enough data of. */
export function estimateChanges(
  before: OperationSide,
  after: OperationSide,
  options: ChangeOptions = {},
): ChangeEstimate[] {
  return CHANGE_MEASURES.flatMap((measure) => estimateChange(measure, before, after, options) ?? []);
}

/** The difference of one measure; undefined unless both sides have enough data of it. */
export function estimateChange(
  measure: ChangeMeasure,
  before: OperationSide,
  after: OperationSide,
  options: ChangeOptions = {},
): ChangeEstimate | undefined {
  if (!(before.count >= MIN_COUNT && after.count >= MIN_COUNT)) return undefined;
  return measure === 'errors'
    ? errorChange(before, after, options.errorDispersion)
    : sampleChange(measure, before, after, options);
}

function sampleChange(
  measure: SampledMeasure,
  before: OperationSide,
  after: OperationSide,
  { noise = new BlockVariances(), drift = DRIFT }: ChangeOptions,
): ChangeEstimate | undefined {
  const [one, other] = [before[measure], after[measure]];
  if (one === undefined || other === undefined || !(one.n >= MIN_WINDOWS && other.n >= MIN_WINDOWS))
    return undefined;
  const isLog = measure !== 'statements';
  const difference = other.mean - one.mean;
  const own = pooledVariance(one, other, isLog ? 1 : Math.max(1, Math.abs(one.mean)));
  const lasting =
    isLog && before.median !== undefined && after.median !== undefined
      ? pooledVariance(before.median, after.median)
      : own;
  const ofMean = ({ n }: Sample): number => own / n + lasting * lastingShare(n, noise);
  const error = Math.sqrt(ofMean(one) + ofMean(other) + (isLog ? drift ** 2 : 0));
  const degrees = Math.min(one.n + other.n - 2, noise.degrees(Math.min(one.n, other.n, BLOCK)));
  if (!Number.isFinite(difference) || !(error > 0)) return undefined;
  const reach = quantileOf(degrees) * error;
  const pValue = Math.min(1, 2 * studentUpper(Math.abs(difference) / error, degrees));
  const base = isLog ? Math.exp(one.mean) : 0;
  const inUnit = (value: number): number => (isLog ? base * Math.expm1(value) : value);
  return {
    measure,
    before: isLog ? base : one.mean,
    after: isLog ? Math.exp(other.mean) : other.mean,
    difference: inUnit(difference),
    interval: [inUnit(difference - reach), inUnit(difference + reach)],
    pValue,
  };
}

/** Found by bisection, so that for thousands of operations each is found once. */
const quantiles: number[] = [];

/** The t that is exceeded with 2.5 %, for degrees of freedom rounded down. */
function quantileOf(degrees: number): number {
  const whole = Math.max(1, Math.min(MAX_DEGREES, Math.floor(degrees)));
  let quantile = quantiles[whole];
  if (quantile === undefined) {
    quantile = studentQuantile(0.025, whole);
    quantiles[whole] = quantile;
  }
  return quantile;
}

/** The variance of a window: both sides are the same operation, and one of them is often short. */
function pooledVariance(before: Sample, after: Sample, unit = 1): number {
  const [one, other] = [before.n - 1, after.n - 1];
  const pooled = (before.variance * one + after.variance * other) / (one + other);
  return Math.max(pooled, (MIN_SPREAD * unit) ** 2);
}

/**
 * What the mean of `windows` neighbours varies more than that of as many independent ones, as a share of the variance of one.
 * All latencies of an operation have this noise in common, so for the tail and for CPU it is a share of the variance of the
 * median: the rest of theirs is that of a few executions.
 */
function lastingShare(windows: number, noise: WindowNoise): number {
  const share = noise.varianceOfMean(Math.min(windows, BLOCK)) / Math.max(1, windows / BLOCK);
  return Math.max(0, share - 1 / windows);
}

function errorChange(
  before: OperationSide,
  after: OperationSide,
  dispersion = ERROR_DISPERSION,
): ChangeEstimate {
  const [events, count] = [after.errors / dispersion, after.count / dispersion];
  const [eventsBefore, countBefore] = [before.errors / dispersion, before.count / dispersion];
  const upper = rateRatioUpper(events, count, eventsBefore, countBefore);
  const lower = rateRatioUpper(eventsBefore, countBefore, events, count);
  const [one, other] = [before.errors / before.count, after.errors / after.count];
  return {
    measure: 'errors',
    before: one,
    after: other,
    difference: other - one,
    interval: shareDifferenceInterval(eventsBefore, countBefore, events, count),
    pValue: Math.min(1, 2 * Math.min(upper, lower)),
  };
}
