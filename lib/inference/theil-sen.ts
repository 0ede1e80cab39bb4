/** A robust line through points. */
export interface Line {
  /** Per unit of time. */
  readonly slope: number;
  /** The value at time 0. */
  readonly intercept: number;
  /** The ends of the 95 % confidence interval of the slope. */
  readonly interval: readonly [number, number];
}

/**
 * The line of Theil (1950) and Sen (1968): the median of the slopes between all pairs, which tolerates up to 29 % outliers.
 * Computes and sorts n^2 / 2 slopes, so it is meant for some hundred points. `inflation` is the factor by which dependence
 * increases the variance, see `mannKendall`.
 * @returns undefined for fewer than two distinct times
 */
export function theilSen(
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  inflation = 1,
): Line | undefined {
  const n = times.length;
  const slopes = new Float64Array((n * (n - 1)) / 2);
  let count = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const elapsed = (times[j] as number) - (times[i] as number);
      if (elapsed !== 0) slopes[count++] = ((values[j] as number) - (values[i] as number)) / elapsed;
    }
  }
  if (count === 0) return undefined;
  const sorted = slopes.subarray(0, count).sort();
  const slope = medianOf(sorted);
  const rests = Float64Array.from(values, (value, i) => value - slope * (times[i] as number)).sort();
  const reach = 1.96 * Math.sqrt(((n * (n - 1) * (2 * n + 5)) / 18) * Math.max(1, inflation));
  const low = Math.max(0, Math.floor((count - reach) / 2) - 1);
  const high = Math.min(count - 1, Math.ceil((count + reach) / 2));
  return {
    slope,
    intercept: medianOf(rests),
    interval: [sorted[low] as number, sorted[high] as number],
  };
}

/** The median of sorted numbers. */
export function medianOf(sorted: ArrayLike<number>): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
