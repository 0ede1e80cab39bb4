import { type PackedBytes, packBytes, unpackBytes } from '../bytes/packed-bytes.js';
import { type BaselineLatency, OperationHistory } from '../statistics/operation-history.js';
import type { OperationWindow } from '../statistics/operation-window.js';
import type { BaselineEntry } from './baseline-snapshot.js';
import { LatencySketch } from './latency-sketch.js';
import { OperationPeriods } from './operation-periods.js';
import type { RegressionDetector, WindowScale } from './regression-detector.js';
import { NEW_NORMAL_MS } from './regression-settings.js';
import type { WatchedOperation } from './regression-watch.js';
import type { StoredBaseline, StoredOperation } from './stored-baseline.js';
import type { TrendDetector } from './trend-detector.js';
import { WindowModel } from './window-model.js';

/** The number of operations from which a baseline is reported, and from which its p99 is used. */
const MIN_COUNT = 30;
const MIN_COUNT_P99 = 500;
/** Beyond this scale, counts are rescaled before they exceed 2^53. */
const MAX_SCALE = 2 ** 10;

/**
 * The learned data of one operation: of this run and of stored runs, and the changes of its windows. There may be thousands
 * of operations, so everything that is needed once per window is packed, and unpacked on demand.
 */
export class WatchedHistory implements WatchedOperation {
  /** The model of this run only, which is saved. */
  private own: PackedBytes | undefined;
  /** A `LatencySketch` of this run, with all counts multiplied by `scale`. */
  private sketch: PackedBytes | undefined;
  private scale = 1;
  /** `OperationPeriods` of this run. */
  private periods: PackedBytes | undefined;
  private stored: StoredOperation | undefined;
  private previous: StoredOperation | undefined;
  /** Whether it is compared with the previous version. */
  private isOfNewVersion = false;
  /** When a regression became the new baseline. Older data, from any instance, is ignored. */
  private rebasedAt: number | undefined;
  /** The source of the last {@link take}. */
  takenFrom: StoredBaseline | undefined;

  constructor(
    readonly type: string,
    readonly name: string,
    readonly detector: RegressionDetector,
    readonly trend: TrendDetector,
  ) {}

  /** The model of this version, from this run and stored runs. Changes to it are lost: {@link learned} keeps windows. */
  get model(): WindowModel {
    const model = modelOf(this.stored);
    if (model === undefined) return this.ownModel();
    if (this.own !== undefined) model.merge(this.ownModel());
    return model;
  }

  /** The model of the previous version, while that is what it is compared with. */
  get reference(): WindowModel | undefined {
    return this.isOfNewVersion ? modelOf(this.previous) : undefined;
  }

  learned(window: OperationWindow, weight: number, scale: WindowScale): void {
    const own = this.ownModel();
    own.of(scale).add(window, weight);
    this.own = packBytes(own.pack());
  }

  /**
   * Replaces the data of other runs and instances.
   * @param previous the data of the previous version
   * @param isNew whether this version is compared with the previous one
   */
  take(stored: StoredOperation | undefined, previous: StoredOperation | undefined, isNew: boolean): void {
    if (this.isNormal(stored)) this.stored = stored;
    // An open regression stays compared with what it was found against.
    if (this.isHeld && this.isOfNewVersion) return;
    const known = previous !== undefined && previous.model.length > 0;
    this.isOfNewVersion = isNew && known && this.rebasedAt === undefined && stored?.rebasedAt === undefined;
    this.previous = isNew ? previous : undefined;
  }

  /** Adds the latencies of a window, unless a regression is suspected or open: the baseline is what was before. */
  addLatencies(counts: Float64Array): void {
    if (this.isHeld && !this.isOfNewVersion) return;
    const sketch = new LatencySketch();
    sketch.add(counts);
    if (this.scale !== 1) sketch.decay(this.scale);
    if (this.sketch !== undefined) sketch.merge(sketchOf(this.sketch));
    this.sketch = packBytes(sketch.toBytes());
  }

  /** Adds a window to the periods that the version is judged by, whatever is suspected. */
  addPeriod(window: OperationWindow): void {
    const periods =
      this.periods === undefined
        ? new OperationPeriods()
        : OperationPeriods.fromBytes(unpackBytes(this.periods));
    periods.add(window);
    this.periods = packBytes(periods.toBytes());
  }

  /** The baseline latency; undefined for fewer than 30 operations. */
  baselineLatency(): BaselineLatency | undefined {
    const before = this.previous && sketchOf(this.previous.sketch);
    const latencyBefore = before && latencyOf(before);
    if (this.isOfNewVersion && latencyBefore !== undefined) return latencyBefore;
    const sketch = this.ownSketch();
    if (this.stored !== undefined) sketch.merge(sketchOf(this.stored.sketch));
    return latencyOf(sketch) ?? latencyBefore;
  }

  /** The latency of the previous version, while that is kept; undefined for fewer than 30 operations. */
  previousLatency(): BaselineLatency | undefined {
    return this.previous && latencyOf(sketchOf(this.previous.sketch));
  }

  /** The p99 that `over_p99` of a window refers to; undefined for fewer than 500 operations. */
  normalP99Ms(baseline: BaselineLatency | undefined): number | undefined {
    return baseline !== undefined && baseline.count >= MIN_COUNT_P99 ? baseline.p99Ms : undefined;
  }

  /** Reduces the weight of the data of this run, by a factor of 0 to 1. */
  decay(factor: number): void {
    if (this.own !== undefined) {
      const own = this.ownModel();
      own.decay(factor);
      this.own = packBytes(own.pack());
    }
    // Packed counts are rounded, so instead of reducing them, later counts are increased.
    this.scale /= factor;
    if (this.scale < MAX_SCALE) return;
    if (this.sketch !== undefined) this.sketch = packBytes(this.ownSketch().toBytes());
    this.scale = 1;
  }

  /**
   * Makes the current figures the baseline.
   * @param at in milliseconds since 1970
   * @param minWindows the smallest number of windows of a model that is compared with
   */
  rebase(at: number, minWindows: number): void {
    this.trend.clear();
    // Another metric of the same change: all data is newer already.
    if (at - (this.rebasedAt ?? 0) < NEW_NORMAL_MS) return;
    this.rebasedAt = at;
    const isOfNewVersion = this.isOfNewVersion;
    this.isOfNewVersion = false;
    // All data of a version that was slow from its start is already that of the new baseline.
    if (isOfNewVersion && this.model.weight < minWindows) return;
    this.stored = this.previous = undefined;
    this.discardOwn();
  }

  /**
   * Discards the data of this run because an archive contains it, unless the archive is older than the last rebase.
   */
  clear(at: number): void {
    if (at >= (this.rebasedAt ?? 0)) this.discardOwn();
    this.periods = undefined;
  }

  private discardOwn(): void {
    this.own = undefined;
    this.sketch = undefined;
    this.scale = 1;
  }

  private isNormal(stored: StoredOperation | undefined): boolean {
    return this.rebasedAt === undefined || (stored?.rebasedAt ?? 0) >= this.rebasedAt - NEW_NORMAL_MS;
  }

  /** The data of this run; undefined if there is none. */
  entry(): BaselineEntry | undefined {
    if (this.sketch === undefined) return undefined;
    const sketch = this.ownSketch();
    return {
      type: this.type,
      name: this.name,
      count: sketch.count,
      sketch: sketch.toBytes(),
      model: this.own === undefined ? new Uint8Array(0) : this.ownModel().toBytes(),
      ...(this.rebasedAt === undefined ? {} : { rebasedAt: this.rebasedAt }),
      ...(this.periods === undefined ? {} : { periods: unpackBytes(this.periods) }),
    };
  }

  private ownSketch(): LatencySketch {
    if (this.sketch === undefined) return new LatencySketch();
    const sketch = sketchOf(this.sketch);
    if (this.scale !== 1) sketch.decay(1 / this.scale);
    return sketch;
  }

  private ownModel(): WindowModel {
    if (this.own === undefined) return new WindowModel();
    return WindowModel.unpack(new Float32Array(unpackBytes(this.own).buffer));
  }

  /** Whether a regression is suspected or open. */
  private get isHeld(): boolean {
    return this.detector.isHeld;
  }
}

/** The history of an operation with its learned data. */
export class LearnedHistory extends OperationHistory {
  /** Absent until the first window closes or stored data is taken. */
  watched: WatchedHistory | undefined;
}

function latencyOf(sketch: LatencySketch): BaselineLatency | undefined {
  if (sketch.count < MIN_COUNT) return undefined;
  return {
    p50Ms: sketch.percentile(0.5),
    p95Ms: sketch.percentile(0.95),
    p99Ms: sketch.percentile(0.99),
    count: sketch.count,
  };
}

function modelOf(stored: StoredOperation | undefined): WindowModel | undefined {
  if (stored === undefined || stored.model.length === 0) return undefined;
  return WindowModel.fromBytes(unpackBytes(stored.model));
}

function sketchOf(packed: PackedBytes): LatencySketch {
  return LatencySketch.fromBytes(unpackBytes(packed));
}
