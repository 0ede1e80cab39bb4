const MINUTE_MS = 60_000;
/** The longest period of a point: longer ones would hide the hours of the day. */
const MAX_PERIOD_MS = 4 * 60 * MINUTE_MS;
/** The origin is aligned to this many initial periods, so that periods of any length begin there. A power of two. */
const ALIGNMENT = 256;

/** Points of a series, the oldest first: the middles of their periods in milliseconds since 1970, and their values. */
export interface SeriesPoints {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/**
 * A series over any time in constant memory. When it is full, pairs of points are merged and periods become twice as long;
 * once a period is four hours long, the oldest point is dropped instead.
 */
export class DecimatedSeries {
  /** The period of each point, counted from `origin`, then their values. One array, since each array costs 200 bytes. */
  private readonly numbers: Float32Array;
  private origin = Number.NaN;
  private length = 0;
  private current = -1;
  private sum = 0;
  private weight = 0;

  /**
   * @param capacity the number of points, 8 or more; 8 bytes each
   * @param periodMs the initial period of a point, a minute to four hours
   */
  constructor(
    private readonly capacity = 96,
    private periodMs = 5 * MINUTE_MS,
  ) {
    if (!(Number.isInteger(capacity) && capacity >= 8))
      throw new RangeError(`Invalid capacity: received ${capacity}, expected a whole number of 8 or more`);
    if (!(periodMs >= MINUTE_MS && periodMs <= MAX_PERIOD_MS))
      throw new RangeError(
        `Invalid periodMs: received ${periodMs}, expected ${MINUTE_MS} to ${MAX_PERIOD_MS}`,
      );
    this.numbers = new Float32Array(2 * capacity);
  }

  /** The number of closed points. */
  get size(): number {
    return this.length;
  }

  /** The current period of a point, in milliseconds. */
  get period(): number {
    return this.periodMs;
  }

  /**
   * Adds a value. The values of one period are averaged by weight. An older value counts for the current period.
   * @returns whether it closed a point
   */
  add(at: number, value: number, weight = 1): boolean {
    if (!(Number.isFinite(value) && weight > 0)) return false;
    if (Number.isNaN(this.origin)) this.origin = at - (at % (ALIGNMENT * this.periodMs));
    const period = this.periodOf(at);
    const isClosed = this.current >= 0 && period > this.current;
    if (isClosed) this.close();
    // Closing may have made the periods longer.
    if (this.weight === 0) this.current = this.periodOf(at);
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

  /** Discards all points. */
  clear(): void {
    this.length = this.sum = this.weight = 0;
    this.current = -1;
    this.origin = Number.NaN;
  }

  private periodOf(at: number): number {
    return Math.floor((at - this.origin) / this.periodMs);
  }

  private close(): void {
    if (this.length === this.capacity) this.makeRoom();
    const period = Math.max(this.current, 0);
    const last = this.length - 1;
    // After the periods became longer, the open one may belong to the last point.
    if (last >= 0 && this.numbers[last] === period) this.mergeInto(last, this.sum / this.weight);
    else {
      this.numbers[this.length] = period;
      this.numbers[this.capacity + this.length] = this.sum / this.weight;
      this.length++;
    }
    this.sum = this.weight = 0;
  }

  private makeRoom(): void {
    while (this.length === this.capacity && this.periodMs * 2 <= MAX_PERIOD_MS) this.halve();
    if (this.length < this.capacity) return;
    // Shifts all periods and values by one. The caller overwrites what this leaves at the end of the periods.
    this.numbers.copyWithin(0, 1);
    this.length--;
  }

  private halve(): void {
    this.periodMs *= 2;
    this.current = Math.floor(this.current / 2);
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
