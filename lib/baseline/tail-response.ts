/** The assumed slope before anything is learned, and its weight: a log-normal latency with a sigma of 0.5. */
const PRIOR_SLOPE = 0.04;
const PRIOR_SQUARES = 20 * 0.01;
const MAX_STEEPNESS = 10;
const MIN_LEVEL_EFFECT = -0.3;
const MIN_SHARE = 0.001;

const PRODUCTS = 0;
const SQUARES = 1;

/**
 * How the share of operations above the p99 follows the level of all latencies: the slope of a regression of `over_p99`
 * on `mean_log`. If all latencies get longer, more of them exceed the p99 although the tail is as it was.
 */
export class TailResponse {
  /** The sum of the products of both residuals, and the sum of the squares of the level's residuals. */
  readonly numbers = new Float32Array(2);

  /** @param level,tail the residuals of `mean_log` and `over_p99` in one window */
  add(level: number, tail: number, weight: number): void {
    (this.numbers[PRODUCTS] as number) += level * tail * weight;
    (this.numbers[SQUARES] as number) += level * level * weight;
  }

  decay(factor: number): void {
    (this.numbers[PRODUCTS] as number) *= factor;
    (this.numbers[SQUARES] as number) *= factor;
  }

  merge({ numbers: other }: TailResponse): void {
    (this.numbers[PRODUCTS] as number) += other[PRODUCTS] as number;
    (this.numbers[SQUARES] as number) += other[SQUARES] as number;
  }

  get squares(): number {
    return this.numbers[SQUARES] as number;
  }

  /** The variance of `over_p99` that the level explains. @param weight of the windows */
  explainedVariance(weight: number): number {
    const squares = this.squares / weight;
    return squares > 0 ? this.slope ** 2 * squares : 0;
  }

  /** The factor by which `share` grows if the level rises by `level`. */
  factor(share: number, level: number): number {
    const steepness = Math.max(0, Math.min(MAX_STEEPNESS, this.slope / Math.max(MIN_SHARE, share)));
    return Math.exp(Math.max(MIN_LEVEL_EFFECT, steepness * level));
  }

  private get slope(): number {
    return (
      ((this.numbers[PRODUCTS] as number) + PRIOR_SLOPE * PRIOR_SQUARES) / (this.squares + PRIOR_SQUARES)
    );
  }
}
