import { performance } from 'node:perf_hooks';
import { addValue, MOMENTS } from '../inference/moments.js';
import { OpenWindow } from './open-window.js';
import type { Totals } from './totals.js';

/** The latency of an operation according to its baseline, in milliseconds. */
export interface BaselineLatency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** The operations behind it, older ones weighted less. */
  readonly count: number;
}

/** The history of one operation, fed in slots of ten seconds. Constant memory. */
export class OperationHistory {
  /** Its baseline latency, once enough is known. */
  baseline: BaselineLatency | undefined;
  /** The adaptive threshold in milliseconds: longer executions are unusual. */
  adaptiveMs = Number.POSITIVE_INFINITY;
  /** Whether it is a stream: it stays open as long as the client listens, so its duration means nothing. */
  isStream = false;
  /** The handler that serves it, `UsersController.findOne`; undefined for what is no request of a handler. */
  handler: string | undefined;
  readonly window = new OpenWindow();
  /** The moments of the statements of its executions, since counting started. */
  readonly statements = new Float64Array(MOMENTS);

  constructor(
    readonly type: string,
    readonly name: string,
  ) {}

  /** Adds the operations of the slot that began at `at`, in milliseconds on the clock of `performance.now()`. */
  fold(at: number, lengthMs: number, totals: Totals, counts: Float64Array): void {
    if (this.isStream) return;
    const from = performance.timeOrigin + at;
    this.window.fold(totals, counts, from, from + lengthMs);
  }

  /** Adds the time and the statements of one operation, see {@link OpenWindow.addWork}. */
  addWork(parts: readonly number[], statements: number): void {
    this.window.addWork(parts, statements);
    addValue(this.statements, 0, statements, 1);
  }
}
