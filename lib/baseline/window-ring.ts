import { type OperationWindow, PARTS } from '../statistics/operation-window.js';
import { METRIC_INDEX, metricsOf, WINDOW_METRICS, type WindowMetric } from './window-metric.js';

/** How many windows are kept. */
export const RING_WINDOWS = 40;
/** Of how many the parts are kept. */
const PARTS_KEPT = 8;
const COUNT = WINDOW_METRICS.length;
// A window's numbers: its metrics, its length, its start and its count, of which each takes two.
const LENGTH = COUNT;
const START = LENGTH + 1;
const OPERATIONS = START + 2;
const FIELDS = OPERATIONS + 2;
const PARTS_AT = RING_WINDOWS * FIELDS;
const NUMBERS = PARTS_AT + PARTS_KEPT * PARTS.length;
/** Moments are kept to so many milliseconds: for a year and more. */
const MOMENT_MS = 10;
const LENGTH_MS = 100;
const UNKNOWN = -32_768;
const MOST = 32_767;
/** Logarithms are kept to a thousandth; what is above 0, as the logarithm of one more, to 1/2500; shares to 1/32,767. */
const LOG = 1000;
const LOG_OF_MORE = 2500;

const scratch = new Float64Array(WINDOW_METRICS.length);

/**
 * The last windows of an operation, in some 1.4 KB: a metric is two bytes, which is finer than windows differ by far. They
 * are numbered from the first one that there ever was. One array, as each takes 200 bytes for itself.
 */
export class WindowRing {
  private readonly numbers = new Int16Array(NUMBERS);
  /** What moments are counted from. */
  private origin = 0;
  private hasParts = false;
  /** The number of the next window. */
  end = 0;

  /** The number of the oldest window that is there. */
  get first(): number {
    return Math.max(0, this.end - RING_WINDOWS);
  }

  push(window: OperationWindow): void {
    const from = (this.end % RING_WINDOWS) * FIELDS;
    if (this.end === 0) this.origin = window.startedAt;
    this.keepWhole(from + START, Math.max(0, Math.round((window.startedAt - this.origin) / MOMENT_MS)));
    this.keepWhole(from + OPERATIONS, window.count);
    metricsOf(window, scratch);
    for (let metric = 0; metric < WINDOW_METRICS.length; metric++) {
      this.numbers[from + metric] = packed(scratch[metric] as number, metric);
    }
    const length = Math.round((window.endedAt - window.startedAt) / LENGTH_MS);
    this.numbers[from + LENGTH] = Math.min(MOST, length);
    this.keepParts(window.partsMs);
    this.end++;
  }

  startedAt(number: number): number {
    return this.origin + this.whole((number % RING_WINDOWS) * FIELDS + START) * MOMENT_MS;
  }

  middle(number: number): number {
    return this.startedAt(number) + this.length(number) / 2;
  }

  endedAt(number: number): number {
    return this.startedAt(number) + this.length(number);
  }

  count(number: number): number {
    return this.whole((number % RING_WINDOWS) * FIELDS + OPERATIONS);
  }

  /** @returns NaN where it is not known */
  value(number: number, metric: WindowMetric): number {
    const index = METRIC_INDEX[metric];
    return unpacked(this.numbers[(number % RING_WINDOWS) * FIELDS + index] as number, index);
  }

  /** The window as it was, but for rounding; the parts only of the last eight. */
  window(number: number): OperationWindow {
    const count = this.count(number);
    const parts = this.partsOf(number);
    return {
      startedAt: this.startedAt(number),
      endedAt: this.endedAt(number),
      count,
      errors: Math.round(this.value(number, 'error_rate') * count),
      meanMs: Math.exp(this.value(number, 'mean')),
      meanLog: this.value(number, 'mean_log'),
      p50Ms: Math.exp(this.value(number, 'p50')),
      p90Ms: Math.exp(this.value(number, 'p90')),
      p99Ms: Math.exp(this.value(number, 'p99')),
      overP99: Math.round(this.value(number, 'over_p99') * count),
      queries: this.value(number, 'queries'),
      ...(parts === undefined ? {} : { partsMs: parts }),
    };
  }

  /** A whole number of 32 bits. */
  private keepWhole(at: number, value: number): void {
    this.numbers[at] = value & 0xffff;
    this.numbers[at + 1] = value >>> 16;
  }

  private whole(at: number): number {
    const low = (this.numbers[at] as number) & 0xffff;
    return ((this.numbers[at + 1] as number) & 0xffff) * 0x1_0000 + low;
  }

  private length(number: number): number {
    return (this.numbers[(number % RING_WINDOWS) * FIELDS + LENGTH] as number) * LENGTH_MS;
  }

  private keepParts(parts: readonly number[] | undefined): void {
    if (parts === undefined && !this.hasParts) return;
    if (!this.hasParts) this.numbers.fill(UNKNOWN, PARTS_AT);
    this.hasParts = true;
    const from = PARTS_AT + (this.end % PARTS_KEPT) * PARTS.length;
    for (let part = 0; part < PARTS.length; part++) {
      this.numbers[from + part] = packedAboveZero(parts?.[part] ?? Number.NaN);
    }
  }

  private partsOf(number: number): number[] | undefined {
    if (!this.hasParts || this.end - number > PARTS_KEPT) return undefined;
    const from = PARTS_AT + (number % PARTS_KEPT) * PARTS.length;
    const parts = Array.from(this.numbers.subarray(from, from + PARTS.length), unpackedAboveZero);
    return parts.some(Number.isNaN) ? undefined : parts;
  }
}

function packed(value: number, metric: number): number {
  if (metric === METRIC_INDEX.queries) return packedAboveZero(value);
  if (Number.isNaN(value)) return UNKNOWN;
  return metric === METRIC_INDEX.over_p99 || metric === METRIC_INDEX.error_rate
    ? bounded(value * MOST)
    : bounded(value * LOG);
}

function unpacked(number: number, metric: number): number {
  if (metric === METRIC_INDEX.queries) return unpackedAboveZero(number);
  if (number === UNKNOWN) return Number.NaN;
  return metric === METRIC_INDEX.over_p99 || metric === METRIC_INDEX.error_rate
    ? number / MOST
    : number / LOG;
}

function packedAboveZero(value: number): number {
  return Number.isNaN(value) ? UNKNOWN : bounded(Math.log1p(value) * LOG_OF_MORE);
}

function unpackedAboveZero(number: number): number {
  return number === UNKNOWN ? Number.NaN : Math.expm1(number / LOG_OF_MORE);
}

function bounded(value: number): number {
  return Math.max(-MOST, Math.min(MOST, Math.round(value)));
}
