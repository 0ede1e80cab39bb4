/**
 * Which of many tests made at once are to be believed, so that of those at most the share `rate` is expected to be wrong
 * (Benjamini and Hochberg 1995).
 * @param pValues of the tests that were looked at
 * @param tests how many there were in all, where those with great p-values were left out
 * @returns the greatest p-value to be believed; 0 where there is none
 */
export function believedUpTo(pValues: readonly number[], rate: number, tests = pValues.length): number {
  const sorted = [...pValues].sort((a, b) => a - b);
  for (let rank = sorted.length; rank > 0; rank--) {
    const p = sorted[rank - 1] as number;
    if (p <= (rate * rank) / tests) return p;
  }
  return 0;
}
