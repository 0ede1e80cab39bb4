import { neighbourCorrelation } from '../inference/autocorrelation.js';
import { mannKendall } from '../inference/mann-kendall.js';
import { medianOf, theilSen } from '../inference/theil-sen.js';
import type { LeakBlock } from './leak-blocks.js';
import { loadOfSteps, loadShare } from './leak-load.js';

/** Growth over a window of blocks that may be a leak. */
export interface Growth {
  readonly from: number;
  readonly to: number;
  /** The fitted values at both ends, without what requests in flight explain. */
  readonly first: number;
  readonly last: number;
  /** Bytes per millisecond. */
  readonly slope: number;
  readonly pValue: number;
  /** The slope of the second half as a share of the whole slope, up to 1. A cache that fills is far below 1. */
  readonly steadiness: number;
  /**
   * Bytes that each request in flight holds, and the mean number of those requests, to which the fitted values refer.
   */
  readonly perLoad: number;
  readonly meanLoad: number;
}

/** The minimum that growth must reach. */
export interface LeastGrowth {
  readonly bytes: number;
  /** As a share of the initial value. */
  readonly share: number;
  readonly pValue: number;
  /** Growth in bytes that leaves no time to wait for more blocks. */
  readonly urgentBytes: number;
}

/** The order of fewer blocks proves nothing: 6 that rise without exception have p = 0.004. */
export const LEAST_BLOCKS = 6;
/** If collections are so rare that memory runs out first, fewer blocks suffice if they lie on a line. */
const LEAST_URGENT_BLOCKS = 4;
const URGENT_P_VALUE = 0.003;
/** Fewer blocks are too few to estimate how similar neighbours are. */
const LEAST_CORRELATED = 10;
const LEAST_STEADINESS = 0.45;
/** The rise between the last two quarters as a share of the line's. It is 0 for a cache that has filled. */
const LEAST_AT_END = 0.3;
/** Requests in flight explain the growth as well as time does if their residual is at most this multiple of time's. */
const EQUAL_FIT = 1.5;
/** The upper bound of the correlation between neighbours: so few values do not give a better estimate. */
const MAX_CORRELATION = 0.6;

/** Growth that is significant, large enough, steady and not a single step; else undefined. */
export function growthOf(blocks: readonly LeakBlock[], least: LeastGrowth): Growth | undefined {
  const n = blocks.length;
  const [oldest, newest] = [blocks[0], blocks[n - 1]];
  if (n < LEAST_URGENT_BLOCKS || oldest === undefined || newest === undefined) return undefined;
  const share = loadShare(timesOf(blocks), blocks);
  const { perLoad, pValue: loadPValue } = share;
  if (loadPValue > least.pValue || share.squaresOfLoad < EQUAL_FIT * share.squaresOfCourse) return undefined;
  const { times, values } = adjusted(blocks, perLoad);
  const line = theilSen(times, values);
  if (line === undefined || line.slope <= 0) return undefined;
  const grown = line.slope * (newest.at - oldest.at);
  if (grown < Math.max(least.bytes, least.share * line.intercept)) return undefined;
  const few = n < LEAST_BLOCKS;
  if (few && (grown < least.urgentBytes || loadPValue > URGENT_P_VALUE)) return undefined;
  const rests = values.map((value, i) => value - line.intercept - line.slope * (times[i] as number));
  const rho = neighbourCorrelation(rests, MAX_CORRELATION, LEAST_CORRELATED);
  const pValue = few ? 0 : mannKendall(values, (1 + rho) / (1 - rho)).pValue;
  if (pValue > least.pValue) return undefined;
  const half = n >> 1;
  const steadiness = (theilSen(times.subarray(half), values.subarray(half))?.slope ?? 0) / line.slope;
  if (steadiness < LEAST_STEADINESS || !stillGrows(times, values, line.slope)) return undefined;
  if (isStep(blocks, share.squares)) return undefined;
  return {
    from: oldest.at,
    to: newest.at,
    first: line.intercept,
    last: line.intercept + grown,
    slope: line.slope,
    pValue: Math.max(pValue, loadPValue),
    steadiness: Math.min(1, steadiness),
    perLoad,
    meanLoad: meanLoad(blocks),
  };
}

/**
 * How growth slows with age, as that of a cache with a long tail of keys: the growth of the last half over that of the
 * quarter before, and over that of the first half. Steady growth has 1, logarithmic growth 0.5 or less.
 * @param blocks from the beginning on
 * @param by what growth is measured by: the time, or the requests served, since a cache fills with the traffic
 */
export function slowing(
  blocks: readonly LeakBlock[],
  by: 'at' | 'requests',
): { readonly late: number; readonly whole: number } {
  const start = blocks[0]?.[by] ?? 0;
  const { values } = adjusted(blocks, loadOfSteps(blocks));
  const course = blocks.map((block) => block[by] - start);
  const end = course.at(-1) ?? 0;
  const slopeBetween = (from: number, to: number): number => {
    const inside = [...course.keys()].filter((i) => {
      const place = course[i] as number;
      return place >= from * end && place <= to * end;
    });
    return (
      theilSen(
        inside.map((i) => course[i] as number),
        inside.map((i) => values[i] as number),
      )?.slope ?? 0
    );
  };
  const last = slopeBetween(0.5, 1);
  const ratio = (before: number): number => (before > 0 ? last / before : Number.POSITIVE_INFINITY);
  return { late: ratio(slopeBetween(0.2, 0.55)), whole: ratio(slopeBetween(0, 0.5)) };
}

/** Milliseconds since the first block, and the values minus what requests in flight hold beyond their mean. */
export function adjusted(
  blocks: readonly LeakBlock[],
  perLoad: number,
): { times: Float64Array; values: Float64Array } {
  const load = meanLoad(blocks);
  return {
    times: timesOf(blocks),
    values: Float64Array.from(blocks, (block) => block.value - perLoad * (block.load - load)),
  };
}

/** Whether the last quarter is above the previous one. */
function stillGrows(times: Float64Array, values: Float64Array, slope: number): boolean {
  const quarter = values.length >> 2;
  const middleOf = (series: Float64Array, back: number): number => {
    const end = series.length - back * quarter;
    return medianOf(series.slice(end - quarter, end).sort());
  };
  const elapsed = middleOf(times, 0) - middleOf(times, 1);
  return middleOf(values, 0) - middleOf(values, 1) >= LEAST_AT_END * slope * elapsed;
}

function timesOf(blocks: readonly LeakBlock[]): Float64Array {
  const start = blocks[0]?.at ?? 0;
  return Float64Array.from(blocks, ({ at }) => at - start);
}

function meanLoad(blocks: readonly LeakBlock[]): number {
  let load = 0;
  for (const block of blocks) load += block.load / blocks.length;
  return load;
}

/** Whether two constant levels with a step between them, along with requests in flight, fit as well as the line. */
function isStep(blocks: readonly LeakBlock[], squaresOfLine: number): boolean {
  for (let at = 1; at < blocks.length; at++) {
    const step = Float64Array.from(blocks, (_, i) => (i < at ? 0 : 1));
    if (loadShare(step, blocks).squares < squaresOfLine) return true;
  }
  return false;
}
