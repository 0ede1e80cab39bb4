import { judgedMs } from '../async/own-pauses.js';
import type { OperationType } from './operation.js';

/**
 * The thresholds in milliseconds, by type and by route. Operations of a type without a threshold are counted and never slow.
 */
export class Thresholds {
  private readonly byType: ReadonlyMap<string, number>;
  private readonly http: number | undefined;
  private readonly byRoute = new Map<string, number>();

  /** @param byType milliseconds by operation type */
  constructor(byType: Readonly<Record<string, number>>) {
    this.byType = new Map(Object.entries(byType));
    this.http = this.byType.get('http');
  }

  /** The threshold of a type in milliseconds. */
  ofType(type: OperationType): number | undefined {
    return this.byType.get(type);
  }

  /** The threshold of a route by the name of its operation, otherwise that of `http`. */
  ofRoute(name: string): number | undefined {
    return (this.byRoute.size === 0 ? undefined : this.byRoute.get(name)) ?? this.http;
  }

  /**
   * Sets the threshold of a route. Routes are templates, so there are few; the limit is for an application that creates
   * routes at run time.
   */
  setRoute(name: string, thresholdMs: number): void {
    if (this.byRoute.size < 10_000) this.byRoute.set(name, thresholdMs);
  }
}

/**
 * Whether an operation is slow: by its duration without the pauses of this package, and without the time in which it waited
 * for its client.
 * @param limitMs its threshold; without one it is never slow
 * @param endedAt on the clock of `performance.now()`
 */
export function isSlow(
  durationMs: number,
  limitMs: number | undefined,
  endedAt: number,
  clientMs = 0,
): boolean {
  // Most operations are quick, and need no look at the pauses.
  if (limitMs === undefined || durationMs <= limitMs) return false;
  return judgedMs(durationMs, endedAt) - clientMs > limitMs;
}
