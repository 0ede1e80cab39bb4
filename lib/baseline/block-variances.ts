/** Blocks of 1, 2, 4 … 32 windows. */
const SCALES = 6;
/** For each scale: the sum of the squares of the blocks' means, then how many blocks there were. */
export const BLOCK_NUMBERS = 2 * SCALES;
/** Before anything is learned, neighbours are taken to be correlated by 0.3, those four apart by half of it. */
const USUAL = [1, 0.65, 0.45, 0.3, 0.19, 0.11] as const;
/** How many blocks that counts for. */
const USUAL_BLOCKS = 4;
/** The degrees of freedom of a variance of which nothing was seen: what is usual is rather too much than too little. */
const USUAL_DEGREES = 30;

/**
 * How far the mean of neighbouring windows is from what was expected, by how many they are: the mean square of the blocks'
 * means, for blocks of powers of two. Nothing is assumed of how noise lasts, and a slow wandering, an hour of the day that
 * was not known or a wrong level count as well, as what was expected was so before the window was seen.
 */
export class BlockVariances {
  readonly numbers = new Float32Array(BLOCK_NUMBERS);
  /** Of each scale the half of the next block; NaN where there is none. Not a part of what is stored. */
  readonly halves = new Float32Array(SCALES).fill(Number.NaN);

  /** @param deviation of a window that follows the last one, in standard deviations */
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

  /** The next window is no neighbour of the last one. */
  interrupt(): void {
    this.halves.fill(Number.NaN);
  }

  decay(factor: number): void {
    for (let index = 0; index < BLOCK_NUMBERS; index++) (this.numbers[index] as number) *= factor;
  }

  merge({ numbers: other }: BlockVariances): void {
    for (let index = 0; index < BLOCK_NUMBERS; index++)
      (this.numbers[index] as number) += other[index] as number;
  }

  /** The variance of the mean of so many neighbours; that of more than the longest block is taken for that block's. */
  varianceOfMean(windows: number): number {
    const place = Math.min(SCALES - 1, Math.log2(windows));
    const below = Math.floor(place);
    const above = Math.min(SCALES - 1, below + 1);
    return this.variance(below) ** (1 - place + below) * this.variance(above) ** (place - below);
  }

  /** The degrees of freedom of that variance. */
  degrees(windows: number): number {
    const scale = Math.min(SCALES - 1, Math.floor(Math.log2(windows)));
    return USUAL_DEGREES + (this.numbers[SCALES + scale] as number);
  }

  private variance(scale: number): number {
    const blocks = this.numbers[SCALES + scale] as number;
    const usual = USUAL[scale] as number;
    return ((this.numbers[scale] as number) + usual * USUAL_BLOCKS) / (blocks + USUAL_BLOCKS);
  }
}
