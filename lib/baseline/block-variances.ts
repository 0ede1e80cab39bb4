/** Blocks of 1, 2, 4 … 32 windows. */
const SCALES = 6;
/** The assumed variances before anything is learned: a correlation of 0.3 between neighbours, half of it four apart. */
const PRIOR = [1, 0.65, 0.45, 0.3, 0.19, 0.11] as const;
/** The number of blocks that the assumption counts as. */
const PRIOR_BLOCKS = 4;
/** Its degrees of freedom: it is rather too great than too small. */
const PRIOR_DEGREES = 30;

/**
 * How far the mean of neighbouring windows is from its expectation, by their number: the mean square of the means of blocks
 * whose lengths are powers of two. It makes no assumption about how long noise lasts. Slow drift, an unknown hour of the
 * day and a wrong level count as well, since the expectation is made before the window is seen.
 */
export class BlockVariances {
  /** For each scale the sum of the squares of the blocks' means, then for each scale the number of blocks. */
  readonly numbers = new Float32Array(2 * SCALES);
  /** For each scale the first half of the next block; NaN for none. Not stored. */
  readonly halves = new Float32Array(SCALES).fill(Number.NaN);

  /** @param deviation of the window after the last one, in standard deviations */
  add(deviation: number, weight: number): void {
    let mean = deviation;
    for (let scale = 0; scale < SCALES; scale++) {
      (this.numbers[scale] as number) += mean * mean * weight;
      (this.numbers[SCALES + scale] as number) += weight;
      const half = this.halves[scale] as number;
      if (Number.isNaN(half)) {
        this.halves[scale] = mean;
        return;
      }
      this.halves[scale] = Number.NaN;
      mean = (half + mean) / 2;
    }
  }

  /** Begins new blocks: the next window is not a neighbour of the last one. */
  interrupt(): void {
    this.halves.fill(Number.NaN);
  }

  decay(factor: number): void {
    for (let index = 0; index < this.numbers.length; index++) (this.numbers[index] as number) *= factor;
  }

  merge({ numbers: other }: BlockVariances): void {
    for (let index = 0; index < this.numbers.length; index++)
      (this.numbers[index] as number) += other[index] as number;
  }

  /** The variance of the mean of `windows` neighbours. Beyond the longest block, the variance of that block. */
  varianceOfMean(windows: number): number {
    const place = Math.min(SCALES - 1, Math.log2(windows));
    const below = Math.floor(place);
    const above = Math.min(SCALES - 1, below + 1);
    return this.variance(below) ** (1 - place + below) * this.variance(above) ** (place - below);
  }

  /** The degrees of freedom of {@link varianceOfMean}. */
  degrees(windows: number): number {
    const scale = Math.min(SCALES - 1, Math.floor(Math.log2(windows)));
    return PRIOR_DEGREES + (this.numbers[SCALES + scale] as number);
  }

  private variance(scale: number): number {
    const squares = (this.numbers[scale] as number) + (PRIOR[scale] as number) * PRIOR_BLOCKS;
    return squares / ((this.numbers[SCALES + scale] as number) + PRIOR_BLOCKS);
  }
}
