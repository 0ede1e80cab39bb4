import { describe, expect, it } from '@jest/globals';
import { neighbourCorrelation } from '../../lib/inference/autocorrelation.js';
import { believedUpTo } from '../../lib/inference/benjamini-hochberg.js';
import { mannKendall } from '../../lib/inference/mann-kendall.js';
import { rateRatioUpper } from '../../lib/inference/rate-ratio.js';
import { normalUpper, studentQuantile, studentUpper } from '../../lib/inference/student-t.js';
import { medianOf, theilSen } from '../../lib/inference/theil-sen.js';
import { welch } from '../../lib/inference/welch.js';

describe('Student’s t', () => {
  it.each([
    [1, 0.05, 6.314],
    [1, 0.025, 12.706],
    [5, 0.025, 2.571],
    [10, 0.005, 3.169],
    [30, 0.05, 1.697],
    [120, 0.025, 1.98],
  ])('has the quantiles of the tables: %d degrees, %d', (degrees, upper, t) => {
    expect(studentQuantile(upper, degrees)).toBeCloseTo(t, 3);
    expect(studentUpper(t, degrees)).toBeCloseTo(upper, 4);
    expect(studentUpper(-t, degrees)).toBeCloseTo(1 - upper, 4);
  });

  it('is the normal distribution with many degrees, far out too', () => {
    expect(normalUpper(1.959964)).toBeCloseTo(0.025, 6);
    expect(normalUpper(6) / 9.8659e-10).toBeCloseTo(1, 3);
  });

  it('says nothing of what is not a number', () => {
    expect(studentUpper(Number.NaN, 5)).toBe(1);
    expect(studentUpper(3, 0)).toBe(1);
  });
});

describe('welch', () => {
  it('gives a published example', () => {
    // The first one of "Welch's t-test" in Wikipedia, of rounded figures: t 2.46, 25.0 degrees, two-sided p 0.021.
    const first = { n: 15, mean: 20.82, variance: 7.9 };
    const second = { n: 15, mean: 23.0, variance: 3.8 };
    const { difference, degrees, pValue, interval, standardError } = welch(first, second);
    expect(difference / standardError).toBeCloseTo(2.47, 1);
    expect(degrees).toBeCloseTo(25, 0);
    expect(2 * pValue).toBeGreaterThan(0.015);
    expect(2 * pValue).toBeLessThan(0.03);
    expect(interval[0]).toBeGreaterThan(0);
  });

  it('is one-sided, and certain where nothing scatters', () => {
    const still = { n: 5, mean: 1, variance: 0 };
    expect(welch(still, { ...still, mean: 2 }).pValue).toBe(0);
    expect(welch(still, { ...still, mean: 0 }).pValue).toBe(1);
    expect(welch({ n: 9, mean: 1, variance: 1 }, { n: 9, mean: 1, variance: 1 }).pValue).toBeCloseTo(0.5, 6);
  });
});

describe('mannKendall', () => {
  it('counts the pairs that rise', () => {
    const { tau, z, pValue } = mannKendall([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(tau).toBe(1);
    // S = 45, variance 125: (45 - 1) / sqrt(125).
    expect(z).toBeCloseTo(3.935, 3);
    expect(pValue).toBeCloseTo(4.15e-5, 6);
  });

  it('corrects for ties, and for values that depend on one another', () => {
    // One tie of three among five: (5 * 4 * 15 - 3 * 2 * 11) / 18 = 13.
    expect(mannKendall([1, 2, 2, 2, 3]).z).toBeCloseTo(6 / Math.sqrt(13), 4);
    expect(mannKendall([1, 2, 3, 4, 5], 4).z).toBeCloseTo(mannKendall([1, 2, 3, 4, 5]).z / 2, 6);
  });

  it('finds no rise in constant and falling series', () => {
    expect(mannKendall([3, 3, 3, 3])).toEqual({ z: 0, pValue: 1, tau: 0 });
    expect(mannKendall([5, 4, 3, 2, 1]).pValue).toBeGreaterThan(0.9);
  });
});

describe('theilSen', () => {
  it('finds a line that a quarter of the points is not on', () => {
    const times = Array.from({ length: 20 }, (_, at) => at);
    const values = times.map((time) => (time % 4 === 0 ? 500 : 3 + 2 * time));
    const line = theilSen(times, values);
    expect(line?.slope).toBeCloseTo(2, 6);
    expect(line?.intercept).toBeCloseTo(3, 6);
    expect(line?.interval[0]).toBeLessThanOrEqual(2);
    expect(line?.interval[1]).toBeGreaterThanOrEqual(2);
  });

  it('gives the median of the slopes, and nothing of one moment', () => {
    expect(theilSen([0, 1, 2], [0, 1, 5])?.slope).toBeCloseTo(2.5, 6);
    expect(theilSen([1, 1, 1], [1, 2, 3])).toBeUndefined();
    expect(medianOf([1, 2, 3, 10])).toBe(2.5);
  });
});

describe('believedUpTo', () => {
  // The fifteen p-values of Benjamini and Hochberg (1995), of which four are believed at 0.05.
  const published = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
    0.759, 1,
  ];
  it('believes what the authors believed', () => {
    expect(believedUpTo(published, 0.05)).toBe(0.0095);
    expect(believedUpTo([...published].reverse(), 0.05)).toBe(0.0095);
  });

  it('believes less the more tests there were, and nothing of none', () => {
    expect(believedUpTo(published, 0.05, 400)).toBe(0.0001);
    expect(believedUpTo(published, 0.05, 1e6)).toBe(0);
    expect(believedUpTo([], 0.05)).toBe(0);
  });
});

describe('rateRatioUpper', () => {
  it('is a binomial test of the two stretches', () => {
    // Of 5 events all fall into the second half: 1 / 32.
    expect(rateRatioUpper(5, 100, 0, 100)).toBeCloseTo(1 / 32, 6);
    expect(rateRatioUpper(0, 100, 5, 100)).toBe(1);
    expect(rateRatioUpper(50, 100, 500, 1000)).toBeGreaterThan(0.4);
  });
});

describe('neighbourCorrelation', () => {
  it('sees what lasts, and takes what alternates for none', () => {
    const slow = Array.from({ length: 60 }, (_, at) => Math.sin(at / 8));
    expect(neighbourCorrelation(slow)).toBe(0.95);
    expect(neighbourCorrelation(slow.map((_, at) => (at % 2 === 0 ? 1 : -1)))).toBe(0);
    expect(neighbourCorrelation([1, 1, 1, 1, 1])).toBe(0);
  });
});
