import { bytesToFloats, floatsToBytes } from '../bytes/float-bytes.js';
import { addValue, decayMoments, MOMENTS, mergeMoments } from '../inference/moments.js';
import { type OperationWindow, PARTS } from '../statistics/operation-window.js';
import { BLOCK_NUMBERS, BlockVariances } from './block-variances.js';
import { METRIC_INDEX, metricsOf, WINDOW_METRICS, type WindowMetric } from './window-metric.js';
import { SEASON_NUMBERS, WindowSeason } from './window-season.js';

/** The first byte; others are not read. */
const FORMAT = 2;
/** Scales below it are taken for it: quantised values may have none at all. */
export const LEAST_SCALE = 0.03;
const REST = PARTS.length + 4;
const NUMBERS = SEASON_NUMBERS + WINDOW_METRICS.length * MOMENTS + REST + BLOCK_NUMBERS;
// Where in `rest` what lies behind the parts is.
const PARTS_WEIGHT = PARTS.length;
const INVERSE_COUNT = PARTS_WEIGHT + 1;
const TAIL_BY_LEVEL = PARTS_WEIGHT + 2;
const LEVEL_SQUARES = PARTS_WEIGHT + 3;
/** Sums: what is merged by adding. */
const SUMS = [TAIL_BY_LEVEL, LEVEL_SQUARES];
/** How `over_p99` goes with the level, before that is learned: of a log-normal latency with a sigma of a half. */
const USUAL_TAIL_BY_LEVEL = 0.04;
const USUAL_TAIL_PAIRS = 20;
const MOST_STEEPNESS = 10;
/** Windows from which on residuals are learned from. */
const LEARNED_WINDOWS = 20;
/** Standardised residuals are cut off here where it is learned how they last: one outlier must not decide. */
const MOST_DEVIATION = 4;
/** Metrics that are logarithms of latencies, beside `mean_log`. */
const LATENCIES: ReadonlySet<WindowMetric> = new Set(['mean', 'p50', 'p90', 'p99']);
/** Windows further apart than that are no neighbours. */
const NEIGHBOUR_MINUTES = 45;
const MINUTE_MS = 60_000;

const scratch = new Float64Array(WINDOW_METRICS.length);

/**
 * What the windows of an operation are normally like: for each metric its mean, how much windows differ, and its season.
 * All of it are moments, so models of several instances and of several runs can be added, in any order, and made old.
 */
export class WindowModel {
  private readonly season = new WindowSeason();
  private readonly moments = new Float32Array(WINDOW_METRICS.length * MOMENTS);
  /**
   * The mean of each part, its weight; the mean of 1 / count; and how `over_p99` goes with `mean_log`: the sum of the
   * products of their residuals, and that of the squares of the latter.
   */
  private readonly rest = new Float32Array(REST);
  private readonly blocks = new BlockVariances();
  /** Of the last window, in minutes since 1970: exact enough to tell neighbours. */
  private lastMinute = 0;

  /** The windows in it, the older ones counted less. */
  get weight(): number {
    return this.moments[METRIC_INDEX.mean_log * MOMENTS] as number;
  }

  /** @param weight 0 to 1: less for a window that was closed with few operations */
  add(window: OperationWindow, weight = 1): void {
    if (!(window.count > 0 && weight > 0)) return;
    metricsOf(window, scratch);
    const at = middleOf(window);
    this.learnResidual(window, at, weight);
    const { rest } = this;
    (rest[INVERSE_COUNT] as number) +=
      ((1 / window.count - (rest[INVERSE_COUNT] as number)) * weight) / (this.weight + weight);
    for (let metric = 0; metric < WINDOW_METRICS.length; metric++) {
      const value = scratch[metric] as number;
      if (!Number.isNaN(value)) addValue(this.moments, metric * MOMENTS, value, weight);
    }
    this.season.add(scratch, at, weight);
    if (window.partsMs !== undefined) this.addParts(window.partsMs, weight);
  }

  /** Lets all that was learned count less: by a factor of 0 to 1. */
  decay(factor: number): void {
    for (let at = 0; at < this.moments.length; at += MOMENTS) decayMoments(this.moments, at, factor);
    this.season.decay(factor);
    for (const index of [PARTS_WEIGHT, ...SUMS]) (this.rest[index] as number) *= factor;
    this.blocks.decay(factor);
  }

  /** Adds what another one has, which stays as it is. */
  merge(other: WindowModel): void {
    const { rest } = this;
    const total = this.weight + other.weight;
    if (total > 0)
      (rest[INVERSE_COUNT] as number) +=
        (((other.rest[INVERSE_COUNT] as number) - (rest[INVERSE_COUNT] as number)) * other.weight) / total;
    for (let at = 0; at < this.moments.length; at += MOMENTS) mergeMoments(this.moments, other.moments, at);
    this.season.merge(other.season);
    this.addParts(other.rest, other.rest[PARTS_WEIGHT] as number);
    for (const index of SUMS) (rest[index] as number) += other.rest[index] as number;
    this.blocks.merge(other.blocks);
  }

  /** What the metric is expected to be in a window around `at`; NaN where nothing is known. */
  expectation(metric: WindowMetric, at: number): number {
    const index = METRIC_INDEX[metric] * MOMENTS;
    if (!((this.moments[index] as number) > 0)) return Number.NaN;
    return (this.moments[index + 1] as number) + this.season.shift(metric, at);
  }

  /** How many windows the metric is known of, the older ones counted less. */
  weightOf(metric: WindowMetric): number {
    return this.moments[METRIC_INDEX[metric] * MOMENTS] as number;
  }

  /**
   * The standard deviation between windows around what is expected, without the season. Never below 3 %: of a latency's
   * logarithm 0.03, of `queries` 3 % of their mean, of a share what chance makes of it.
   */
  spread(metric: WindowMetric): number {
    const index = METRIC_INDEX[metric] * MOMENTS;
    const weight = this.moments[index] as number;
    const mean = this.moments[index + 1] as number;
    const floor = this.floorOf(metric, mean);
    if (!(weight > 1)) return Number.isNaN(mean) ? Number.NaN : floor;
    const whole = (this.moments[index + 2] as number) / weight;
    const { variance, hours } = this.season.explained(metric);
    // An hour's mean takes a degree of freedom; neighbours depend on one another, so it takes about two windows.
    const left = Math.max(whole - variance, whole / 10) * (weight / Math.max(weight - 2 * hours, weight / 4));
    return Math.max(Math.sqrt(Math.min(left, whole)), floor);
  }

  /** The spread of a window of so many operations: the fewer there are, the greater it is. */
  spreadAt(metric: WindowMetric, count: number): number {
    return this.spread(metric) * this.spreadFactor(count);
  }

  /** By what factor windows of so many operations differ more than the average one: 1 or more. */
  spreadFactor(count: number): number {
    return Math.sqrt(Math.max(1, 1 / (count * this.inverseCount)));
  }

  /**
   * By how much the variance of a share between windows is greater than chance alone makes it: 1 or more. Of `over_p99`
   * without what goes with the level of the latencies, see {@link tailFactor}.
   */
  dispersion(metric: 'over_p99' | 'error_rate'): number {
    const mean = this.moments[METRIC_INDEX[metric] * MOMENTS + 1] as number;
    const spread = this.spread(metric) ** 2;
    const squares = (this.rest[LEVEL_SQUARES] as number) / this.weightOf('over_p99');
    const explained = metric === 'over_p99' && squares > 0 ? this.tailByLevel ** 2 * squares : 0;
    return Math.max(1, (spread - Math.min(explained, spread / 2)) / this.floorOf(metric, mean) ** 2);
  }

  /** By what factor more are over the p99 where the mean logarithm is so much above what is expected. */
  tailFactor(level: number): number {
    const share = Math.max(0.001, this.moments[METRIC_INDEX.over_p99 * MOMENTS + 1] as number);
    const steepness = Math.max(0, Math.min(MOST_STEEPNESS, this.tailByLevel / share));
    return Math.exp(Math.max(-0.3, steepness * level));
  }

  /**
   * The variance of the mean of neighbouring windows around what is expected of them, as a share of what one window has:
   * a part of their noise lasts, and what is expected is not exact. It is learned of `mean_log`: what lasts makes all
   * latencies longer by the same factor, and so is a greater part of what differs less, as the median of two modes.
   */
  varianceOfMean(windows: number, metric: WindowMetric = 'mean_log'): number {
    const share = this.blocks.varianceOfMean(windows);
    if (!LATENCIES.has(metric)) return share;
    const apart = this.blocks.varianceOfMean(1) / windows;
    const ratio = (this.spread('mean_log') / this.spread(metric)) ** 2;
    return Math.max(share, Math.min(1, apart + Math.max(0, share - apart) * ratio));
  }

  /** How certain that variance is, in degrees of freedom. */
  degreesOfMean(windows: number): number {
    return this.blocks.degrees(windows);
  }

  /** The share of what the hour of `at` may differ by that is not known yet: 1 to 0. */
  unknownSeason(at: number, metric: WindowMetric = 'mean_log'): number {
    return this.season.unknown(metric, at);
  }

  /** Mean milliseconds per operation in the order of {@link PARTS}; nothing where they are not known. */
  get parts(): readonly number[] | undefined {
    return (this.rest[PARTS_WEIGHT] as number) > 0
      ? Array.from(this.rest.subarray(0, PARTS.length))
      : undefined;
  }

  /** All that it is, in one array: it takes a third of the memory. */
  pack(): Float32Array {
    const packed = new Float32Array(NUMBERS + this.blocks.halves.length + 1);
    let at = 0;
    for (const numbers of [...this.stored, this.blocks.halves]) {
      packed.set(numbers, at);
      at += numbers.length;
    }
    packed[at] = this.lastMinute;
    return packed;
  }

  /** @param packed what {@link pack} made */
  static unpack(packed: Float32Array): WindowModel {
    const model = new WindowModel();
    let at = 0;
    for (const numbers of [...model.stored, model.blocks.halves]) {
      for (let index = 0; index < numbers.length; index++) numbers[index] = packed[at++] as number;
    }
    model.lastMinute = packed[at] as number;
    return model;
  }

  /** The version, then numbers of four bytes: always as many. */
  toBytes(): Uint8Array {
    return floatsToBytes(FORMAT, this.stored);
  }

  /** @throws RangeError for bytes that {@link toBytes} did not write */
  static fromBytes(bytes: Uint8Array): WindowModel {
    const model = new WindowModel();
    bytesToFloats(bytes, FORMAT, model.stored, 'model');
    model.check();
    return model;
  }

  private get stored(): readonly Float32Array[] {
    return [this.season.numbers, this.moments, this.rest, this.blocks.numbers];
  }

  private get tailByLevel(): number {
    const usual = USUAL_TAIL_PAIRS * 0.01;
    return (
      ((this.rest[TAIL_BY_LEVEL] as number) + USUAL_TAIL_BY_LEVEL * usual) /
      ((this.rest[LEVEL_SQUARES] as number) + usual)
    );
  }

  private get inverseCount(): number {
    return (this.rest[INVERSE_COUNT] as number) || 1;
  }

  private floorOf(metric: WindowMetric, mean: number): number {
    if (metric === 'queries') return LEAST_SCALE * Math.max(1, Math.abs(mean));
    if (metric !== 'over_p99' && metric !== 'error_rate') return LEAST_SCALE;
    const share = Math.min(0.5, Math.max(mean, 0.001));
    return Math.sqrt(share * (1 - share) * this.inverseCount);
  }

  private learnResidual(window: OperationWindow, at: number, weight: number): void {
    const { rest, blocks } = this;
    if (this.weight < LEARNED_WINDOWS) return;
    const raw = window.meanLog - this.expectation('mean_log', at);
    const spread = this.spreadAt('mean_log', window.count);
    const deviation = Math.max(-MOST_DEVIATION, Math.min(MOST_DEVIATION, raw / spread));
    const minute = Math.round(at / MINUTE_MS);
    if (minute - this.lastMinute > NEIGHBOUR_MINUTES) blocks.interrupt();
    // Where the hour is not known yet, a window is off for that, and that is no noise.
    blocks.add(deviation, weight * (1 - this.season.unknown('mean_log', at)) ** 2);
    this.lastMinute = minute;
    const tail = (scratch[METRIC_INDEX.over_p99] as number) - this.expectation('over_p99', at);
    if (Number.isNaN(tail)) return;
    const level = deviation * spread;
    (rest[TAIL_BY_LEVEL] as number) += level * tail * weight;
    (rest[LEVEL_SQUARES] as number) += level * level * weight;
  }

  private addParts(parts: ArrayLike<number>, weight: number): void {
    const { rest } = this;
    const total = (rest[PARTS_WEIGHT] as number) + weight;
    if (!(weight > 0)) return;
    for (let part = 0; part < PARTS.length; part++)
      (rest[part] as number) += (((parts[part] as number) - (rest[part] as number)) * weight) / total;
    rest[PARTS_WEIGHT] = total;
  }

  private check(): void {
    const weights = [
      ...this.season.numbers.subarray(0, 48),
      ...WINDOW_METRICS.flatMap((_, metric) => [
        this.moments[metric * MOMENTS] as number,
        this.moments[metric * MOMENTS + 2] as number,
      ]),
      this.rest[PARTS_WEIGHT] as number,
      this.rest[INVERSE_COUNT] as number,
      this.rest[LEVEL_SQUARES] as number,
      ...this.blocks.numbers,
    ];
    const wrong = weights.find((weight) => weight < 0);
    if (wrong !== undefined) throw new RangeError(`model has a weight of ${wrong}: 0 or more are allowed`);
  }
}

/** The moment a window stands for. */
export function middleOf({ startedAt, endedAt }: OperationWindow): number {
  return (startedAt + endedAt) / 2;
}
