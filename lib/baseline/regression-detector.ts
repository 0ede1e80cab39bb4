import type { OperationWindow } from './operation-window.js';
import { PARTS } from './operation-window.js';
import type { ChangedPart, RegressionMetric } from './regression.js';
import type { Candidate } from './regression-candidate.js';
import { type RegressionSettings, regressionSettings } from './regression-settings.js';
import { bestSplit, type Comparison, compareLevels, compareShares, deviationOf } from './regression-test.js';
import type { WindowMetric } from './window-metric.js';
import type { WindowModel } from './window-model.js';
import { RING_WINDOWS, WindowRing } from './window-ring.js';

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
const STREAMS = [
  { of: 'mean_log', tells: 'latency', tests: 2, windows: 2 },
  { of: 'p50', tells: 'latency', tests: 4, windows: 4 },
  { of: 'mean', tells: 'latency', tests: 8, windows: 6 },
  { of: 'p90', tells: 'latency', tests: 8, windows: 6 },
  { of: 'over_p99', tells: 'tail_latency', tests: 5, windows: 3 },
  { of: 'error_rate', tells: 'error_rate', tests: 30, windows: 3 },
  { of: 'queries', tells: 'queries', tests: 1, windows: 2 },
] as const satisfies readonly Stream[];
const LATENCY_STREAMS = STREAMS.filter(({ tells }) => tells === 'latency').length;
/** Page's (1954) cumulative sum of standardised residuals: what is taken off each, the sum that is looked at, and the most. */
const ALLOWANCE = 0.5;
const ALARM = 4;
const MOST_SUM = 25;
const MOST_DEVIATION = 4;
/** Windows are learned so many windows later: by then a change that began in them has been noticed. */
const LAG = 6;
/** At least so many events are needed of what is counted. */
const MIN_EVENTS = 5;
/** By what factor the share over the p99 or the share of errors must grow. */
const MIN_RATIO = 1.5;
/** How probable by chance the rise of the p99 itself may be, beside that of the share over the normal one. */
const TAIL_P_VALUE = 1e-3;

/** What one window may say at the most about whether a regression is over: it takes three of them. */
const MOST_RECOVERY = 2;
/** The series that a candidate's figures are of. */
const SERIES: Readonly<Record<Candidate['of'], WindowMetric>> = {
  median: 'p50',
  mean: 'mean',
  p90: 'p90',
  p99: 'p99',
  error_rate: 'error_rate',
  queries: 'queries',
};

const NONE: readonly Candidate[] = [];

/** Whether one operation got worse, window by window. Constant memory: 2.6 KB. */
export class RegressionDetector {
  readonly ring = new WindowRing();
  /** The sum of each series, then the window in which it left 0: in one array, as each takes some 100 bytes for itself. */
  private readonly sums = new Float32Array(2 * STREAMS.length);
  private learned = 0;
  /** The first window of what is suspected or open: from it on nothing is learned. */
  heldFrom = Number.POSITIVE_INFINITY;

  /** @param startedAt when the process started */
  constructor(
    private readonly startedAt = Number.NEGATIVE_INFINITY,
    private readonly settings: RegressionSettings = regressionSettings(),
  ) {}

  /**
   * Takes a window and says what got worse; mostly nothing, which costs some microseconds.
   * @param model what the operation was like before: its own, or that of the last version
   * @param followed what is suspected or told already, and need not be found again
   */
  observe(
    window: OperationWindow,
    model: WindowModel,
    against: Candidate['against'] = 'baseline',
    followed?: { has(metric: RegressionMetric): boolean },
  ): readonly Candidate[] {
    if (!this.isFit(window)) return NONE;
    this.ring.push(window);
    if (model.weight < this.settings.minModelWindows) return NONE;
    let alarmed = 0;
    for (let stream = 0; stream < STREAMS.length; stream++) {
      const { tells } = STREAMS[stream] as (typeof STREAMS)[number];
      if (this.accumulate(stream, model) && followed?.has(tells) !== true) alarmed |= 1 << stream;
    }
    return alarmed === 0 ? NONE : this.candidates(alarmed, model, against);
  }

  /** What may be learned now: windows that are some windows old and in which nothing is suspected. */
  takeLearnable(model: WindowModel): OperationWindow[] {
    const { ring } = this;
    const lag = model.weight < this.settings.minModelWindows ? 0 : LAG;
    let until = Math.min(ring.end - lag, this.heldFrom);
    for (let stream = 0; stream < STREAMS.length; stream++) {
      if ((this.sums[stream] as number) > ALARM)
        until = Math.min(until, this.sums[STREAMS.length + stream] as number);
    }
    // What falls out of the ring without a verdict is learned: what is suspected in vain must not be missing.
    until = Math.max(until, Math.min(ring.end - RING_WINDOWS + 1, this.heldFrom));
    const windows: OperationWindow[] = [];
    for (; this.learned < until; this.learned++)
      if (this.learned >= ring.first) windows.push(ring.window(this.learned));
    return windows;
  }

  /** The same change with the windows that came since, its beginning told anew; nothing where there is no change. */
  review({ metric, against, split }: Candidate, model: WindowModel): Candidate | undefined {
    const from = Math.max(split, this.ring.first);
    const fixed = this.candidateOf(metric, model, against, () => from);
    const moved = this.candidateOf(metric, model, against, (stream) => bestSplit(this.ring, model, stream));
    return moved !== undefined && moved.pValue < (fixed?.pValue ?? 1) ? moved : fixed;
  }

  /** How much the last window speaks for that the figures came back, in standard deviations; below 0 for against it. */
  recovery({ of, before, now }: Candidate, model: WindowModel): number {
    const { ring } = this;
    const last = ring.end - 1;
    const stream = SERIES[of];
    const isLog = stream !== 'error_rate' && stream !== 'queries';
    const expected = model.expectation(stream, ring.middle(last));
    const grown = isLog ? Math.log(now / before) : now - before;
    const spread = model.spreadAt(stream, ring.count(last));
    const evidence = (expected + grown / 2 - ring.value(last, stream)) / spread;
    return Number.isNaN(evidence) ? 0 : Math.max(-MOST_RECOVERY, Math.min(MOST_RECOVERY, evidence));
  }

  /** Forgets what it suspects, and takes the last windows as they are. */
  settle(): void {
    this.sums.fill(0);
    this.heldFrom = Number.POSITIVE_INFINITY;
    this.learned = this.ring.end;
  }

  private isFit({ startedAt, count }: OperationWindow): boolean {
    return startedAt >= this.startedAt + this.settings.coldStartMs && count >= this.settings.minCount;
  }

  private accumulate(stream: number, model: WindowModel): boolean {
    const { ring } = this;
    const last = ring.end - 1;
    const metric = (STREAMS[stream] as (typeof STREAMS)[number]).of;
    const deviation = deviationOf(
      model,
      metric,
      ring.value(last, metric),
      ring.middle(last),
      ring.count(last),
    );
    if (Number.isNaN(deviation)) return false;
    const before = this.sums[stream] as number;
    if (before === 0) this.sums[STREAMS.length + stream] = last;
    const sum = before + Math.min(MOST_DEVIATION, deviation) - ALLOWANCE;
    this.sums[stream] = Math.max(0, Math.min(MOST_SUM, sum));
    return sum > ALARM;
  }

  private candidates(
    alarmed: number,
    model: WindowModel,
    against: Candidate['against'],
  ): readonly Candidate[] {
    const found: Candidate[] = [];
    const latency = alarmed & ((1 << LATENCY_STREAMS) - 1);
    const split = (metric: WindowMetric) => bestSplit(this.ring, model, metric);
    for (let stream = latency === 0 ? LATENCY_STREAMS : 0; stream < STREAMS.length; stream++) {
      if ((alarmed & (1 << stream)) === 0) continue;
      const { tells } = STREAMS[stream] as (typeof STREAMS)[number];
      if (found.some(({ metric }) => metric === tells)) continue;
      const candidate = this.candidateOf(tells, model, against, split);
      if (candidate !== undefined) found.push(candidate);
    }
    return found;
  }

  private candidateOf(
    metric: RegressionMetric,
    model: WindowModel,
    against: Candidate['against'],
    splitOf: (metric: WindowMetric) => number,
  ): Candidate | undefined {
    if (metric === 'latency') return this.latency(model, against, splitOf);
    const stream = metric === 'tail_latency' ? 'over_p99' : metric;
    const split = splitOf(stream);
    if (split < 0) return undefined;
    if (stream === 'queries') {
      const found = compareLevels(this.ring, model, stream, split);
      return found && this.candidate(metric, 'queries', found, found.pValue, against, model);
    }
    const shares = compareShares(this.ring, model, stream, split);
    const { tests, windows } = STREAMS.find(({ of }) => of === stream) as Stream;
    if (shares === undefined || shares.windows < windows || shares.now * shares.count < MIN_EVENTS)
      return undefined;
    if (shares.now < MIN_RATIO * shares.before) return undefined;
    if (stream === 'error_rate')
      return this.candidate(metric, 'error_rate', shares, shares.pValue * tests, against, model);
    const tail = compareLevels(this.ring, model, 'p99', split);
    if (tail === undefined || tail.pValue > TAIL_P_VALUE) return undefined;
    return this.candidate(metric, 'p99', tail, shares.pValue * tests, against, model);
  }

  /** Of the series of latencies the one that is surest, corrected for their number; told as the median where it moved. */
  private latency(
    model: WindowModel,
    against: Candidate['against'],
    splitOf: (metric: WindowMetric) => number,
  ): Candidate | undefined {
    let best: Comparison | undefined;
    let pValue = 1;
    let series: WindowMetric = 'p50';
    for (let stream = 0; stream < LATENCY_STREAMS; stream++) {
      const { of, tests, windows } = STREAMS[stream] as Stream;
      const split = splitOf(of);
      const found = split < 0 ? undefined : compareLevels(this.ring, model, of, split);
      if (found === undefined || found.windows < windows || found.pValue * tests >= pValue) continue;
      best = found;
      series = of;
      pValue = found.pValue * tests;
    }
    if (best === undefined) return undefined;
    const median = compareLevels(this.ring, model, 'p50', best.split);
    if (median !== undefined && median.difference > best.difference / 2)
      return this.candidate('latency', 'median', median, pValue, against, model);
    const mean = series === 'p90' ? best : compareLevels(this.ring, model, 'mean', best.split);
    return mean && this.candidate('latency', series === 'p90' ? 'p90' : 'mean', mean, pValue, against, model);
  }

  private candidate(
    metric: RegressionMetric,
    of: Candidate['of'],
    found: Comparison,
    pValue: number,
    against: Candidate['against'],
    model: WindowModel,
  ): Candidate | undefined {
    const isLog = metric === 'latency' || metric === 'tail_latency';
    const reach = 1.96 * found.standardError;
    const scaled = (difference: number): number =>
      isLog ? Math.expm1(difference) : metric === 'queries' ? difference / found.before : difference;
    const before = isLog ? Math.exp(found.before) : found.before;
    const now = isLog ? Math.exp(found.before + found.difference) : found.before + found.difference;
    const change = scaled(found.difference);
    if (!this.isGreat(metric, change, now - before)) return undefined;
    const { ring } = this;
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
      parts: this.changedParts(model, found.split),
      of,
      queries: this.queriesSince(model, found.split),
    };
  }

  private isGreat(metric: RegressionMetric, change: number, difference: number): boolean {
    const { minEffect, minEffectMs, minErrorDifference, minQueries } = this.settings;
    if (metric === 'error_rate') return difference >= minErrorDifference;
    return change >= minEffect && difference >= (metric === 'queries' ? minQueries : minEffectMs);
  }

  /** The parts that grew, of the windows since `split` whose parts are still there. */
  private changedParts(model: WindowModel, split: number): readonly ChangedPart[] {
    const before = model.parts;
    if (before === undefined) return [];
    const sums = new Array<number>(PARTS.length).fill(0);
    let count = 0;
    for (let at = Math.max(split, this.ring.first); at < this.ring.end; at++) {
      const window = this.ring.window(at);
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

  private queriesSince(model: WindowModel, split: number): readonly [number, number] {
    let [sum, count] = [0, 0];
    for (let at = Math.max(split, this.ring.first); at < this.ring.end; at++) {
      const queries = this.ring.value(at, 'queries');
      if (Number.isNaN(queries)) continue;
      sum += queries * this.ring.count(at);
      count += this.ring.count(at);
    }
    return [model.expectation('queries', 0), sum / count];
  }
}
