/** A line of least squares. */
export interface FittedLine {
  readonly slope: number;
  readonly intercept: number;
}

export function lineThrough(xs: ArrayLike<number>, ys: ArrayLike<number>): FittedLine {
  const { xx, xy, meanX, meanY } = moments(xs, ys);
  const slope = xx > 0 ? xy / xx : 0;
  return { slope, intercept: meanY - slope * meanX };
}

/** What the line of least squares leaves of `ys`. */
export function rests(xs: ArrayLike<number>, ys: ArrayLike<number>): Float64Array {
  const { slope, intercept } = lineThrough(xs, ys);
  return Float64Array.from(ys, (y, i) => y - intercept - slope * (xs[i] as number));
}

/** Pearson's; 0 where one of them does not vary. */
export function correlation(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  const { xx, xy, yy, scale } = moments(xs, ys);
  // What rounding leaves of a straight line is no variation.
  return xx > scale && yy > scale ? xy / Math.sqrt(xx * yy) : 0;
}

function moments(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
): { xx: number; xy: number; yy: number; meanX: number; meanY: number; scale: number } {
  const n = xs.length;
  let [meanX, meanY, xx, xy, yy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    meanX += (xs[i] as number) / n;
    meanY += (ys[i] as number) / n;
  }
  for (let i = 0; i < n; i++) {
    const x = (xs[i] as number) - meanX;
    const y = (ys[i] as number) - meanY;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  return { xx, xy, yy, meanX, meanY, scale: 1e-9 * n };
}
