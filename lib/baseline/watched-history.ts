import { type PackedBytes, packBytes, unpackBytes } from '../bytes/packed-bytes.js';
import { type BaselineLatency, OperationHistory } from '../statistics/operation-history.js';
import type { OperationWindow } from '../statistics/operation-window.js';
import type { BaselineEntry } from './baseline-snapshot.js';
import { LatencySketch } from './latency-sketch.js';
import type { RegressionDetector } from './regression-detector.js';
import { NEW_NORMAL_MS } from './regression-settings.js';
import type { WatchedOperation } from './regression-watch.js';
import type { StoredBaseline, StoredOperation } from './stored-baseline.js';
import type { TrendDetector } from './trend-detector.js';
import { WindowModel } from './window-model.js';

/** Operations from which on something is said of what is usual, and from which on of its slowest hundredth. */
const MIN_COUNT = 30;
const MIN_COUNT_P99 = 500;
/** Counts are packed anew when they are so many times what they stand for: beyond 2^53 they could not be. */
const MOST_SCALE = 2 ** 10;

/**
 * What is known of one operation over days: what it is like, in this run and before it, and how its windows changed.
 * There may be thousands of them, so what is needed once for a window is held packed, and made when it is asked for.
 */
export class WatchedHistory implements WatchedOperation {
  /** The model of this run alone: what is saved. */
  private own: PackedBytes | undefined;
  /** A `LatencySketch` of this run, in which everything is `scale` times as much. */
  private sketch: PackedBytes | undefined;
  private scale = 1;
  private stored: StoredOperation | undefined;
  private previous: StoredOperation | undefined;
  /** Whether it is compared with the last version. */
  private isOfNewVersion = false;
  /** When what was a regression was taken for normal: what came before is not, whoever knows of it. */
  private rebasedAt: number | undefined;
  /** From where {@link take} was given what it has. */
  takenFrom: StoredBaseline | undefined;

  constructor(
    readonly type: string,
    readonly name: string,
    readonly detector: RegressionDetector,
    readonly trend: TrendDetector,
  ) {}

  /** Of this run and of what was stored of this version. What it learns is kept by {@link learned} alone. */
  get model(): WindowModel {
    const model = modelOf(this.stored);
    if (model === undefined) return this.ownModel();
    if (this.own !== undefined) model.merge(this.ownModel());
    return model;
  }

  /** Of the last version, while that is what it is compared with. */
  get reference(): WindowModel | undefined {
    return this.isOfNewVersion ? modelOf(this.previous) : undefined;
  }

  learned(window: OperationWindow, weight: number): void {
    const own = this.ownModel();
    own.add(window, weight);
    this.own = packBytes(own.pack());
  }

  /**
   * Takes what other runs and other instances have learned, in place of what was taken before.
   * @param previous of the last version
   * @param isNew whether this version is compared with the last one
   */
  take(stored: StoredOperation | undefined, previous: StoredOperation | undefined, isNew: boolean): void {
    if (this.isNormal(stored)) this.stored = stored;
    // A regression that is followed stays with what it was found against.
    if (this.isHeld && this.isOfNewVersion) return;
    const known = previous !== undefined && previous.model.length > 0;
    this.isOfNewVersion = isNew && known && this.rebasedAt === undefined && stored?.rebasedAt === undefined;
    this.previous = isNew ? previous : undefined;
  }

  /** Adds the latencies of a window, unless they are of a regression: what is usual is what was before. */
  addLatencies(counts: Float64Array): void {
    if (this.isHeld && !this.isOfNewVersion) return;
    const sketch = new LatencySketch();
    sketch.add(counts);
    if (this.scale !== 1) sketch.decay(this.scale);
    if (this.sketch !== undefined) sketch.merge(sketchOf(this.sketch));
    this.sketch = packBytes(sketch.toBytes());
  }

  /** What is usual, once enough is known. */
  usual(): BaselineLatency | undefined {
    const before = this.previous && sketchOf(this.previous.sketch);
    const ofBefore = before && usualOf(before);
    if (this.isOfNewVersion && ofBefore !== undefined) return ofBefore;
    const present = this.ownSketch();
    if (this.stored !== undefined) present.merge(sketchOf(this.stored.sketch));
    return usualOf(present) ?? ofBefore;
  }

  /** The p99 that windows are held against; nothing where too little is known. */
  normalP99Ms(usual: BaselineLatency | undefined): number | undefined {
    return usual !== undefined && usual.count >= MIN_COUNT_P99 ? usual.p99Ms : undefined;
  }

  /** Lets what this run has learned count less: by a factor of 0 to 1. */
  decay(factor: number): void {
    if (this.own !== undefined) {
      const own = this.ownModel();
      own.decay(factor);
      this.own = packBytes(own.pack());
    }
    // What is packed is rounded, so what comes later counts more instead.
    this.scale /= factor;
    if (this.scale < MOST_SCALE) return;
    if (this.sketch !== undefined) this.sketch = packBytes(this.ownSketch().toBytes());
    this.scale = 1;
  }

  /**
   * Takes what it is like now for what is normal.
   * @param at in milliseconds since 1970
   * @param minWindows from how many windows on a model is compared with
   */
  rebase(at: number, minWindows: number): void {
    this.trend.clear();
    // Another figure of the same change: all that was learned came after it.
    if (at - (this.rebasedAt ?? 0) < NEW_NORMAL_MS) return;
    this.rebasedAt = at;
    const isOfNewVersion = this.isOfNewVersion;
    this.isOfNewVersion = false;
    // A version that was slow from its start has learned nothing else.
    if (isOfNewVersion && this.model.weight < minWindows) return;
    this.stored = this.previous = undefined;
    this.forget();
  }

  /**
   * Forgets what this run had learned by then, as another one has it; but not where that one knows of what is no longer
   * normal.
   */
  clear(at: number): void {
    if (at >= (this.rebasedAt ?? 0)) this.forget();
  }

  private forget(): void {
    this.own = undefined;
    this.sketch = undefined;
    this.scale = 1;
  }

  private isNormal(stored: StoredOperation | undefined): boolean {
    return this.rebasedAt === undefined || (stored?.rebasedAt ?? 0) >= this.rebasedAt - NEW_NORMAL_MS;
  }

  /** What this run has learned; nothing where it is nothing. */
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

  /** Something is suspected or told. */
  private get isHeld(): boolean {
    return this.detector.heldFrom !== Number.POSITIVE_INFINITY;
  }
}

/** The history of an operation, with what is known of it over days. */
export class LearnedHistory extends OperationHistory {
  /** Absent until the first window is over. */
  watched: WatchedHistory | undefined;
}

function usualOf(sketch: LatencySketch): BaselineLatency | undefined {
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
