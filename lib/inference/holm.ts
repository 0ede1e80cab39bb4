/**
 * Corrects p-values so that the probability of any wrong rejection is at most the level they are compared with (Holm 1979).
 * In the order given.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues
    .map((_, index) => index)
    .sort((a, b) => (pValues[a] as number) - (pValues[b] as number));
  const corrected = new Array<number>(pValues.length);
  let greatest = 0;
  order.forEach((index, rank) => {
    greatest = Math.max(greatest, Math.min(1, (pValues[index] as number) * (pValues.length - rank)));
    corrected[index] = greatest;
  });
  return corrected;
}
