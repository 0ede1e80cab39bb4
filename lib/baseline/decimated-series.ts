const MINUTE_MS = 60_000;
/** A point never stands for more than four hours: the hours of the day must remain to be seen. */
const MOST_PERIOD_MS = 4 * 60 * MINUTE_MS;

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
  private readonly periods: Uint32Array;
  private readonly values: Float32Array;
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
    const buffer = new ArrayBuffer(8 * capacity);
    this.periods = new Uint32Array(buffer, 0, capacity);
    this.values = new Float32Array(buffer, 4 * capacity, capacity);
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
    const period = Math.floor(at / this.periodMs);
    const isClosed = this.present >= 0 && period > this.present;
    if (isClosed) this.close();
    // Closing may have made periods longer.
    if (this.weight === 0) this.present = Math.floor(at / this.periodMs);
    this.sum += value * weight;
    this.weight += weight;
    return isClosed;
  }

  /** The closed points. */
  points(): SeriesPoints {
    const times = new Float64Array(this.length);
    for (let i = 0; i < this.length; i++) times[i] = ((this.periods[i] as number) + 0.5) * this.periodMs;
    return { times, values: Float64Array.from(this.values.subarray(0, this.length)) };
  }

  /** Forgets all. */
  clear(): void {
    this.length = this.sum = this.weight = 0;
    this.present = -1;
  }

  private close(): void {
    if (this.length === this.capacity) this.makeRoom();
    const period = Math.max(this.present, 0);
    const last = this.length - 1;
    // After periods became longer, the open one may belong to the last point.
    if (last >= 0 && this.periods[last] === period) this.mergeInto(last, this.sum / this.weight);
    else {
      this.periods[this.length] = period;
      this.values[this.length] = this.sum / this.weight;
      this.length++;
    }
    this.sum = this.weight = 0;
  }

  private makeRoom(): void {
    while (this.length === this.capacity && this.periodMs * 2 <= MOST_PERIOD_MS) this.halve();
    if (this.length < this.capacity) return;
    this.periods.copyWithin(0, 1);
    this.values.copyWithin(0, 1);
    this.length--;
  }

  private halve(): void {
    this.periodMs *= 2;
    this.present = Math.floor(this.present / 2);
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      const period = (this.periods[i] as number) >>> 1;
      if (kept > 0 && this.periods[kept - 1] === period) this.mergeInto(kept - 1, this.values[i] as number);
      else {
        this.periods[kept] = period;
        this.values[kept] = this.values[i] as number;
        kept++;
      }
    }
    this.length = kept;
  }

  private mergeInto(index: number, value: number): void {
    this.values[index] = ((this.values[index] as number) + value) / 2;
  }
}
