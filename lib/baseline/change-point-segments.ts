import { medianOf } from '../inference/theil-sen.js';

/** The variance of noise in a segment is taken to be at least this share of what neighbours differ by. */
const LEAST_NOISE = 0.25;
const LEAST_VARIANCE = 1e-6;

/** Sums over a series that has been brought to a standard deviation of 1, by which any piece is fitted in constant time. */
export class SegmentSums {
  readonly length: number;
  private readonly mean: number;
  private readonly scale: number;
  private readonly times: Float64Array;
  private readonly timeSquares: Float64Array;
  private readonly sums: Float64Array;
  private readonly products: Float64Array;
  private readonly squares: Float64Array;
  private readonly leastVariance: number;

  constructor(private readonly values: readonly number[]) {
    const n = values.length;
    this.length = n;
    this.mean = values.reduce((sum, value) => sum + value, 0) / n;
    const variance = values.reduce((sum, value) => sum + (value - this.mean) ** 2, 0) / n;
    this.scale = Math.sqrt(variance) || 1;
    const empty = () => new Float64Array(n + 1);
    this.times = empty();
    this.timeSquares = empty();
    this.sums = empty();
    this.products = empty();
    this.squares = empty();
    for (let i = 0; i < n; i++) {
      const value = this.at(i);
      this.times[i + 1] = (this.times[i] as number) + i;
      this.timeSquares[i + 1] = (this.timeSquares[i] as number) + i * i;
      this.sums[i + 1] = (this.sums[i] as number) + value;
      this.products[i + 1] = (this.products[i] as number) + i * value;
      this.squares[i + 1] = (this.squares[i] as number) + value * value;
    }
    this.leastVariance = Math.max(LEAST_NOISE * this.neighbourNoise() ** 2, LEAST_VARIANCE);
  }

  /**
   * What the piece costs as a level or as a line, whichever is cheaper.
   * @param share how many independent values one value is worth
   */
  cost(begin: number, end: number, share: number): number {
    const n = end - begin;
    const { level, line } = this.rests(begin, end);
    const parameter = Math.log(this.length) / 2;
    return Math.min(
      share * n * Math.log(level / n + this.leastVariance) + 2 * parameter,
      share * n * Math.log(line / n + this.leastVariance) + 3 * parameter,
    );
  }

  /** The value of the piece's level or line at an index, as the series was given. */
  fittedAt(begin: number, end: number, index: number): number {
    const { level, line, slope } = this.rests(begin, end);
    const n = end - begin;
    const isLine =
      n * Math.log(line / n + this.leastVariance) + Math.log(this.length) / 2 <
      n * Math.log(level / n + this.leastVariance);
    const middle = (begin + end - 1) / 2;
    const mean = (between(this.sums, begin, end) as number) / n;
    return this.mean + this.scale * (mean + (isLine ? slope * (index - middle) : 0));
  }

  /** The correlation of neighbours around one line through all values; 0 to 1. */
  correlation(): number {
    const n = this.length;
    const { slope } = this.rests(0, n);
    let [squares, products, last] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const rest = this.at(i) - slope * (i - (n - 1) / 2);
      squares += rest * rest;
      if (i > 0) products += rest * last;
      last = rest;
    }
    return squares > 0 ? Math.max(0, products / squares) : 0;
  }

  /** What remains of the squares around the mean and around the line, and the line's slope. */
  private rests(begin: number, end: number): { level: number; line: number; slope: number } {
    const n = end - begin;
    const sum = between(this.sums, begin, end);
    const time = between(this.times, begin, end);
    const level = Math.max(0, between(this.squares, begin, end) - (sum * sum) / n);
    const timeSquares = between(this.timeSquares, begin, end) - (time * time) / n;
    const products = between(this.products, begin, end) - (time * sum) / n;
    if (!(timeSquares > 0)) return { level, line: level, slope: 0 };
    return {
      level,
      line: Math.max(0, level - (products * products) / timeSquares),
      slope: products / timeSquares,
    };
  }

  /** The standard deviation of the noise, by the middle second difference: neither steps nor lines count. */
  private neighbourNoise(): number {
    const differences = new Float64Array(Math.max(0, this.length - 2));
    for (let i = 2; i < this.length; i++)
      differences[i - 2] = Math.abs(this.at(i) - 2 * this.at(i - 1) + this.at(i - 2));
    return differences.length === 0 ? 0 : (1.4826 * medianOf(differences.sort())) / Math.sqrt(6);
  }

  private at(index: number): number {
    return ((this.values[index] as number) - this.mean) / this.scale;
  }
}

function between(sums: Float64Array, begin: number, end: number): number {
  return (sums[end] as number) - (sums[begin] as number);
}
