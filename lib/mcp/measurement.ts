import { compareOperation } from '../baseline/compare-operation.js';
import type { OperationChange, OperationSide, WindowNoise } from '../baseline/operation-change.js';
import type { Sample } from '../inference/welch.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { OperationExecutions } from '../statistics/operation-statistics.js';
import { isObject } from '../validation/checks.js';
import type { Argument } from './arguments.js';

/**
 * What an operation is like until a moment, small enough that an agent keeps it while the application restarts. Plain data,
 * fit for JSON. Samples are `[n, mean, variance]`.
 */
export interface Measurement {
  readonly type: string;
  readonly operation: string;
  /** When counting started: later executions of the same run include those measured. In milliseconds since 1970. */
  readonly run: number;
  readonly at: number;
  readonly count: number;
  readonly errors: number;
  /** Of the logarithms of milliseconds. */
  readonly latency?: Numbers;
  readonly statements?: Numbers;
}

type Numbers = readonly [n: number, mean: number, variance: number];

/**
 * Executions are compared as means of groups: neighbours depend on each other, and a mean is closer to the normal distribution
 * than one execution.
 */
const GROUP = 6;
/** Executions on either side from which a comparison is judged. */
export const MIN_EXECUTIONS = 5 * GROUP;
/** The standard deviation of the logarithm between two runs without a change: each differs by 6 %. */
const DRIFT = 0.085;
/** What remains between groups. The difference between runs is in the drift. */
const INDEPENDENT: WindowNoise = {
  varianceOfMean: (groups) => 1 / groups,
  degrees: (groups) => Math.max(1, 2 * groups - 2),
};
/** The longest JSON of a measurement, in characters. Names have up to 256. */
const MAX_JSON = 2000;
const MAX_NAME = 300;
/** The latest moment of JavaScript. */
const MAX_MOMENT = 8.64e15;

/** Measures an operation now. @param now milliseconds since 1970; undefined for one that has not run */
export function measure(
  monitor: PerformanceMonitor,
  { type, name }: { readonly type: string; readonly name: string },
  now: number,
): Measurement | undefined {
  const executions = monitor.operationStatistics(type, name)?.executions();
  if (executions === undefined) return undefined;
  const { count, errors, latency, statements } = executions;
  return {
    type,
    operation: name,
    run: monitor.countingSince,
    at: now,
    count,
    errors,
    ...(latency === undefined ? {} : { latency: numbersOf(latency) }),
    ...(statements === undefined ? {} : { statements: numbersOf(statements) }),
  };
}

/**
 * The executions since a measurement. Of the same run, those measured are subtracted.
 * @returns undefined if the run has had fewer than those measured: the measurement is not of this application
 */
export function executionsSince(
  before: Measurement,
  all: OperationExecutions,
  run: number,
): OperationExecutions | undefined {
  if (before.run !== run) return all;
  const count = all.count - before.count;
  const errors = all.errors - before.errors;
  if (count < 0 || errors < 0) return undefined;
  const latency = remainder(all.latency, before.latency);
  const statements = remainder(all.statements, before.statements);
  return {
    count,
    errors,
    ...(latency === undefined ? {} : { latency }),
    ...(statements === undefined ? {} : { statements }),
  };
}

export function compareExecutions(before: Measurement, after: OperationExecutions): OperationChange {
  const { count, errors, latency, statements } = before;
  const sides = [{ count, errors, latency: sampleOf(latency), statements: sampleOf(statements) }, after];
  const [one, other] = sides.map(sideOf) as [OperationSide, OperationSide];
  return compareOperation(one, other, { drift: DRIFT, noise: INDEPENDENT });
}

/**
 * Whether what this run counts may include executions from before the change: it is not the run that was measured, and began
 * before that. @param run when counting started here, in milliseconds since 1970
 */
export function isOfOtherInstance(before: Measurement, run: number): boolean {
  return before.run !== run && run < before.at;
}

/** A measurement as get_operation returned it, or its JSON. */
export function measurement(description: string): Argument<Measurement> {
  return {
    schema: { type: ['object', 'string'], description },
    allowed: 'the measurement of an answer of get_operation, unchanged',
    read: (given) => {
      const value = typeof given === 'string' && given.length <= MAX_JSON ? parsed(given) : given;
      return isMeasurement(value) ? value : undefined;
    },
  };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isMeasurement(value: unknown): value is Measurement {
  if (!isObject(value)) return false;
  const { type, operation, run, at, count, errors, latency, statements } = value;
  return (
    [type, operation].every((one) => typeof one === 'string' && one !== '' && one.length <= MAX_NAME) &&
    [run, at].every((one) => isNumberIn(one, 0, MAX_MOMENT)) &&
    isNumberIn(count, 0, Number.MAX_SAFE_INTEGER) &&
    isNumberIn(errors, 0, count) &&
    [latency, statements].every((one) => one === undefined || isNumbers(one))
  );
}

function isNumbers(value: unknown): value is Numbers {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [n, mean, variance] = value as unknown[];
  return (
    isNumberIn(n, 1, Number.MAX_SAFE_INTEGER) && isNumberIn(mean, -1e9, 1e9) && isNumberIn(variance, 0, 1e18)
  );
}

function isNumberIn(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

function numbersOf({ n, mean, variance }: Sample): Numbers {
  // More digits than the subtraction of a part needs.
  return [n, Number(mean.toPrecision(10)), Number(variance.toPrecision(10))];
}

function sampleOf(numbers: Numbers | undefined): Sample | undefined {
  if (numbers === undefined) return undefined;
  const [n, mean, variance] = numbers;
  return { n, mean, variance };
}

/** The sample without a part of it. */
function remainder(whole: Sample | undefined, part: Numbers | undefined): Sample | undefined {
  if (whole === undefined || part === undefined) return whole;
  const [partN, partMean, partVariance] = part;
  const n = whole.n - partN;
  if (n <= 0) return undefined;
  const mean = (whole.n * whole.mean - partN * partMean) / n;
  const squares =
    (whole.n - 1) * whole.variance -
    (partN - 1) * partVariance -
    ((n * partN) / whole.n) * (mean - partMean) ** 2;
  return { n, mean, variance: Math.max(0, squares) / Math.max(1, n - 1) };
}

function sideOf({ count, errors, latency, statements }: OperationExecutions): OperationSide {
  return { count, errors, median: grouped(latency), statements: grouped(statements) };
}

function grouped(sample: Sample | undefined): Sample | undefined {
  return sample && { n: sample.n / GROUP, mean: sample.mean, variance: sample.variance / GROUP };
}
