import type { OperationWindow } from '../statistics/operation-window.js';
import { Compared, candidateOf, SERIES, SOURCE_OF } from './candidate-search.js';
import type { Candidate, RegressionMetric } from './regression.js';
import type { RegressionSettings } from './regression-settings.js';
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
/** The most evidence of a recovery that one window can give. */
const MAX_RECOVERY = 2;
/** The number of windows from whose mean it is learned how much longer than a window noise lasts. */
const LASTING_WINDOWS = 8;
const STARTS = SERIES.length;
const NONE: readonly Candidate[] = [];

/** Detects whether one operation got worse, by windows of one scale. Constant memory: 1.3 KB. */
export class ScaleDetector {
  readonly ring = new WindowRing();
  /** The cumulative sum of each series, then for each series the number of the window in which its sum left 0. */
  private readonly sums = new Float32Array(2 * SERIES.length);
  private learned = 0;
  /** The first window of the suspected and open changes. Nothing is learned from it on. */
  private heldFrom = Number.POSITIVE_INFINITY;

  constructor(private readonly settings: RegressionSettings) {}

  /**
   * Adds a window. Without an alarm, which is the common case, it takes some microseconds.
   * @param model the operation's baseline, or its model in the previous version
   * @param isFollowed whether a metric is already suspected or reported, and not searched again
   * @returns the changes for the worse
   */
  observe(
    window: OperationWindow,
    model: WindowModel,
    against: Candidate['against'],
    isFollowed: (metric: RegressionMetric) => boolean,
  ): readonly Candidate[] {
    if (window.count < this.settings.minCount) return NONE;
    this.ring.push(window);
    if (model.weight < this.settings.minModelWindows) return NONE;
    let alarmed: Set<RegressionMetric> | undefined;
    for (let series = 0; series < SERIES.length; series++) {
      const { source, metric } = SERIES[series] as (typeof SERIES)[number];
      if (!this.accumulate(series, source, model) || isFollowed(metric)) continue;
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

  /**
   * The evidence of the last window that the figures came back, as a logarithm of how much likelier they did; below 0 for
   * evidence against it. The noise is the greater of that of the regression itself and that of the model, and lasts as long
   * as the model's.
   */
  recovery({ statistic, before, now, spread }: Candidate, model: WindowModel): number {
    const { ring } = this;
    const last = ring.end - 1;
    const source = SOURCE_OF[statistic];
    const isLog = source !== 'error_rate' && source !== 'queries';
    const grown = isLog ? Math.log(now / before) : now - before;
    const middle = model.expectation(source, ring.middle(last)) + grown / 2;
    const noise = Math.max(spread, model.spreadAt(source, ring.count(last))) ** 2;
    const lasting = Math.max(1, LASTING_WINDOWS * model.varianceOfMean(LASTING_WINDOWS, source));
    const evidence = (grown * (middle - ring.value(last, source))) / (noise * lasting);
    return Number.isNaN(evidence) ? 0 : Math.max(-MAX_RECOVERY, Math.min(MAX_RECOVERY, evidence));
  }

  /** Learns nothing from windows that end after `at`, in milliseconds since 1970. */
  hold(at: number): void {
    this.heldFrom = at === Number.POSITIVE_INFINITY ? at : this.ring.numberAt(at);
  }

  /** The windows that were not learned because a change was suspected or open, as far as they are kept. */
  heldWindows(): OperationWindow[] {
    const { ring } = this;
    const windows: OperationWindow[] = [];
    for (let at = Math.max(this.learned, ring.first); at < ring.end; at++) windows.push(ring.window(at));
    return windows;
  }

  /** Resets all suspicion. The windows so far are not learned, and no change begins in them. */
  settle(): void {
    this.sums.fill(0);
    this.heldFrom = Number.POSITIVE_INFINITY;
    this.ring.clear();
    this.learned = this.ring.end;
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
