import { performance } from 'node:perf_hooks';
import { OpenWindow } from './open-window.js';
import type { Totals } from './segment-log.js';

/** What an operation usually takes. */
export interface BaselineLatency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** The operations behind it, the older ones counted less. */
  readonly count: number;
}

/** One operation over time. Told of its operations in slots of ten seconds; holds nothing that grows with them. */
export class OperationHistory {
  /** What it usually takes, once enough is known. */
  usual: BaselineLatency | undefined;
  /** Durations above it are unusual. */
  adaptiveMs = Number.POSITIVE_INFINITY;
  /** It stays open for as long as somebody listens: how long says nothing. */
  isStream = false;
  readonly window = new OpenWindow();

  constructor(
    readonly type: string,
    readonly name: string,
  ) {}

  /** Takes the operations of the slot that began at `at`, in milliseconds on the clock of `performance.now()`. */
  fold(at: number, lengthMs: number, totals: Totals, counts: Float64Array): void {
    if (this.isStream) return;
    const from = performance.timeOrigin + at;
    this.window.fold(totals, counts, from, from + lengthMs);
  }

  /** Adds what one operation spent its time on, see {@link OpenWindow.addWork}. */
  addWork(parts: readonly number[], statements: number): void {
    this.window.addWork(parts, statements);
  }
}
