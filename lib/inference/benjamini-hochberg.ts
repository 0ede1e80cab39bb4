/**
 * Controls the false discovery rate of tests made at once (Benjamini and Hochberg 1995): of the accepted ones, at most the
 * share `rate` is expected to be wrong.
 * @param pValues of the tests considered
 * @param tests how many tests were made in all, if those with great p-values were left out
 * @returns the greatest accepted p-value; 0 if none is accepted
 */
export function believedUpTo(pValues: readonly number[], rate: number, tests = pValues.length): number {
  const sorted = [...pValues].sort((a, b) => a - b);
  for (let rank = sorted.length; rank > 0; rank--) {
    const p = sorted[rank - 1] as number;
    if (p <= (rate * rank) / tests) return p;
  }
  return 0;
}
