import { PARTS } from '../statistics/operation-window.js';
import type { ChangedPart, RegressionMetric } from './regression.js';
import type { Candidate } from './regression-candidate.js';
import type { RegressionSettings } from './regression-settings.js';
import { type Comparison, compareLevels, compareShares } from './regression-test.js';
import type { WindowMetric } from './window-metric.js';
import type { WindowModel } from './window-model.js';
import type { WindowRing } from './window-ring.js';

/** A series that is watched. */
interface Stream {
  readonly of: WindowMetric;
  readonly tells: RegressionMetric;
  /**
   * What its p-values are multiplied by, as the series of one metric are tested together: the surest has the least. Errors
   * come in bunches, of which a test of shares knows too little.
   */
  readonly tests: number;
  /** Windows that a change must have lasted: outliers make more of those whose distribution is less like the normal one. */
  readonly windows: number;
}

/** The series that are watched, and what they tell. */
export const STREAMS = [
  { of: 'mean_log', tells: 'latency', tests: 2, windows: 2 },
  { of: 'p50', tells: 'latency', tests: 4, windows: 4 },
  { of: 'mean', tells: 'latency', tests: 8, windows: 6 },
  { of: 'p90', tells: 'latency', tests: 8, windows: 6 },
  { of: 'over_p99', tells: 'tail_latency', tests: 5, windows: 3 },
  { of: 'error_rate', tells: 'error_rate', tests: 30, windows: 3 },
  { of: 'queries', tells: 'queries', tests: 1, windows: 2 },
] as const satisfies readonly Stream[];
export const LATENCY_STREAMS = STREAMS.filter(({ tells }) => tells === 'latency').length;
/** At least so many events are needed of what is counted. */
const MIN_EVENTS = 5;
/** By what factor the share over the p99 or the share of errors must grow. */
const MIN_RATIO = 1.5;
/** How probable by chance the rise of the p99 itself may be, beside that of the share over the normal one. */
const TAIL_P_VALUE = 1e-3;

/** The windows of an operation, and what they are compared with. */
export interface Compared {
  readonly ring: WindowRing;
  readonly model: WindowModel;
  readonly against: Candidate['against'];
  readonly settings: RegressionSettings;
}

/** The change of a metric, where there is one that is great enough. @param splitOf the window in which it began; below 0 for none */
export function candidateOf(
  metric: RegressionMetric,
  compared: Compared,
  splitOf: (metric: WindowMetric) => number,
): Candidate | undefined {
  const { ring, model } = compared;
  if (metric === 'latency') return latencyCandidate(compared, splitOf);
  const stream = metric === 'tail_latency' ? 'over_p99' : metric;
  const split = splitOf(stream);
  if (split < 0) return undefined;
  if (stream === 'queries') {
    const found = compareLevels(ring, model, stream, split);
    return found && candidateFrom(metric, 'queries', found, found.pValue, compared);
  }
  const shares = compareShares(ring, model, stream, split);
  const { tests, windows } = STREAMS.find(({ of }) => of === stream) as Stream;
  if (shares === undefined || shares.windows < windows || shares.now * shares.count < MIN_EVENTS)
    return undefined;
  if (shares.now < MIN_RATIO * shares.before) return undefined;
  if (stream === 'error_rate')
    return candidateFrom(metric, 'error_rate', shares, shares.pValue * tests, compared);
  const tail = compareLevels(ring, model, 'p99', split);
  if (tail === undefined || tail.pValue > TAIL_P_VALUE) return undefined;
  return candidateFrom(metric, 'p99', tail, shares.pValue * tests, compared);
}

/** Of the series of latencies the one that is surest, corrected for their number; told as the median where it moved. */
function latencyCandidate(
  compared: Compared,
  splitOf: (metric: WindowMetric) => number,
): Candidate | undefined {
  const { ring, model } = compared;
  let best: Comparison | undefined;
  let pValue = 1;
  let series: WindowMetric = 'p50';
  for (let stream = 0; stream < LATENCY_STREAMS; stream++) {
    const { of, tests, windows } = STREAMS[stream] as Stream;
    const split = splitOf(of);
    const found = split < 0 ? undefined : compareLevels(ring, model, of, split);
    if (found === undefined || found.windows < windows || found.pValue * tests >= pValue) continue;
    best = found;
    series = of;
    pValue = found.pValue * tests;
  }
  if (best === undefined) return undefined;
  const median = compareLevels(ring, model, 'p50', best.split);
  if (median !== undefined && median.difference > best.difference / 2)
    return candidateFrom('latency', 'median', median, pValue, compared);
  const mean = series === 'p90' ? best : compareLevels(ring, model, 'mean', best.split);
  return mean && candidateFrom('latency', series === 'p90' ? 'p90' : 'mean', mean, pValue, compared);
}

function candidateFrom(
  metric: RegressionMetric,
  of: Candidate['of'],
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
  if (!isGreat(metric, change, now - before, settings)) return undefined;
  return {
    metric,
    against,
    split: found.split,
    since: ring.startedAt(found.split),
    at: ring.endedAt(ring.end - 1),
    before,
    now,
    change,
    interval: [scaled(found.difference - reach), scaled(found.difference + reach)],
    pValue,
    count: found.count,
    windows: found.windows,
    parts: changedParts(ring, model, found.split),
    of,
    queries: queriesSince(ring, model, found.split),
  };
}

function isGreat(
  metric: RegressionMetric,
  change: number,
  difference: number,
  { minEffect, minEffectMs, minErrorDifference, minQueries }: RegressionSettings,
): boolean {
  if (metric === 'error_rate') return difference >= minErrorDifference;
  return change >= minEffect && difference >= (metric === 'queries' ? minQueries : minEffectMs);
}

/** The parts that grew, of the windows since `split` whose parts are still there. */
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
