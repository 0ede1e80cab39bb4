import type { BaselineEntry } from './baseline-snapshot.js';
import { LatencySketch } from './latency-sketch.js';
import type { Usual } from './operation-history.js';
import type { OperationWindow } from './operation-window.js';
import type { RegressionDetector } from './regression-detector.js';
import type { WatchedOperation } from './regression-watch.js';
import type { StoredOperation } from './stored-baseline.js';
import type { TrendDetector } from './trend-detector.js';
import { WindowModel } from './window-model.js';

/** Operations from which on something is said of what is usual, and from which on of its slowest hundredth. */
const MIN_COUNT = 30;
const MIN_COUNT_P99 = 500;

/** What is known of one operation over days: what it is like, in this run and before it, and how its windows changed. */
export class WatchedHistory implements WatchedOperation {
  /** Of this run and of what was stored of this version. */
  model = new WindowModel();
  /** Of the last version, while that is what it is compared with. */
  reference: WindowModel | undefined;
  /** Of this run alone: what is saved. */
  private own = new WindowModel();
  private sketch = new LatencySketch();
  private stored: StoredOperation | undefined;
  private previous: StoredOperation | undefined;

  constructor(
    readonly type: string,
    readonly name: string,
    readonly detector: RegressionDetector,
    readonly trend: TrendDetector,
  ) {}

  /** The operations of this run, the older ones counted less. */
  get count(): number {
    return this.sketch.count;
  }

  /**
   * Takes what other runs and other instances have learned, in place of what was taken before.
   * @param previous of the last version
   * @param isNew whether this version is compared with the last one
   */
  take(stored: StoredOperation | undefined, previous: StoredOperation | undefined, isNew: boolean): void {
    this.stored = stored;
    this.previous = previous;
    this.model = modelOf(stored) ?? new WindowModel();
    this.model.merge(this.own);
    // A regression that is followed stays with what it was found against.
    if (this.detector.heldFrom === Number.POSITIVE_INFINITY || this.reference === undefined) {
      this.reference = isNew ? modelOf(previous) : undefined;
    }
  }

  learned(window: OperationWindow, weight: number): void {
    this.own.add(window, weight);
  }

  /** Adds the latencies of a window, unless they are of a regression: what is usual is what was before. */
  addLatencies(counts: Float64Array): void {
    if (this.detector.heldFrom === Number.POSITIVE_INFINITY || this.reference !== undefined) {
      this.sketch.add(counts);
    }
  }

  /** What is usual, once enough is known. */
  usual(): Usual | undefined {
    const before = this.previous?.sketch;
    if (this.reference !== undefined && before !== undefined) {
      const usual = usualOf(LatencySketch.fromBytes(before));
      if (usual !== undefined) return usual;
    }
    const present = this.stored === undefined ? this.sketch : LatencySketch.fromBytes(this.stored.sketch);
    if (present !== this.sketch) present.merge(this.sketch);
    return usualOf(present) ?? (before && usualOf(LatencySketch.fromBytes(before)));
  }

  /** The p99 that windows are held against; nothing where too little is known. */
  normalP99Ms(usual: Usual | undefined): number | undefined {
    return usual !== undefined && usual.count >= MIN_COUNT_P99 ? usual.p99Ms : undefined;
  }

  /** Lets what this run has learned count less: by a factor of 0 to 1. */
  decay(factor: number): void {
    this.model.decay(factor);
    this.own.decay(factor);
    this.sketch.decay(factor);
  }

  /** Takes what it is like now for what is normal. */
  beginAnew(): void {
    const isOfVersion = this.reference !== undefined;
    this.reference = undefined;
    this.trend.clear();
    // Nothing but this version is in what was learned of it.
    if (isOfVersion) return;
    this.stored = this.previous = undefined;
    this.clear();
  }

  /** Forgets what this run has learned, as another one has it. */
  clear(): void {
    this.own = new WindowModel();
    this.model = modelOf(this.stored) ?? new WindowModel();
    this.sketch = new LatencySketch();
  }

  /** What this run has learned. */
  entry(): BaselineEntry {
    return {
      type: this.type,
      name: this.name,
      count: this.sketch.count,
      sketch: this.sketch.toBytes(),
      model: this.own.weight > 0 ? this.own.toBytes() : new Uint8Array(0),
    };
  }
}

function usualOf(sketch: LatencySketch): Usual | undefined {
  if (sketch.count < MIN_COUNT) return undefined;
  return {
    p50Ms: sketch.percentile(0.5),
    p95Ms: sketch.percentile(0.95),
    p99Ms: sketch.percentile(0.99),
    count: sketch.count,
  };
}

function modelOf(stored: StoredOperation | undefined): WindowModel | undefined {
  return stored === undefined || stored.model.length === 0 ? undefined : WindowModel.fromBytes(stored.model);
}
