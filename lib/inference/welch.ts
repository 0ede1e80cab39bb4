import { studentQuantile, studentUpper } from './student-t.js';

/** A sample, summed up. `variance` is that of the single values (divided by n - 1). */
export interface Sample {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

/** How two samples differ. */
export interface Difference {
  /** The second mean less the first. */
  readonly difference: number;
  readonly standardError: number;
  readonly degrees: number;
  /** How probable a difference as great as this or greater is where there is none; one-sided: the second is greater. */
  readonly pValue: number;
  /** The ends of the 95 % confidence interval of the difference. */
  readonly interval: readonly [number, number];
}

/**
 * Welch's test, which does not take the two variances for equal. `n` may be an effective number, as it is of values
 * that depend on one another: see {@link effectiveSize}.
 */
export function welch(before: Sample, after: Sample): Difference {
  const a = before.variance / before.n;
  const b = after.variance / after.n;
  const standardError = Math.sqrt(a + b);
  const difference = after.mean - before.mean;
  const degrees = Math.max(
    1,
    (a + b) ** 2 / (a ** 2 / Math.max(before.n - 1, 0.5) + b ** 2 / Math.max(after.n - 1, 0.5)),
  );
  if (!(standardError > 0)) {
    const pValue = difference > 0 ? 0 : 1;
    return { difference, standardError: 0, degrees: 1, pValue, interval: [difference, difference] };
  }
  const reach = studentQuantile(0.025, degrees) * standardError;
  return {
    difference,
    standardError,
    degrees,
    pValue: studentUpper(difference / standardError, degrees),
    interval: [difference - reach, difference + reach],
  };
}
