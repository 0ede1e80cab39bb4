import type { Sample } from '../inference/welch.js';
import type { MergedBaseline, MergedOperation } from './baseline-merge.js';
import {
  compareMiddle,
  compareTail,
  compareWindows,
  type Estimate,
  logMoments,
  MIN_WINDOWS,
} from './compare-estimate.js';
import type { RegressionMetric } from './regression.js';

/** Mean and variance of windows; `latency` and `tail_latency` as logarithms of milliseconds. */
export type WindowMoments = Partial<Record<RegressionMetric, Sample>>;

export interface CompareOptions {
  /** The smallest change that is reported, in percent. Default 10. */
  readonly minEffectPercent?: number;
  /** The share of false ones among reported changes (Benjamini and Hochberg). Default 0.05. */
  readonly alpha?: number;
  /** Reads the bytes of a `WindowModel`. May throw: then only counts are compared. */
  readonly readModel?: (model: Uint8Array) => WindowMoments | undefined;
}

export const VERDICTS = ['slower', 'faster', 'no_change', 'too_few', 'new', 'gone'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** The comparison of one metric. Plain data, fit for JSON. */
export interface ComparedMetric {
  readonly metric: RegressionMetric;
  /** `windows`: tested by the variance between windows. `counts`: by all latencies, with an allowance for noise. */
  readonly by: 'windows' | 'counts';
  /** For `latency` the geometric mean and for `tail_latency` the percentile in milliseconds, else a share or a number. */
  readonly before: number;
  readonly after: number;
  /** The relative change (0.2: 20 % more) and its 95 % confidence interval; for `error_rate` the difference of the shares. */
  readonly change: number;
  readonly interval: readonly [number, number];
  /** Corrected for the number of comparisons (Benjamini and Hochberg). */
  readonly pValue: number;
  readonly verdict: 'worse' | 'better' | 'no_change';
}

export interface ComparedOperation {
  readonly type: string;
  readonly name: string;
  readonly verdict: Verdict;
  /** `count`: executions, older ones weighted less; 0 if there are none. */
  readonly before: { readonly count: number; readonly p50Ms?: number; readonly p95Ms?: number };
  readonly after: { readonly count: number; readonly p50Ms?: number; readonly p95Ms?: number };
  readonly metrics: readonly ComparedMetric[];
}

/** The comparison of two baselines. Operations that got slower come first. */
export interface Comparison {
  readonly beforeVersion: string | undefined;
  readonly afterVersion: string | undefined;
  readonly minEffectPercent: number;
  readonly alpha: number;
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly operations: readonly ComparedOperation[];
}

const MIN_COUNT = 30;
/** The percentile of the tail that is compared, by the number of operations. */
const TAILS = [
  { p: 0.99, minCount: 1000 },
  { p: 0.95, minCount: 200 },
] as const;
/** The smallest difference of two error rates that is reported. */
const MIN_ERROR_DIFFERENCE = 0.005;

type Tested = Omit<ComparedMetric, 'verdict'>;

/** Compares the baselines of each operation. */
export function compareBaselines(
  before: MergedBaseline,
  after: MergedBaseline,
  { minEffectPercent = 10, alpha = 0.05, readModel }: CompareOptions = {},
): Comparison {
  const keys = [...new Set([...before.operations.keys(), ...after.operations.keys()])];
  const pairs = keys.map((key) => [before.operations.get(key), after.operations.get(key)] as const);
  const tested = pairs.map(([one, other]) =>
    isEnough(one) && isEnough(other) ? testsOf(one, other, readModel) : [],
  );
  const corrected = benjaminiHochberg(tested.flat().map(({ pValue }) => pValue));
  let at = 0;
  const operations = pairs.map(([one, other], index): ComparedOperation => {
    const metrics = (tested[index] as Tested[]).map((metric): ComparedMetric => {
      const pValue = corrected[at++] as number;
      return { ...metric, pValue, verdict: judge(metric, pValue, minEffectPercent / 100, alpha) };
    });
    const { type, name } = (other ?? one) as MergedOperation;
    return {
      type,
      name,
      verdict: verdictOf(one, other, metrics),
      before: sideOf(one),
      after: sideOf(other),
      metrics,
    };
  });
  operations.sort(
    (one, other) =>
      VERDICTS.indexOf(one.verdict) - VERDICTS.indexOf(other.verdict) ||
      largest(other) - largest(one) ||
      (one.name < other.name ? -1 : 1),
  );
  const counts = Object.fromEntries(
    VERDICTS.map((verdict) => [verdict, operations.filter((one) => one.verdict === verdict).length]),
  ) as Record<Verdict, number>;
  return {
    beforeVersion: before.version,
    afterVersion: after.version,
    minEffectPercent,
    alpha,
    counts,
    operations,
  };
}

function testsOf(
  before: MergedOperation,
  after: MergedOperation,
  readModel: CompareOptions['readModel'],
): Tested[] {
  const one = momentsOf(before, readModel);
  const other = momentsOf(after, readModel);
  const tests: Tested[] = [];
  const latency = byWindows(one.latency, other.latency);
  tests.push({
    metric: 'latency',
    by: latency === undefined ? 'counts' : 'windows',
    before: Math.exp(logMoments(before.sketch).mean),
    after: Math.exp(logMoments(after.sketch).mean),
    ...asRelativeChange(latency ?? compareMiddle(before.sketch, after.sketch)),
  });
  const tail = TAILS.find(({ minCount }) => before.count >= minCount && after.count >= minCount);
  if (tail !== undefined) {
    const windows = byWindows(one.tail_latency, other.tail_latency);
    tests.push({
      metric: 'tail_latency',
      by: windows === undefined ? 'counts' : 'windows',
      before: before.sketch.percentile(tail.p),
      after: after.sketch.percentile(tail.p),
      ...asRelativeChange(windows ?? compareTail(before.sketch, after.sketch, tail.p)),
    });
  }
  for (const metric of ['error_rate', 'queries'] as const) {
    const [earlier, later] = [one[metric], other[metric]];
    const estimate = byWindows(earlier, later);
    if (estimate === undefined || earlier === undefined || later === undefined) continue;
    const per = metric === 'queries' ? Math.max(earlier.mean, 1e-3) : 1;
    const [low, high] = estimate.interval;
    tests.push({
      metric,
      by: 'windows',
      before: earlier.mean,
      after: later.mean,
      change: estimate.difference / per,
      interval: [low / per, high / per],
      pValue: estimate.pValue,
    });
  }
  return tests;
}

function byWindows(before: Sample | undefined, after: Sample | undefined): Estimate | undefined {
  if (before === undefined || after === undefined) return undefined;
  if (!(before.n >= MIN_WINDOWS && after.n >= MIN_WINDOWS)) return undefined;
  const estimate = compareWindows(before, after);
  return Number.isFinite(estimate.difference) ? estimate : undefined;
}

/** Converts a difference of logarithms to a relative change. */
function asRelativeChange({
  difference,
  interval: [low, high],
  pValue,
}: Estimate): Pick<Tested, 'change' | 'interval' | 'pValue'> {
  return { change: Math.expm1(difference), interval: [Math.expm1(low), Math.expm1(high)], pValue };
}

function momentsOf({ model }: MergedOperation, readModel: CompareOptions['readModel']): WindowMoments {
  if (readModel === undefined || model.length === 0) return {};
  try {
    return readModel(model) ?? {};
  } catch {
    return {};
  }
}

function judge(
  { metric, change }: Tested,
  pValue: number,
  minEffect: number,
  alpha: number,
): ComparedMetric['verdict'] {
  // Symmetric for speedups: -50 % is the same factor as +100 %.
  const needed =
    metric === 'error_rate' ? MIN_ERROR_DIFFERENCE : change < 0 ? minEffect / (1 + minEffect) : minEffect;
  if (pValue > alpha || Math.abs(change) < needed) return 'no_change';
  return change > 0 ? 'worse' : 'better';
}

function verdictOf(
  before: MergedOperation | undefined,
  after: MergedOperation | undefined,
  metrics: readonly ComparedMetric[],
): Verdict {
  if (before === undefined) return 'new';
  if (after === undefined) return 'gone';
  if (metrics.length === 0) return 'too_few';
  if (metrics.some(({ verdict }) => verdict === 'worse')) return 'slower';
  return metrics.some(({ verdict }) => verdict === 'better') ? 'faster' : 'no_change';
}

function isEnough(operation: MergedOperation | undefined): operation is MergedOperation {
  return operation !== undefined && operation.count >= MIN_COUNT;
}

function sideOf(operation: MergedOperation | undefined): ComparedOperation['before'] {
  if (operation === undefined || !(operation.count > 0)) return { count: 0 };
  const { count, sketch } = operation;
  return { count, p50Ms: sketch.percentile(0.5), p95Ms: sketch.percentile(0.95) };
}

function largest({ metrics }: ComparedOperation): number {
  return Math.max(0, ...metrics.map(({ change }) => Math.abs(change)));
}

/** The corrected p-values: the false discovery rate at which each test would just be accepted. */
function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues
    .map((_, index) => index)
    .sort((a, b) => (pValues[b] as number) - (pValues[a] as number));
  const corrected = new Array<number>(pValues.length);
  let least = 1;
  order.forEach((index, place) => {
    least = Math.min(least, ((pValues[index] as number) * pValues.length) / (pValues.length - place));
    corrected[index] = least;
  });
  return corrected;
}
