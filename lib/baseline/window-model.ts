import { bytesToFloats, floatsToBytes } from '../bytes/float-bytes.js';
import { joinFloats, splitFloats } from '../bytes/joined-floats.js';
import type { OperationWindow } from '../statistics/operation-window.js';
import { BlockVariances } from './block-variances.js';
import { MetricMoments } from './metric-moments.js';
import { PartMeans } from './part-means.js';
import { TailResponse } from './tail-response.js';
import { METRIC_INDEX, metricsOf, type WindowMetric } from './window-metric.js';
import { WindowSeason } from './window-season.js';

/** The first byte of a stored model. Format 2 had no coarse windows. Models of other formats are rejected. */
const FORMAT = 3;
const FORMAT_WITHOUT_COARSE = 2;
/** The lower bound of a spread: quantised values may not differ at all. */
const MIN_SPREAD = 0.03;
/** Residuals are learned from once the model has this many windows. */
const MIN_WINDOWS_FOR_RESIDUALS = 20;
/** Standardised residuals are capped where their duration is learned, so that one outlier does not decide. */
const MAX_DEVIATION = 4;
/** Metrics that are logarithms of latencies, apart from `mean_log`. */
const LATENCIES: ReadonlySet<WindowMetric> = new Set(['mean', 'p50', 'p90', 'p99']);
/** Windows further apart than this are not neighbours: in minutes, and in lengths of the window. */
const MAX_NEIGHBOUR_MINUTES = 45;
const MAX_NEIGHBOUR_LENGTHS = 2;
const MINUTE_MS = 60_000;

/**
 * The expected windows of an operation: for each metric its mean, its spread between windows and its daily season. It
 * consists of weighted moments, so models of several instances and runs can be merged in any order, and decayed.
 */
export class WindowModel {
  private readonly season: WindowSeason;
  private readonly moments = new MetricMoments();
  private readonly partMeans = new PartMeans();
  /** The mean of 1 / count: how uncertain the average window is. */
  private readonly inverseCountMean = new Float32Array(1);
  private readonly tail = new TailResponse();
  private readonly blocks = new BlockVariances();
  /** The middle of the last window, in minutes since 1970: precise enough to recognise neighbours. */
  private readonly lastMinute = new Float32Array(1);
  private coarseModel: WindowModel | undefined;
  /** What {@link coarse} is unpacked from once it is needed, which most windows do not. */
  private packedCoarse: Float32Array | undefined;

  constructor(private readonly isCoarse = false) {
    this.season = new WindowSeason(isCoarse);
  }

  /** The model of coarse windows, see `WindowMerger`; absent in that model itself, which has neither parts nor a tail. */
  get coarse(): WindowModel | undefined {
    if (this.isCoarse) return undefined;
    if (this.coarseModel === undefined) {
      this.coarseModel = new WindowModel(true);
      if (this.packedCoarse !== undefined) splitFloats(this.packedCoarse, this.coarseModel.state);
      this.packedCoarse = undefined;
    }
    return this.coarseModel;
  }

  /** The model of the windows of a scale. */
  of(scale: 'fine' | 'coarse'): WindowModel {
    return scale === 'coarse' ? (this.coarse ?? this) : this;
  }

  /** Whether there has been any coarse window. */
  private get hasCoarse(): boolean {
    return this.packedCoarse !== undefined || (this.coarseModel !== undefined && this.coarseModel.weight > 0);
  }

  /** The number of windows, older ones weighted less. */
  get weight(): number {
    return this.moments.weight('mean_log');
  }

  /** @param weight 0 to 1: less for a window that was closed with few operations */
  add(window: OperationWindow, weight = 1): void {
    if (!(window.count > 0 && weight > 0)) return;
    const values = metricsOf(window);
    const at = middleOf(window);
    this.learnResidual(values, window, weight);
    this.addInverseCount(1 / window.count, weight);
    this.moments.add(values, weight);
    this.season.add(values, at, weight);
    if (!this.isCoarse && window.partsMs !== undefined) this.partMeans.add(window.partsMs, weight);
  }

  /** Reduces the weight of everything learned, by a factor of 0 to 1. */
  decay(factor: number): void {
    for (const component of [this.season, this.moments, this.partMeans, this.tail, this.blocks])
      component.decay(factor);
    if (this.hasCoarse) this.coarse?.decay(factor);
  }

  /** Adds what `other` has learned. */
  merge(other: WindowModel): void {
    this.addInverseCount(other.inverseCountMean[0] as number, other.weight);
    this.season.merge(other.season);
    this.moments.merge(other.moments);
    this.partMeans.merge(other.partMeans);
    this.tail.merge(other.tail);
    this.blocks.merge(other.blocks);
    if (other.hasCoarse) this.coarse?.merge(other.coarse as WindowModel);
  }

  /** The expected value of a metric in a window around `at`; NaN if nothing is known. */
  expectation(metric: WindowMetric, at: number): number {
    if (!(this.moments.weight(metric) > 0)) return Number.NaN;
    return this.moments.mean(metric) + this.season.shift(metric, at);
  }

  /** The number of windows in which the metric is known, older ones weighted less. */
  weightOf(metric: WindowMetric): number {
    return this.moments.weight(metric);
  }

  /**
   * The standard deviation between windows around the expectation, without the season. At least 3 %: for the logarithm of a
   * latency 0.03, for `queries` 3 % of their mean, for a share its binomial standard deviation.
   */
  spread(metric: WindowMetric): number {
    const weight = this.moments.weight(metric);
    const mean = this.moments.mean(metric);
    const minimum = this.minSpread(metric, mean);
    if (!(weight > 1)) return Number.isNaN(mean) ? Number.NaN : minimum;
    const total = this.moments.variance(metric);
    const { variance, hours } = this.season.explained(metric);
    // The mean of an hour takes one degree of freedom. Neighbours depend on each other, so it takes about two windows.
    const degrees = Math.max(weight - 2 * hours, weight / 4);
    const unexplained = Math.max(total - variance, total / 10) * (weight / degrees);
    return Math.max(Math.sqrt(Math.min(unexplained, total)), minimum);
  }

  /** The spread of a window of `count` operations: the fewer, the greater. */
  spreadAt(metric: WindowMetric, count: number): number {
    return this.spread(metric) * this.spreadFactor(count);
  }

  /** The factor by which windows of `count` operations vary more than the average window: 1 or more. */
  spreadFactor(count: number): number {
    return Math.sqrt(Math.max(1, 1 / (count * this.inverseCount)));
  }

  /**
   * The factor by which the variance of a share between windows exceeds its binomial variance: 1 or more. Without the part
   * of `over_p99` that the level of the latencies explains, see {@link tailFactor}.
   */
  dispersion(metric: 'over_p99' | 'error_rate'): number {
    const variance = this.spread(metric) ** 2;
    const explained =
      metric === 'over_p99' ? this.tail.explainedVariance(this.moments.weight('over_p99')) : 0;
    const binomial = this.minSpread(metric, this.moments.mean(metric)) ** 2;
    return Math.max(1, (variance - Math.min(explained, variance / 2)) / binomial);
  }

  /** The factor by which more operations exceed the p99 if the mean logarithm is `level` above its expectation. */
  tailFactor(level: number): number {
    return this.tail.factor(this.moments.mean('over_p99'), level);
  }

  /**
   * The variance of the mean of neighbouring windows around their expectation, as a share of the variance of one window: part
   * of their noise lasts, and the expectation is not exact. Learned from `mean_log`. Lasting noise lengthens all latencies
   * by the same factor, so it is a greater part of a metric with a smaller spread, such as the median of two modes.
   */
  varianceOfMean(windows: number, metric: WindowMetric = 'mean_log'): number {
    const share = this.blocks.varianceOfMean(windows);
    if (!LATENCIES.has(metric)) return share;
    const independent = this.blocks.varianceOfMean(1) / windows;
    const ratio = (this.spread('mean_log') / this.spread(metric)) ** 2;
    return Math.max(share, Math.min(1, independent + Math.max(0, share - independent) * ratio));
  }

  /** The certainty of {@link varianceOfMean}, in degrees of freedom. */
  degreesOfMean(windows: number): number {
    return this.blocks.degrees(windows);
  }

  /** How unknown the season still is in the hour of `at`: 1 (unknown) to 0. */
  unknownSeason(at: number, metric: WindowMetric = 'mean_log'): number {
    return this.season.unknown(metric, at);
  }

  /** Mean milliseconds per operation in the order of `PARTS`; undefined if unknown. */
  get parts(): readonly number[] | undefined {
    return this.partMeans.means;
  }

  /** The complete state in one array, which takes a third of the memory. */
  pack(): Float32Array {
    const { state, packedCoarse } = this;
    const arrays = [...state, ...(packedCoarse === undefined ? [] : [packedCoarse])];
    if (packedCoarse === undefined && this.hasCoarse) arrays.push(...(this.coarse as WindowModel).state);
    return joinFloats(arrays);
  }

  /** @param packed the result of {@link pack} */
  static unpack(packed: Float32Array): WindowModel {
    const model = new WindowModel();
    const at = splitFloats(packed, model.state);
    // Without any coarse window, their model is left out.
    if (at < packed.length) model.packedCoarse = packed.subarray(at);
    return model;
  }

  /** The format, then floats: a constant number of bytes. */
  toBytes(): Uint8Array {
    return floatsToBytes(FORMAT, [...this.stored, ...(this.coarse?.stored ?? [])]);
  }

  /** @throws RangeError for bytes that {@link toBytes} did not write */
  static fromBytes(bytes: Uint8Array): WindowModel {
    const model = new WindowModel();
    if (bytes[0] === FORMAT_WITHOUT_COARSE)
      bytesToFloats(bytes, FORMAT_WITHOUT_COARSE, model.stored, 'model');
    else bytesToFloats(bytes, FORMAT, [...model.stored, ...(model.coarse?.stored ?? [])], 'model');
    model.check();
    model.coarse?.check();
    return model;
  }

  private get stored(): readonly Float32Array[] {
    const { season, moments, partMeans, inverseCountMean, tail, blocks } = this;
    const common = [season.numbers, moments.numbers];
    return this.isCoarse
      ? [...common, inverseCountMean, blocks.numbers]
      : [...common, partMeans.numbers, inverseCountMean, tail.numbers, blocks.numbers];
  }

  private get state(): readonly Float32Array[] {
    return [...this.stored, this.blocks.halves, this.lastMinute];
  }

  private get inverseCount(): number {
    return (this.inverseCountMean[0] as number) || 1;
  }

  private addInverseCount(value: number, weight: number): void {
    const mean = this.inverseCountMean[0] as number;
    const total = this.weight + weight;
    if (total > 0) this.inverseCountMean[0] = mean + ((value - mean) * weight) / total;
  }

  private minSpread(metric: WindowMetric, mean: number): number {
    if (metric === 'queries') return MIN_SPREAD * Math.max(1, Math.abs(mean));
    if (metric !== 'over_p99' && metric !== 'error_rate') return MIN_SPREAD;
    const share = Math.min(0.5, Math.max(mean, 0.001));
    return Math.sqrt(share * (1 - share) * this.inverseCount);
  }

  private learnResidual(values: readonly number[], window: OperationWindow, weight: number): void {
    if (this.weight < MIN_WINDOWS_FOR_RESIDUALS) return;
    const { count, startedAt, endedAt } = window;
    const at = middleOf(window);
    const residual = (metric: WindowMetric): number =>
      (values[METRIC_INDEX[metric]] as number) - this.expectation(metric, at);
    const spread = this.spreadAt('mean_log', count);
    const deviation = Math.max(-MAX_DEVIATION, Math.min(MAX_DEVIATION, residual('mean_log') / spread));
    const minute = Math.round(at / MINUTE_MS);
    const maxMinutes = Math.max(
      MAX_NEIGHBOUR_MINUTES,
      (MAX_NEIGHBOUR_LENGTHS * (endedAt - startedAt)) / MINUTE_MS,
    );
    if (minute - (this.lastMinute[0] as number) > maxMinutes) this.blocks.interrupt();
    // In an hour that is not known yet, a window deviates because of the season, which is not noise.
    this.blocks.add(deviation, weight * (1 - this.season.unknown('mean_log', at)) ** 2);
    this.lastMinute[0] = minute;
    const tail = residual('over_p99');
    if (!Number.isNaN(tail)) this.tail.add(deviation * spread, tail, weight);
  }

  private check(): void {
    const nonNegative = [
      ...this.season.weights,
      ...this.moments.nonNegative,
      this.partMeans.weight,
      this.inverseCountMean[0] as number,
      this.tail.squares,
      ...this.blocks.numbers,
    ];
    const negative = nonNegative.find((number) => number < 0);
    if (negative !== undefined)
      throw new RangeError(`Invalid model: received a weight of ${negative}, expected 0 or more`);
  }
}

/** The middle of a window, in milliseconds since 1970. */
export function middleOf({ startedAt, endedAt }: OperationWindow): number {
  return (startedAt + endedAt) / 2;
}
