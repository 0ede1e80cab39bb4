import { performance } from 'node:perf_hooks';
import { processWide } from './process-wide.js';

/** A stretch in which this package itself kept the event loop, in milliseconds on the clock of `performance.now()`. */
export interface OwnPause {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Shorter ones change no judgement. */
const MIN_MS = 5;
const KEPT = 64;

/**
 * Remembers when this package blocked the event loop: heap snapshots, the start and the end of profiles, source maps. Such a
 * pause is no finding, makes no operation slow, and is no delay of the application.
 */
class OwnPauses {
  /** The end of the latest one. */
  lastEndedAt = Number.NEGATIVE_INFINITY;
  /** All together, in milliseconds. */
  totalMs = 0;
  readonly listeners = new Set<(pause: OwnPause) => void>();
  private readonly kept: OwnPause[] = [];
  isRunning = false;

  run<T>(work: () => T): T {
    if (this.isRunning) return work();
    this.isRunning = true;
    const startedAt = performance.now();
    try {
      return work();
    } finally {
      this.isRunning = false;
      this.ended({ startedAt, endedAt: performance.now() });
    }
  }

  within(from: number, to: number): number {
    if (this.lastEndedAt <= from) return 0;
    let ms = 0;
    for (const { startedAt, endedAt } of this.kept)
      ms += Math.max(0, Math.min(to, endedAt) - Math.max(from, startedAt));
    return ms;
  }

  private ended(pause: OwnPause): void {
    const ms = pause.endedAt - pause.startedAt;
    if (ms < MIN_MS) return;
    this.lastEndedAt = pause.endedAt;
    this.totalMs += ms;
    this.kept.push(pause);
    if (this.kept.length > KEPT) this.kept.shift();
    for (const listener of this.listeners) listener(pause);
  }
}

/** Copies of this package share them, as they share the event loop. */
const pauses = processWide('own-pauses', () => new OwnPauses());

/** Runs synchronous work of this package that may block the event loop, and remembers it as such. */
export function asOwnPause<T>(work: () => T): T {
  return pauses.run(work);
}

/** How long this package kept the event loop within an interval of `performance.now()`, in milliseconds. */
export function ownPauseMs(from: number, to: number): number {
  return pauses.within(from, to);
}

/** The same since the process started. */
export function ownPauseTotalMs(): number {
  return pauses.totalMs;
}

/**
 * The duration by which an operation that ends now is compared with its threshold: without the pauses of this package.
 * @param now milliseconds on the clock of `performance.now()`
 */
export function judgedMs(durationMs: number, now: number): number {
  const from = now - durationMs;
  return pauses.lastEndedAt <= from ? durationMs : durationMs - pauses.within(from, now);
}

/** Whether the code that runs now is such work. */
export function isOwnPause(): boolean {
  return pauses.isRunning;
}

/** Calls a listener after each pause. It must not throw. Returns a function that removes it. */
export function onOwnPause(listener: (pause: OwnPause) => void): () => void {
  pauses.listeners.add(listener);
  return () => pauses.listeners.delete(listener);
}
