/** Samples that a mean is taken of. */
const KEPT = 128;
/** Among fewer, an outlier cannot be distinguished. */
const MIN_FOR_OUTLIERS = 8;
/** A sample above this multiple of the median was interrupted: by the garbage collector, or by other processes. */
const OUTLIER = 10;

/** The last samples of a quantity. The mean is taken without outliers, which would count a thousandfold. */
export class Samples {
  private readonly values = new Float64Array(KEPT);
  private filled = 0;
  private at = 0;
  private known: number | undefined = 0;

  add(value: number): void {
    this.values[this.at] = value;
    this.at = (this.at + 1) % KEPT;
    if (this.filled < KEPT) this.filled++;
    this.known = undefined;
  }

  /** 0 without samples. Sorts: not for the path of a request. */
  mean(): number {
    this.known ??= this.compute();
    return this.known;
  }

  private compute(): number {
    const sorted = this.values.slice(0, this.filled).sort();
    const limit =
      this.filled < MIN_FOR_OUTLIERS
        ? Number.POSITIVE_INFINITY
        : OUTLIER * (sorted[this.filled >> 1] as number);
    let sum = 0;
    let count = 0;
    for (const value of sorted) {
      if (value > limit && count > 0) break;
      sum += value;
      count++;
    }
    return count === 0 ? 0 : sum / count;
  }
}

/** A piece of this package's own code whose calls are counted, of which some are measured. Times are in milliseconds. */
export class CostPoint {
  /** Calls until the next one that is measured. */
  left = 1;
  private interval = 1;
  private counted = 0;
  private settled = 0;
  /** How many calls within others the measured ones stand for. */
  private within = 0;
  private readonly times = new Samples();
  private readonly heap = new Samples();
  private settledOutermost = 0;
  private direct = 0;
  private total = 0;
  private totalBytes = 0;

  /** @param part the part of the package that its cost is shown for */
  constructor(readonly part: string) {}

  /** The next call is measured after about `interval` others: not after exactly as many, as calls may come in a pattern. */
  draw(interval: number): void {
    this.counted += this.interval;
    this.interval = 1 + Math.floor(Math.random() * (2 * interval - 1));
    this.left = this.interval;
  }

  /** A measured call. @param weight the number of calls within others that it stands for */
  add(ms: number, weight: number): void {
    this.times.add(ms);
    this.within += weight;
  }

  addBytes(bytes: number): void {
    this.heap.add(bytes);
  }

  /** A call of a piece of which every call is measured. */
  addDirectly(ms: number): void {
    this.direct += ms;
  }

  /** The calls that were not within others. */
  get outermost(): number {
    return this.counted + this.interval - this.left;
  }

  /** All time until now. */
  get ms(): number {
    this.settle();
    return this.total + this.direct;
  }

  /** All memory allocated until now, by calls that were not within others. */
  get bytes(): number {
    this.settle();
    return this.totalBytes;
  }

  /** Calls since the last time cost what calls cost now. */
  private settle(): void {
    const { outermost } = this;
    const calls = outermost + this.within;
    this.total += (calls - this.settled) * this.times.mean();
    this.totalBytes += (outermost - this.settledOutermost) * this.heap.mean();
    this.settled = calls;
    this.settledOutermost = outermost;
  }
}
