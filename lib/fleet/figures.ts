import { LatencySketch } from '../baseline/latency-sketch.js';
import { BUCKETS } from '../inference/latency-histogram.js';
import { type LatencySummary, summarize } from '../statistics/latency-summary.js';
import type { OperationStatistics, WindowName } from '../statistics/operation-statistics.js';
import { Totals } from '../statistics/totals.js';
import type { Figures } from './instance-summary.js';

/** `count`, `slow`, `errors`, `expected`, `untimed`, `sumMs`, `minMs`, `maxMs`, and the sketch in base64. */
export type PackedFigures = readonly [...numbers: number[], sketch: string];

const NUMBERS = 8;
/** Of a sketch in base64. It has one to a few bytes for each bucket that is used. */
const MAX_SKETCH_LENGTH = 8192;

// Reused between calls, each of which fills it first.
const scratch = new Float64Array(BUCKETS);

export function newFigures(): Figures {
  return { totals: new Totals(), sketch: new LatencySketch() };
}

/** The figures of a window that ends at `now`, in milliseconds on the clock of `performance.now()`. */
export function figuresOf(
  statistics: OperationStatistics,
  window: WindowName | 'lifetime',
  now: number,
): Figures {
  const figures = newFigures();
  scratch.fill(0);
  statistics.addWindow(window, now, figures.totals, scratch);
  figures.sketch.add(scratch);
  return figures;
}

/** Adds figures to those of another instance. Exact, in any order. */
export function addFigures(sum: Figures, added: Figures): void {
  sum.totals.add(added.totals);
  sum.sketch.merge(added.sketch);
}

export function summaryOf({ totals, sketch }: Figures): LatencySummary {
  scratch.fill(0);
  sketch.addTo(scratch);
  return summarize(totals, scratch);
}

export function packFigures({ totals, sketch }: Figures): PackedFigures {
  const { count, slow, errors, expected, untimed, sum, min, max } = totals;
  const bytes = Buffer.from(sketch.toBytes()).toString('base64');
  return [
    count,
    slow,
    errors,
    expected,
    untimed,
    micros(sum),
    min === Infinity ? 0 : micros(min),
    micros(max),
    bytes,
  ];
}

/** @throws RangeError for anything that {@link packFigures} did not make */
export function unpackFigures(packed: unknown): Figures {
  if (!Array.isArray(packed) || packed.length !== NUMBERS + 1) throw new RangeError('Invalid figures');
  const sketch: unknown = packed[NUMBERS];
  if (typeof sketch !== 'string' || sketch.length > MAX_SKETCH_LENGTH)
    throw new RangeError(`Invalid sketch: expected at most ${MAX_SKETCH_LENGTH} characters`);
  const numbers: unknown[] = packed.slice(0, NUMBERS);
  if (!numbers.every((value) => typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER))
    throw new RangeError('Invalid figures: expected numbers of 0 or more');
  const [count, slow, errors, expected, untimed, sum, min, max] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const totals = Object.assign(new Totals(), { count, slow, errors, expected, untimed, sum, max });
  const timed = count - untimed;
  if (timed > 0) totals.min = min;
  const figures = { totals, sketch: LatencySketch.fromBytes(Buffer.from(sketch, 'base64')) };
  if (figures.sketch.count !== timed)
    throw new RangeError(`Invalid sketch: received ${figures.sketch.count} latencies, expected ${timed}`);
  return figures;
}

/** Rounded to microseconds. */
function micros(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
