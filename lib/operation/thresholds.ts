import type { OperationType } from './operation.js';

/**
 * What slow means: milliseconds by type, and by operation name where a route has its own. A type without a
 * threshold is counted and never slow.
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

  /** The threshold of a route by its operation name, or that of `http`. */
  ofRoute(name: string): number | undefined {
    return (this.byRoute.size === 0 ? undefined : this.byRoute.get(name)) ?? this.http;
  }

  /**
   * Gives a route its own threshold. Routes are a finite set of an application's own, named by template; the
   * bound is for an application that makes them up as it goes.
   */
  setRoute(name: string, thresholdMs: number): void {
    if (this.byRoute.size < 10_000) this.byRoute.set(name, thresholdMs);
  }
}
