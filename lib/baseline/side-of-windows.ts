import type { Sample } from '../inference/welch.js';
import { type OperationWindow, PARTS } from '../statistics/operation-window.js';
import type { ChangeMeasure, OperationSide } from './operation-change.js';

const CPU_PART = PARTS.indexOf('self_busy');
/** The lower bound of a latency, 1 µs, since the logarithm of 0 is infinite. */
const MIN_MS = 0.001;

/** The measures that are sampled by windows. Failures are counted instead. */
export const SAMPLED_MEASURES = ['median', 'tail', 'statements', 'cpu'] as const satisfies ChangeMeasure[];
export type SampledMeasure = (typeof SAMPLED_MEASURES)[number];

/** The measures of one window, in the units of {@link OperationSide}; NaN for one that is unknown. */
export type WindowMeasures = Readonly<Record<SampledMeasure, number>>;

export function measuresOf({ p50Ms, tailMs, queries, partsMs }: OperationWindow): WindowMeasures {
  return {
    median: logOf(p50Ms),
    tail: logOf(tailMs ?? Number.NaN),
    statements: queries,
    cpu: logOf(partsMs?.[CPU_PART] ?? Number.NaN),
  };
}

/** One operation over some windows, to compare with others by `compareOperation`. Cold windows are to be left out. */
export function sideOfWindows(windows: readonly OperationWindow[]): OperationSide {
  const measures = windows.filter(({ count }) => count > 0).map(measuresOf);
  const total = (field: 'count' | 'errors'): number => windows.reduce((sum, one) => sum + one[field], 0);
  const side: { [K in SampledMeasure]?: Sample } = {};
  for (const measure of SAMPLED_MEASURES) {
    const sample = sampleOf(measures.map((one) => one[measure]).filter((value) => !Number.isNaN(value)));
    if (sample !== undefined) side[measure] = sample;
  }
  return { count: total('count'), errors: total('errors'), ...side };
}

function sampleOf(values: readonly number[]): Sample | undefined {
  const n = values.length;
  if (n === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, variance: squares / Math.max(1, n - 1) };
}

function logOf(ms: number): number {
  return Math.log(Math.max(MIN_MS, ms));
}
