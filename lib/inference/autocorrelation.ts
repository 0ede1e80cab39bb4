/**
 * The lag-1 autocorrelation of a series, corrected for its bias in short series (Marriott and Pope 1954).
 * @returns 0 to `most`; 0 for a negative one and for fewer than `least` values
 */
export function neighbourCorrelation(values: ArrayLike<number>, most = 0.95, least = 5): number {
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += (values[i] as number) / n;
  let products = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const value = (values[i] as number) - mean;
    squares += value * value;
    if (i > 0) products += value * ((values[i - 1] as number) - mean);
  }
  if (!(squares > 0) || n < least) return 0;
  const rho = products / squares;
  return Math.min(most, Math.max(0, (n * rho + 1) / (n - 4)));
}
