import type { OperationWindow } from '../statistics/operation-window.js';
import { Compared, candidateOf, SERIES } from './candidate-search.js';
import type { Candidate, RegressionMetric } from './regression.js';
import { type RegressionSettings, regressionSettings } from './regression-settings.js';
import { deviationOf } from './regression-test.js';
import type { WindowMetric } from './window-metric.js';
import type { WindowModel } from './window-model.js';
import { RING_WINDOWS, WindowRing } from './window-ring.js';

// The cumulative sum of standardised residuals (Page 1954).
/** Subtracted from each residual. */
const ALLOWANCE = 0.5;
/** A sum above it makes a change worth testing. */
const ALARM = 4;
const MAX_SUM = 25;
const MAX_DEVIATION = 4;
/** Windows are learned this many windows later, when a change that began in them has been noticed. */
const LEARNING_LAG = 6;
/** The most evidence of a recovery that one window can give: it takes three of them to end a regression. */
const MAX_RECOVERY = 2;
/** The metric that a candidate's statistic is computed from. */
const SOURCE_OF: Readonly<Record<Candidate['statistic'], WindowMetric>> = {
  median: 'p50',
  mean: 'mean',
  p90: 'p90',
  p99: 'p99',
  error_rate: 'error_rate',
  queries: 'queries',
};

const STARTS = SERIES.length;
const NONE: readonly Candidate[] = [];

/** Detects whether one operation got worse, window by window. Constant memory: 2.6 KB. */
export class RegressionDetector {
  readonly ring = new WindowRing();
  /** The cumulative sum of each series, then for each series the number of the window in which its sum left 0. */
  private readonly sums = new Float32Array(2 * SERIES.length);
  private learned = 0;
  /** The first window of the suspected and open changes. Nothing is learned from it on. */
  heldFrom = Number.POSITIVE_INFINITY;

  /** @param startedAt when the process started, in milliseconds since 1970 */
  constructor(
    private readonly startedAt = Number.NEGATIVE_INFINITY,
    private readonly settings: RegressionSettings = regressionSettings(),
  ) {}

  /**
   * Adds a window. Without an alarm, which is the common case, it takes some microseconds.
   * @param model the operation's baseline, or its model in the previous version
   * @param followed the metrics already suspected or reported, which are not searched again
   * @returns the changes for the worse
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
    let alarmed: Set<RegressionMetric> | undefined;
    for (let series = 0; series < SERIES.length; series++) {
      const { source, metric } = SERIES[series] as (typeof SERIES)[number];
      if (!this.accumulate(series, source, model) || followed?.has(metric) === true) continue;
      alarmed ??= new Set();
      alarmed.add(metric);
    }
    return alarmed === undefined ? NONE : this.candidates(alarmed, model, against);
  }

  /** The windows to learn now: those past the lag in which no change is suspected. */
  takeLearnable(model: WindowModel): OperationWindow[] {
    const { ring } = this;
    const lag = model.weight < this.settings.minModelWindows ? 0 : LEARNING_LAG;
    let until = Math.min(ring.end - lag, this.heldFrom);
    for (let series = 0; series < SERIES.length; series++) {
      if ((this.sums[series] as number) > ALARM)
        until = Math.min(until, this.sums[STARTS + series] as number);
    }
    // A window that leaves the ring without a verdict is learned, since a false alarm must not remove it from the model.
    until = Math.max(until, Math.min(ring.end - RING_WINDOWS + 1, this.heldFrom));
    const windows: OperationWindow[] = [];
    for (; this.learned < until; this.learned++)
      if (this.learned >= ring.first) windows.push(ring.window(this.learned));
    return windows;
  }

  /** Tests a candidate again with the windows since, and looks for a better start. @returns undefined if it is gone */
  review({ metric, against, split }: Candidate, model: WindowModel): Candidate | undefined {
    const compared = new Compared(this.ring, model, against, this.settings);
    const from = Math.max(split, this.ring.first);
    const fixed = candidateOf(metric, compared, () => from);
    const moved = candidateOf(metric, compared, (source) => compared.bestSplit(source));
    return moved !== undefined && moved.pValue < (fixed?.pValue ?? 1) ? moved : fixed;
  }

  /** The evidence of the last window that the figures came back, in standard deviations; below 0 for evidence against it. */
  recovery({ statistic, before, now }: Candidate, model: WindowModel): number {
    const { ring } = this;
    const last = ring.end - 1;
    const source = SOURCE_OF[statistic];
    const isLog = source !== 'error_rate' && source !== 'queries';
    const expected = model.expectation(source, ring.middle(last));
    const grown = isLog ? Math.log(now / before) : now - before;
    const spread = model.spreadAt(source, ring.count(last));
    const evidence = (expected + grown / 2 - ring.value(last, source)) / spread;
    return Number.isNaN(evidence) ? 0 : Math.max(-MAX_RECOVERY, Math.min(MAX_RECOVERY, evidence));
  }

  /** Resets all suspicion. The windows so far are not learned. */
  settle(): void {
    this.sums.fill(0);
    this.heldFrom = Number.POSITIVE_INFINITY;
    this.learned = this.ring.end;
  }

  private isFit({ startedAt, count }: OperationWindow): boolean {
    return startedAt >= this.startedAt + this.settings.coldStartMs && count >= this.settings.minCount;
  }

  private accumulate(series: number, source: WindowMetric, model: WindowModel): boolean {
    const { ring } = this;
    const last = ring.end - 1;
    const value = ring.value(last, source);
    const deviation = deviationOf(model, source, value, ring.middle(last), ring.count(last));
    if (Number.isNaN(deviation)) return false;
    const before = this.sums[series] as number;
    if (before === 0) this.sums[STARTS + series] = last;
    const sum = before + Math.min(MAX_DEVIATION, deviation) - ALLOWANCE;
    this.sums[series] = Math.max(0, Math.min(MAX_SUM, sum));
    return sum > ALARM;
  }

  private candidates(
    alarmed: ReadonlySet<RegressionMetric>,
    model: WindowModel,
    against: Candidate['against'],
  ): readonly Candidate[] {
    const compared = new Compared(this.ring, model, against, this.settings);
    const splitOf = (source: WindowMetric): number => compared.bestSplit(source);
    return [...alarmed].flatMap((metric) => candidateOf(metric, compared, splitOf) ?? []);
  }
}
