import { studentUpper } from '../inference/student-t.js';
import type { LeakBlock } from './leak-blocks.js';

/** How much of a series is explained by a course over time, and how much by requests in flight. */
export interface LoadShare {
  /** Bytes that each request in flight holds; never negative. */
  readonly perLoad: number;
  /** One-sided probability of the growth along the course if requests in flight cause all of it. */
  readonly pValue: number;
  /** The residual sums of squares: of both together, of requests in flight alone, of the course alone. */
  readonly squares: number;
  readonly squaresOfLoad: number;
  readonly squaresOfCourse: number;
}

/**
 * Least squares of the value over a course (time, or a step in it) and requests in flight together. If traffic ramps
 * up, the two cannot be separated, and the p-value of the growth reflects that.
 */
export function loadShare(course: ArrayLike<number>, blocks: readonly LeakBlock[]): LoadShare {
  const n = blocks.length;
  const mean = { t: 0, load: 0, value: 0 };
  blocks.forEach(({ load, value }, i) => {
    mean.t += (course[i] as number) / n;
    mean.load += load / n;
    mean.value += value / n;
  });
  let [tt, tq, qq, tv, qv, vv] = [0, 0, 0, 0, 0, 0];
  blocks.forEach((block, i) => {
    const t = (course[i] as number) - mean.t;
    const q = block.load - mean.load;
    const v = block.value - mean.value;
    tt += t * t;
    tq += t * q;
    qq += q * q;
    tv += t * v;
    qv += q * v;
    vv += v * v;
  });
  const alone = {
    squaresOfLoad: qq > 0 && qv > 0 ? vv - (qv * qv) / qq : vv,
    squaresOfCourse: tt > 0 ? vv - (tv * tv) / tt : vv,
  };
  const determinant = tt * qq - tq * tq;
  const isSeparable = determinant > 1e-6 * tt * qq;
  if (!isSeparable && tt > 0 && qq > 0 && qv > 0) {
    return { perLoad: qv / qq, pValue: 1, squares: Math.max(0, alone.squaresOfLoad), ...alone };
  }
  const perLoad = isSeparable ? (tt * qv - tq * tv) / determinant : 0;
  if (perLoad > 0) {
    const slope = (qq * tv - tq * qv) / determinant;
    const squares = Math.max(0, vv - slope * tv - perLoad * qv);
    return { perLoad, pValue: slopeP(slope, squares, determinant / qq, n - 3), squares, ...alone };
  }
  const slope = tt > 0 ? tv / tt : 0;
  const squares = Math.max(0, vv - slope * tv);
  return { perLoad: 0, pValue: slopeP(slope, squares, tt, n - 2), squares, ...alone };
}

/**
 * Bytes that each request in flight holds, from the steps between neighbours. Unlike {@link loadShare} it does not
 * attribute the curvature of the series to requests.
 */
export function loadOfSteps(blocks: readonly LeakBlock[]): number {
  let [qq, qv] = [0, 0];
  for (let i = 1; i < blocks.length; i++) {
    const [before, block] = [blocks[i - 1] as LeakBlock, blocks[i] as LeakBlock];
    const q = block.load - before.load;
    qq += q * q;
    qv += q * (block.value - before.value);
  }
  return qq > 0 ? Math.max(0, qv / qq) : 0;
}

function slopeP(slope: number, squares: number, information: number, degrees: number): number {
  if (!(slope > 0) || !(information > 0)) return 1;
  const variance = squares / degrees / information;
  return variance > 0 ? studentUpper(slope / Math.sqrt(variance), degrees) : 0;
}
