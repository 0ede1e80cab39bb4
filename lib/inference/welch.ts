import { studentQuantile, studentUpper } from './student-t.js';

/** A summarised sample. `variance` is that of single values (divided by n - 1). */
export interface Sample {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

/** The difference of two samples. */
export interface Difference {
  /** The second mean minus the first. */
  readonly difference: number;
  readonly standardError: number;
  readonly degrees: number;
  /** The one-sided probability of a difference as great or greater if the second mean is not greater. */
  readonly pValue: number;
  /** The ends of the 95 % confidence interval of the difference. */
  readonly interval: readonly [number, number];
}

/** Welch's test, which allows unequal variances. For dependent values, `n` is the effective sample size. */
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
