/**
 * Weight, mean and sum of squared deviations in three numbers of an array, updated as by Welford (1962) and merged as by
 * Chan, Golub and LeVeque (1979), so that rounding does not destroy the variance of values far from 0.
 */
export const MOMENTS = 3;

/** Adds one value. `at` is the index of the first of the three numbers. */
export function addValue(
  moments: Float32Array | Float64Array,
  at: number,
  value: number,
  weight: number,
): void {
  const before = moments[at] as number;
  const total = before + weight;
  if (!(total > 0)) return;
  const mean = moments[at + 1] as number;
  const difference = value - mean;
  moments[at] = total;
  moments[at + 1] = mean + (difference * weight) / total;
  (moments[at + 2] as number) += (difference * difference * before * weight) / total;
}

/** Adds everything that `other` contains at the same index. */
export function mergeMoments(moments: Float32Array, other: Float32Array, at: number): void {
  const weight = other[at] as number;
  if (!(weight > 0)) return;
  addValue(moments, at, other[at + 1] as number, weight);
  (moments[at + 2] as number) += other[at + 2] as number;
}

/** Multiplies the weight by a factor of 0 to 1; the mean stays. */
export function decayMoments(moments: Float32Array, at: number, factor: number): void {
  (moments[at] as number) *= factor;
  (moments[at + 2] as number) *= factor;
}
