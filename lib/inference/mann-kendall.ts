import { normalUpper } from './student-t.js';

/** Whether a series rises or falls, judged by ranks. */
export interface Monotony {
  /** Standard normal without a trend; above 0 for a rise. */
  readonly z: number;
  /** The probability of such a z or a greater one without a rise; one-sided. */
  readonly pValue: number;
  /** Kendall's tau, -1 to 1. */
  readonly tau: number;
}

/**
 * The trend test of Mann (1945) and Kendall (1975), corrected for ties. It assumes independent values; `inflation` is the
 * factor by which dependence increases the variance (Yue and Wang 2004: `n` / effective `n`). Makes n^2 / 2 comparisons,
 * so it is meant for some hundred values.
 */
export function mannKendall(values: ArrayLike<number>, inflation = 1): Monotony {
  const n = values.length;
  let score = 0;
  for (let i = 0; i < n; i++) {
    const value = values[i] as number;
    for (let j = i + 1; j < n; j++) score += Math.sign((values[j] as number) - value);
  }
  const sorted = Float64Array.from(values).sort();
  let ties = 0;
  for (let i = 0; i < n; ) {
    let end = i + 1;
    while (end < n && sorted[end] === sorted[i]) end++;
    const t = end - i;
    ties += t * (t - 1) * (2 * t + 5);
    i = end;
  }
  const variance = ((n * (n - 1) * (2 * n + 5) - ties) / 18) * Math.max(1, inflation);
  if (!(variance > 0)) return { z: 0, pValue: 1, tau: 0 };
  const z = (score - Math.sign(score)) / Math.sqrt(variance);
  return { z, pValue: normalUpper(z), tau: score / ((n * (n - 1)) / 2) };
}
