import { type OperationWindow, PARTS } from '../statistics/operation-window.js';
import { METRIC_INDEX, metricsOf, WINDOW_METRICS, type WindowMetric } from './window-metric.js';

/** The number of windows kept. */
export const RING_WINDOWS = 40;
/** The number of windows whose parts are kept. */
const PARTS_KEPT = 8;
const COUNT = WINDOW_METRICS.length;
// The layout of a window: its metrics, its length, its start (two numbers) and its count (two numbers).
const LENGTH = COUNT;
const START = LENGTH + 1;
const OPERATIONS = START + 2;
const FIELDS = OPERATIONS + 2;
const PARTS_AT = RING_WINDOWS * FIELDS;
const NUMBERS = PARTS_AT + PARTS_KEPT * PARTS.length;
/** The resolution of moments. 32 bits last for more than a year. */
const MOMENT_MS = 10;
/** The resolution of lengths, which are at most nine hours. */
const LENGTH_MS = 1000;
const UNKNOWN = -32_768;
const MAX = 32_767;
// Logarithms have a resolution of 1/1000, positive values as log(1 + x) one of 1/2500, shares one of 1/32,767.
const LOG_SCALE = 1000;
const LOG1P_SCALE = 2500;

/**
 * The last 40 windows of an operation in 1.4 KB. A metric takes two bytes, which is far finer than windows differ. Windows
 * are numbered from the first one ever added. One array, since each array costs 200 bytes.
 */
export class WindowRing {
  private readonly numbers = new Int16Array(NUMBERS);
  /** The start of the first window, which moments are relative to. */
  private origin = 0;
  private hasParts = false;
  private begin = 0;
  /** The number of the next window. */
  end = 0;

  /** The number of the oldest window kept. */
  get first(): number {
    return Math.max(this.begin, this.end - RING_WINDOWS);
  }

  /** Discards all windows. */
  clear(): void {
    this.begin = this.end;
  }

  /** The number of the first window kept that ends after `at`; `end` if none does. */
  numberAt(at: number): number {
    let number = this.first;
    while (number < this.end && this.endedAt(number) <= at) number++;
    return number;
  }

  push(window: OperationWindow): void {
    const from = (this.end % RING_WINDOWS) * FIELDS;
    if (this.end === 0) this.origin = window.startedAt;
    this.setUint32(from + START, Math.max(0, Math.round((window.startedAt - this.origin) / MOMENT_MS)));
    this.setUint32(from + OPERATIONS, window.count);
    metricsOf(window).forEach((value, metric) => {
      this.numbers[from + metric] = packed(value, metric);
    });
    const length = Math.round((window.endedAt - window.startedAt) / LENGTH_MS);
    this.numbers[from + LENGTH] = Math.min(MAX, length);
    this.keepParts(window.partsMs);
    this.end++;
  }

  startedAt(number: number): number {
    return this.origin + this.uint32((number % RING_WINDOWS) * FIELDS + START) * MOMENT_MS;
  }

  middle(number: number): number {
    return this.startedAt(number) + this.length(number) / 2;
  }

  endedAt(number: number): number {
    return this.startedAt(number) + this.length(number);
  }

  count(number: number): number {
    return this.uint32((number % RING_WINDOWS) * FIELDS + OPERATIONS);
  }

  /** @returns NaN if unknown */
  value(number: number, metric: WindowMetric): number {
    const index = METRIC_INDEX[metric];
    return unpacked(this.numbers[(number % RING_WINDOWS) * FIELDS + index] as number, index);
  }

  /** The rounded window. Only the last eight have parts. */
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

  private setUint32(at: number, value: number): void {
    this.numbers[at] = value & 0xffff;
    this.numbers[at + 1] = value >>> 16;
  }

  private uint32(at: number): number {
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
      this.numbers[from + part] = packedPositive(parts?.[part] ?? Number.NaN);
    }
  }

  private partsOf(number: number): number[] | undefined {
    if (!this.hasParts || this.end - number > PARTS_KEPT) return undefined;
    const from = PARTS_AT + (number % PARTS_KEPT) * PARTS.length;
    const parts = Array.from(this.numbers.subarray(from, from + PARTS.length), unpackedPositive);
    return parts.some(Number.isNaN) ? undefined : parts;
  }
}

function packed(value: number, metric: number): number {
  if (metric === METRIC_INDEX.queries) return packedPositive(value);
  if (Number.isNaN(value)) return UNKNOWN;
  return metric === METRIC_INDEX.over_p99 || metric === METRIC_INDEX.error_rate
    ? bounded(value * MAX)
    : bounded(value * LOG_SCALE);
}

function unpacked(number: number, metric: number): number {
  if (metric === METRIC_INDEX.queries) return unpackedPositive(number);
  if (number === UNKNOWN) return Number.NaN;
  return metric === METRIC_INDEX.over_p99 || metric === METRIC_INDEX.error_rate
    ? number / MAX
    : number / LOG_SCALE;
}

function packedPositive(value: number): number {
  return Number.isNaN(value) ? UNKNOWN : bounded(Math.log1p(value) * LOG1P_SCALE);
}

function unpackedPositive(number: number): number {
  return number === UNKNOWN ? Number.NaN : Math.expm1(number / LOG1P_SCALE);
}

function bounded(value: number): number {
  return Math.max(-MAX, Math.min(MAX, Math.round(value)));
}
