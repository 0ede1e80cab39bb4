const MINUTE_MS = 60_000;
/** A point never stands for more than four hours: the hours of the day must remain to be seen. */
const MOST_PERIOD_MS = 4 * 60 * MINUTE_MS;
/** How often the shortest period goes into the longest, and more: a power of two. */
const LONGEST = 256;

/** Points of a series, the oldest first: the middles of their periods in milliseconds since 1970, and their values. */
export interface SeriesPoints {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/**
 * A series over any time in constant memory. When it is full, its points are merged in pairs and stand for twice the time
 * from then on; once a point stands for four hours, the oldest gives way.
 */
export class DecimatedSeries {
  /** The points' periods, counted from `origin`, then their values. One array, as each takes 200 bytes for itself. */
  private readonly numbers: Float32Array;
  private origin = Number.NaN;
  private length = 0;
  private present = -1;
  private sum = 0;
  private weight = 0;

  /**
   * @param capacity the most points, 8 or more; 8 bytes each
   * @param periodMs how long a point stands for at first, in milliseconds: a minute or more
   */
  constructor(
    private readonly capacity = 96,
    private periodMs = 5 * MINUTE_MS,
  ) {
    if (!(Number.isInteger(capacity) && capacity >= 8))
      throw new RangeError(`capacity is ${capacity}: a whole number of 8 or more is allowed`);
    if (!(periodMs >= MINUTE_MS && periodMs <= MOST_PERIOD_MS))
      throw new RangeError(`periodMs is ${periodMs}: ${MINUTE_MS} to ${MOST_PERIOD_MS} are allowed`);
    this.numbers = new Float32Array(2 * capacity);
  }

  /** The closed points. */
  get size(): number {
    return this.length;
  }

  /** How long a point stands for, in milliseconds. */
  get period(): number {
    return this.periodMs;
  }

  /**
   * Adds a value; those of one period are averaged by weight. One that is older than the present period belongs to it.
   * @returns whether a point was closed by it
   */
  add(at: number, value: number, weight = 1): boolean {
    if (!(Number.isFinite(value) && weight > 0)) return false;
    // A period of any length begins there.
    if (Number.isNaN(this.origin)) this.origin = at - (at % (LONGEST * this.periodMs));
    const period = this.periodOf(at);
    const isClosed = this.present >= 0 && period > this.present;
    if (isClosed) this.close();
    // Closing may have made periods longer.
    if (this.weight === 0) this.present = this.periodOf(at);
    this.sum += value * weight;
    this.weight += weight;
    return isClosed;
  }

  /** The closed points. */
  points(): SeriesPoints {
    const times = new Float64Array(this.length);
    for (let i = 0; i < this.length; i++) {
      times[i] = this.origin + ((this.numbers[i] as number) + 0.5) * this.periodMs;
    }
    const { capacity } = this;
    return { times, values: Float64Array.from(this.numbers.subarray(capacity, capacity + this.length)) };
  }

  /** Forgets all. */
  clear(): void {
    this.length = this.sum = this.weight = 0;
    this.present = -1;
    this.origin = Number.NaN;
  }

  private periodOf(at: number): number {
    return Math.floor((at - this.origin) / this.periodMs);
  }

  private close(): void {
    if (this.length === this.capacity) this.makeRoom();
    const period = Math.max(this.present, 0);
    const last = this.length - 1;
    // After periods became longer, the open one may belong to the last point.
    if (last >= 0 && this.numbers[last] === period) this.mergeInto(last, this.sum / this.weight);
    else {
      this.numbers[this.length] = period;
      this.numbers[this.capacity + this.length] = this.sum / this.weight;
      this.length++;
    }
    this.sum = this.weight = 0;
  }

  private makeRoom(): void {
    while (this.length === this.capacity && this.periodMs * 2 <= MOST_PERIOD_MS) this.halve();
    if (this.length < this.capacity) return;
    // The last period is overwritten next.
    this.numbers.copyWithin(0, 1);
    this.length--;
  }

  private halve(): void {
    this.periodMs *= 2;
    this.present = Math.floor(this.present / 2);
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      const period = (this.numbers[i] as number) >>> 1;
      const value = this.numbers[this.capacity + i] as number;
      if (kept > 0 && this.numbers[kept - 1] === period) this.mergeInto(kept - 1, value);
      else {
        this.numbers[kept] = period;
        this.numbers[this.capacity + kept] = value;
        kept++;
      }
    }
    this.length = kept;
  }

  private mergeInto(index: number, value: number): void {
    const at = this.capacity + index;
    this.numbers[at] = ((this.numbers[at] as number) + value) / 2;
  }
}
