import { PARTS } from '../statistics/operation-window.js';
import { type ChangeCourse, courseOf } from './change-course.js';
import type { Candidate, ChangedPart, RegressionMetric } from './regression.js';
import type { RegressionSettings } from './regression-settings.js';
import { bestSplit, type Comparison, compareLevels, compareShares } from './regression-test.js';
import type { WindowMetric } from './window-metric.js';
import type { WindowModel } from './window-model.js';
import { WindowResiduals } from './window-residuals.js';
import type { WindowRing } from './window-ring.js';

/** A series of window metrics that is watched for changes. */
interface Series {
  readonly source: WindowMetric;
  /** The regression that a change of it means. */
  readonly metric: RegressionMetric;
  /**
   * The factor on its p-values (Bonferroni), since the series of one metric are tested together: the most reliable one has
   * the least. Errors come in bunches, which a test of shares underestimates.
   */
  readonly pValueFactor: number;
  /** Windows that a change must have lasted: the less normal the distribution, the more. */
  readonly minWindows: number;
}

/** The metric that a candidate's statistic is computed from. */
export const SOURCE_OF: Readonly<Record<Candidate['statistic'], WindowMetric>> = {
  median: 'p50',
  mean: 'mean',
  p90: 'p90',
  p99: 'p99',
  error_rate: 'error_rate',
  queries: 'queries',
};

export const SERIES: readonly Series[] = [
  { source: 'mean_log', metric: 'latency', pValueFactor: 2, minWindows: 2 },
  { source: 'p50', metric: 'latency', pValueFactor: 4, minWindows: 4 },
  { source: 'mean', metric: 'latency', pValueFactor: 8, minWindows: 6 },
  { source: 'p90', metric: 'latency', pValueFactor: 8, minWindows: 6 },
  { source: 'over_p99', metric: 'tail_latency', pValueFactor: 5, minWindows: 3 },
  { source: 'error_rate', metric: 'error_rate', pValueFactor: 30, minWindows: 3 },
  { source: 'queries', metric: 'queries', pValueFactor: 1, minWindows: 2 },
];
/** The noise that lasts is that of this many windows, and at least this share of the variance of one. */
const NOISE_WINDOWS = 8;
const MIN_NOISE = 0.01;
const LATENCY_SERIES = SERIES.filter(({ metric }) => metric === 'latency');
/** The least number of slow operations or errors. */
const MIN_EVENTS = 5;
/** With fewer errors in a window, the middle window may have none by chance. */
const MIN_EVENTS_OF_WINDOW = 4;
/** The least factor by which the share above the p99 or the share of errors must grow. */
const MIN_RATIO = 1.5;
/** The greatest p-value of the rise of the p99 itself, in addition to that of the share above the expected p99. */
const TAIL_P_VALUE = 1e-3;

/** The windows of an operation, and the model they are compared with. */
export class Compared {
  private readonly residuals = new Map<WindowMetric, WindowResiduals>();

  constructor(
    readonly ring: WindowRing,
    readonly model: WindowModel,
    readonly against: Candidate['against'],
    readonly settings: RegressionSettings,
  ) {}

  /** The start of the change that fits the windows best; -1 for none. */
  bestSplit(metric: WindowMetric): number {
    return bestSplit(this.residualsOf(metric));
  }

  compareLevels(metric: WindowMetric, split: number): Comparison | undefined {
    return compareLevels(this.residualsOf(metric), split);
  }

  /** Computed once, since searching and comparing need the same ones. */
  private residualsOf(metric: WindowMetric): WindowResiduals {
    let residuals = this.residuals.get(metric);
    if (residuals === undefined) {
      residuals = new WindowResiduals(this.ring, this.model, metric);
      this.residuals.set(metric, residuals);
    }
    return residuals;
  }
}

/**
 * The change of a metric, if it is great enough.
 * @param splitOf the number of the window in which the change began; below 0 for none
 */
export function candidateOf(
  metric: RegressionMetric,
  compared: Compared,
  splitOf: (metric: WindowMetric) => number,
): Candidate | undefined {
  const { ring, model } = compared;
  if (metric === 'latency') return latencyCandidate(compared, splitOf);
  const source = metric === 'tail_latency' ? 'over_p99' : metric;
  const split = splitOf(source);
  if (split < 0) return undefined;
  if (source === 'queries') {
    const found = compared.compareLevels(source, split);
    return found && candidateFrom(metric, 'queries', found, found.pValue, compared);
  }
  const shares = compareShares(ring, model, source, split);
  const { pValueFactor, minWindows } = SERIES.find((series) => series.source === source) as Series;
  if (shares === undefined || shares.windows < minWindows || shares.now * shares.count < MIN_EVENTS)
    return undefined;
  if (shares.now < MIN_RATIO * shares.before) return undefined;
  if (source === 'error_rate')
    return candidateFrom(metric, 'error_rate', shares, shares.pValue * pValueFactor, compared);
  const tail = compared.compareLevels('p99', split);
  if (tail === undefined || tail.pValue > TAIL_P_VALUE) return undefined;
  return candidateFrom(metric, 'p99', tail, shares.pValue * pValueFactor, compared);
}

/** The most significant change of a latency series, reported as a change of the median if that moved. */
function latencyCandidate(
  compared: Compared,
  splitOf: (metric: WindowMetric) => number,
): Candidate | undefined {
  let best: Comparison | undefined;
  let pValue = 1;
  let bestSource: WindowMetric = 'p50';
  for (const { source, pValueFactor, minWindows } of LATENCY_SERIES) {
    const split = splitOf(source);
    const found = split < 0 ? undefined : compared.compareLevels(source, split);
    if (found === undefined || found.windows < minWindows || found.pValue * pValueFactor >= pValue) continue;
    best = found;
    bestSource = source;
    pValue = found.pValue * pValueFactor;
  }
  if (best === undefined) return undefined;
  const median = compared.compareLevels('p50', best.split);
  if (median !== undefined && median.difference > best.difference / 2)
    return candidateFrom('latency', 'median', median, pValue, compared);
  if (bestSource === 'p90') return candidateFrom('latency', 'p90', best, pValue, compared);
  const mean = compared.compareLevels('mean', best.split);
  return mean && candidateFrom('latency', 'mean', mean, pValue, compared);
}

function candidateFrom(
  metric: RegressionMetric,
  statistic: Candidate['statistic'],
  found: Comparison,
  pValue: number,
  { ring, model, against, settings }: Compared,
): Candidate | undefined {
  const isLog = metric === 'latency' || metric === 'tail_latency';
  const reach = 1.96 * found.standardError;
  const scaled = (difference: number): number =>
    isLog ? Math.expm1(difference) : metric === 'queries' ? difference / found.before : difference;
  const before = isLog ? Math.exp(found.before) : found.before;
  const now = isLog ? Math.exp(found.before + found.difference) : found.before + found.difference;
  const change = scaled(found.difference);
  if (!isGreatEnough(metric, change, now - before, settings)) return undefined;
  const course = courseOf(ring, model, SOURCE_OF[statistic], found.split);
  return {
    metric,
    against,
    split: found.split,
    since: ring.startedAt(found.split),
    at: ring.endedAt(ring.end - 1),
    lastedMs: ring.middle(ring.end - 1) - ring.middle(found.split),
    before,
    now,
    change,
    interval: [scaled(found.difference - reach), scaled(found.difference + reach)],
    pValue,
    count: found.count,
    windows: found.windows,
    deviations: found.difference / lastingNoise(model, SOURCE_OF[statistic]),
    thirds: thirdsOf(found, course, metric),
    spread: course.spread,
    parts: changedParts(ring, model, found.split),
    statistic,
    queries: queriesSince(ring, model, found.split),
  };
}

/**
 * Each third, and the middle window if events are not rare, as a share of the mean over all of the time, without what is expected to last
 * anyway. Bursts that come back are in each third, but not in the middle window.
 */
function thirdsOf(
  { lasting, count, windows, now }: Comparison,
  { thirds, mean, median }: ChangeCourse,
  metric: RegressionMetric,
): number[] {
  const isRare = metric === 'error_rate' && (now * count) / windows < MIN_EVENTS_OF_WINDOW;
  const parts = isRare ? thirds : [...thirds, median];
  return parts.map((part) => (part - lasting) / (mean - lasting));
}

/** The standard deviation of the noise that the windows of some hours have in common; noise of single windows is left out. */
function lastingNoise(model: WindowModel, metric: WindowMetric): number {
  const independent = model.varianceOfMean(1, metric) / NOISE_WINDOWS;
  const common = model.varianceOfMean(NOISE_WINDOWS, metric) - independent;
  return model.spread(metric) * Math.sqrt(Math.max(MIN_NOISE, common));
}

function isGreatEnough(
  metric: RegressionMetric,
  change: number,
  difference: number,
  { minEffect, minEffectMs, minErrorDifference, minQueries }: RegressionSettings,
): boolean {
  if (metric === 'error_rate') return difference >= minErrorDifference;
  return change >= minEffect && difference >= (metric === 'queries' ? minQueries : minEffectMs);
}

/** The parts that grew, in the windows since `split` whose parts are still kept. */
function changedParts(ring: WindowRing, model: WindowModel, split: number): readonly ChangedPart[] {
  const before = model.parts;
  if (before === undefined) return [];
  const sums = new Array<number>(PARTS.length).fill(0);
  let count = 0;
  for (let at = Math.max(split, ring.first); at < ring.end; at++) {
    const window = ring.window(at);
    window.partsMs?.forEach((ms, part) => {
      (sums[part] as number) += ms * window.count;
    });
    if (window.partsMs !== undefined) count += window.count;
  }
  if (count === 0) return [];
  return PARTS.map((part, index) => ({
    part,
    beforeMs: before[index] as number,
    nowMs: (sums[index] as number) / count,
  }))
    .filter(({ beforeMs, nowMs }) => nowMs - beforeMs > 0.1 && nowMs > 1.05 * beforeMs)
    .sort((a, b) => b.nowMs - b.beforeMs - (a.nowMs - a.beforeMs));
}

function queriesSince(ring: WindowRing, model: WindowModel, split: number): readonly [number, number] {
  let [sum, count] = [0, 0];
  for (let at = Math.max(split, ring.first); at < ring.end; at++) {
    const queries = ring.value(at, 'queries');
    if (Number.isNaN(queries)) continue;
    sum += queries * ring.count(at);
    count += ring.count(at);
  }
  return [model.expectation('queries', 0), sum / count];
}
