import { type OperationWindow, PARTS } from './operation-window.js';
import { METRIC_INDEX, metricsOf, WINDOW_METRICS, type WindowMetric } from './window-metric.js';

/** How many windows are kept. */
export const RING_WINDOWS = 48;
/** Of how many the parts are kept. */
const PARTS_KEPT = 8;
const COUNT = WINDOW_METRICS.length;
const LENGTH = COUNT + 1;
const FIELDS = LENGTH + 1;

const scratch = new Float64Array(WINDOW_METRICS.length);

/** The last windows of an operation, in fixed memory (2.5 KB). They are numbered from the first one that there ever was. */
export class WindowRing {
  private readonly starts = new Float64Array(RING_WINDOWS);
  private readonly fields = new Float32Array(RING_WINDOWS * FIELDS);
  private parts: Float32Array | undefined;
  /** The number of the next window. */
  end = 0;

  /** The number of the oldest window that is there. */
  get first(): number {
    return Math.max(0, this.end - RING_WINDOWS);
  }

  push(window: OperationWindow): void {
    const slot = this.end % RING_WINDOWS;
    this.starts[slot] = window.startedAt;
    metricsOf(window, scratch);
    this.fields.set(scratch, slot * FIELDS);
    this.fields[slot * FIELDS + COUNT] = window.count;
    this.fields[slot * FIELDS + LENGTH] = window.endedAt - window.startedAt;
    this.keepParts(window.partsMs);
    this.end++;
  }

  startedAt(number: number): number {
    return this.starts[number % RING_WINDOWS] as number;
  }

  middle(number: number): number {
    return this.startedAt(number) + this.field(number, LENGTH) / 2;
  }

  endedAt(number: number): number {
    return this.startedAt(number) + this.field(number, LENGTH);
  }

  count(number: number): number {
    return this.field(number, COUNT);
  }

  /** @returns NaN where it is not known */
  value(number: number, metric: WindowMetric): number {
    return this.field(number, METRIC_INDEX[metric]);
  }

  /** The window as it was, in single precision; the parts only of the last eight. */
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

  private field(number: number, field: number): number {
    return this.fields[(number % RING_WINDOWS) * FIELDS + field] as number;
  }

  private keepParts(parts: readonly number[] | undefined): void {
    if (parts === undefined && this.parts === undefined) return;
    this.parts ??= new Float32Array(PARTS_KEPT * PARTS.length).fill(Number.NaN);
    const from = (this.end % PARTS_KEPT) * PARTS.length;
    for (let part = 0; part < PARTS.length; part++) this.parts[from + part] = parts?.[part] ?? Number.NaN;
  }

  private partsOf(number: number): number[] | undefined {
    if (this.parts === undefined || this.end - number > PARTS_KEPT) return undefined;
    const from = (number % PARTS_KEPT) * PARTS.length;
    const parts = Array.from(this.parts.subarray(from, from + PARTS.length));
    return parts.some(Number.isNaN) ? undefined : parts;
  }
}
