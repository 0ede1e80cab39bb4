import type { Regression } from '../baseline/regression.js';
import type { Finding, FindingType } from '../explain/finding.js';
import type { Leak } from '../leaks/leak.js';
import type { Failures } from '../statistics/failures.js';
import type { LatencySummary } from '../statistics/latency-summary.js';
import type { WindowName } from '../statistics/operation-statistics.js';
import type { BurnRate } from './burn-rate.js';

/** The figures that rules evaluate. They are computed on demand. */
export interface AlertSources {
  /** The types seen so far. */
  types(): readonly string[];
  type(type: string, window: WindowName): LatencySummary | undefined;
  /** @param type absent: the first operation with that name */
  operation(name: string, window: WindowName, type?: string): LatencySummary | undefined;
  /** Every operation that failed at least once within the window. */
  failing(window: WindowName): readonly Failures[];
  /**
   * How long ago the latest operation ended, in milliseconds. Without it, operations never stop.
   * @param type absent: that of the first operation with this name
   * @param name absent: any operation of the type
   */
  quietMs?(type: string | undefined, name: string | undefined): number;
  /** Bytes. */
  heap(): { used: number; limit: number };
  /** Of the last second: the utilization of the event loop (0 to 1), and the longest delay of a timer in milliseconds. */
  eventLoop(): { utilization?: number; delayMaxMs?: number };
  leaks(): readonly Leak[];
  regressions(): readonly Regression[];
  /** Findings seen since this moment, in milliseconds since 1970. */
  findings(type: FindingType, since: number): readonly Finding[];
  burnRates(now: number): readonly BurnRate[];
}

/**
 * Caches the figures of one tick, since many rules read the same ones and each costs a pass over an operation's segments.
 * Bounded by the number of rules.
 */
export class TickSources implements AlertSources {
  private readonly kept = new Map<string, unknown>();

  constructor(private readonly sources: AlertSources) {}

  /** Discards the figures of the last tick. */
  refresh(): void {
    this.kept.clear();
  }

  types(): readonly string[] {
    return this.once('types', () => this.sources.types());
  }

  type(type: string, window: WindowName): LatencySummary | undefined {
    return this.once(`type\n${type}\n${window}`, () => this.sources.type(type, window));
  }

  operation(name: string, window: WindowName, type?: string): LatencySummary | undefined {
    return this.once(`operation\n${type}\n${window}\n${name}`, () =>
      this.sources.operation(name, window, type),
    );
  }

  failing(window: WindowName): readonly Failures[] {
    return this.once(`failing\n${window}`, () => this.sources.failing(window));
  }

  quietMs(type: string | undefined, name: string | undefined): number {
    return this.sources.quietMs?.(type, name) ?? 0;
  }

  heap(): { used: number; limit: number } {
    return this.once('heap', () => this.sources.heap());
  }

  eventLoop(): { utilization?: number; delayMaxMs?: number } {
    return this.once('eventLoop', () => this.sources.eventLoop());
  }

  leaks(): readonly Leak[] {
    return this.once('leaks', () => this.sources.leaks());
  }

  regressions(): readonly Regression[] {
    return this.once('regressions', () => this.sources.regressions());
  }

  findings(type: FindingType, since: number): readonly Finding[] {
    return this.once(`findings\n${type}\n${since}`, () => this.sources.findings(type, since));
  }

  burnRates(now: number): readonly BurnRate[] {
    return this.once('burnRates', () => this.sources.burnRates(now));
  }

  private once<T>(key: string, compute: () => T): T {
    if (this.kept.has(key)) return this.kept.get(key) as T;
    const value = compute();
    this.kept.set(key, value);
    return value;
  }
}
