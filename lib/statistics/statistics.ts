import { type OperationType, OTHER } from '../operation/operation.js';
import { round } from '../text/round.js';
import type { Failures } from './failures.js';
import { firstInOrder } from './first-in-order.js';
import { type LatencySummary } from './latency-summary.js';
import { type NamedStatistics, type TypeStatistics, withWindows } from './named-statistics.js';
import { costOf, type OperationCost, type OperationTotals } from './operation-cost.js';
import type { OperationHistory } from './operation-history.js';
import { OperationStatistics, type WindowName } from './operation-statistics.js';
import { mostCost, mostTime, type NamedOperation } from './ranking.js';
import { Totals } from './totals.js';

/** The median of fewer operations is not reported. */
const MIN_FOR_MEDIAN = 10;

/** Further types are counted as `(other)`. */
const MAX_TYPES = 64;

/**
 * Counts every operation by type and by name. The number of names is bounded: beyond the bound, new names are counted as
 * `(other)` of their type.
 */
export class Statistics {
  private byType = new Map<string, OperationStatistics>();
  private byName = new Map<string, Map<string, OperationStatistics>>();
  private names = 0;
  /** Operations counted as `(other)`. */
  overflowed = 0;

  /**
   * @param maxOperations the maximum number of names
   * @param historyOf creates the history of an operation on its first execution
   */
  constructor(
    private readonly maxOperations: number,
    private readonly historyOf?: (type: string, name: string) => OperationHistory | undefined,
  ) {}

  /**
   * Counts one operation. `now` is milliseconds on a monotonic clock.
   * @param limitMs its threshold
   * @param expected whether its error is an expected one
   * @param isStream whether it is open, or waits, for as long as the other side wants: its duration is no latency of its
   * type
   * @param selfMs its time without operations below it, where that is known
   * @returns its history, if it has one
   */
  record(
    type: OperationType,
    name: string,
    durationMs: number,
    slow: boolean,
    error: boolean,
    now: number,
    limitMs?: number,
    expected = false,
    isStream = false,
    selfMs?: number,
  ): OperationHistory | undefined {
    let ofType = this.byType.get(type);
    let key: string = type;
    if (ofType === undefined) {
      if (this.byType.size >= MAX_TYPES) key = OTHER;
      ofType = this.byType.get(key);
      if (ofType === undefined) {
        ofType = new OperationStatistics();
        this.byType.set(key, ofType);
        this.byName.set(key, new Map());
      }
    }
    ofType.record(durationMs, slow, error, now, limitMs, expected, !isStream);
    const named = this.operation(key, name);
    named.record(durationMs, slow, error, now, limitMs, expected);
    if (selfMs !== undefined) named.addSelf(selfMs);
    return named.history;
  }

  private operation(type: string, name: string): OperationStatistics {
    const names = this.byName.get(type) as Map<string, OperationStatistics>;
    const known = names.get(name);
    if (known !== undefined) return known;
    let key = name;
    let history: OperationHistory | undefined;
    const place = this.names;
    if (this.names >= this.maxOperations) {
      this.overflowed++;
      key = OTHER;
      const other = names.get(key);
      if (other !== undefined) return other;
    } else {
      this.names++;
      history = this.historyOf?.(type, name);
      // It outlasts a reset.
      history?.statements.fill(0);
    }
    const created = new OperationStatistics(history, place);
    names.set(key, created);
    return created;
  }

  /** The statistics of one operation; undefined if it has not ended yet. */
  of(type: string, name: string): OperationStatistics | undefined {
    return this.byName.get(type)?.get(name);
  }

  /** The history of an operation, if it has one. */
  history(type: string, name: string): OperationHistory | undefined {
    return this.byName.get(type)?.get(name)?.history;
  }

  /** Every operation, in the order of first execution within its type. */
  *all(): Iterable<NamedOperation> {
    for (const [type, names] of this.byName) {
      for (const [name, statistics] of names) yield { type, name, statistics };
    }
  }

  /** Every operation with a history. */
  *withHistory(): Iterable<OperationStatistics & { readonly history: OperationHistory }> {
    for (const names of this.byName.values()) {
      for (const statistics of names.values()) {
        if (statistics.history !== undefined) yield statistics as never;
      }
    }
  }

  /** The operations with the most executions. */
  busiest(limit: number): { type: string; name: string; count: number }[] {
    const all: { type: string; name: string; count: number }[] = [];
    for (const [type, names] of this.byName) {
      for (const [name, { count }] of names) all.push({ type, name, count });
    }
    return firstInOrder(all, limit, (a, b) => b.count - a.count);
  }

  /** Every type, in the order of first execution. */
  *allTypes(): Iterable<{ type: string; statistics: OperationStatistics }> {
    for (const [type, statistics] of this.byType) yield { type, statistics };
  }

  /** Executions of a type. */
  countOf(type: string): number {
    return this.byType.get(type)?.count ?? 0;
  }

  /** The types seen so far. */
  types(): string[] {
    return [...this.byType.keys()];
  }

  /** The figures of one type in a window. */
  typeSummary(type: string, window: WindowName | 'lifetime', now: number): LatencySummary | undefined {
    return this.byType.get(type)?.summary(window, now);
  }

  /** The figures of one operation in a window; without a type, of the first operation with that name. */
  operationSummary(
    name: string,
    window: WindowName,
    now: number,
    type?: OperationType,
  ): LatencySummary | undefined {
    return this.find(name, type)?.summary(window, now);
  }

  /**
   * How long ago the latest operation ended, in milliseconds; Infinity if there was none.
   * @param name absent: any operation of the type
   * @param type absent: that of the first operation with this name
   */
  quietMs(type: OperationType | undefined, name: string | undefined, now: number): number {
    const statistics = name === undefined ? this.byType.get(type ?? '') : this.find(name, type);
    return now - (statistics?.lastAt ?? Number.NEGATIVE_INFINITY);
  }

  private find(name: string, type: OperationType | undefined): OperationStatistics | undefined {
    if (type !== undefined) return this.byName.get(type)?.get(name);
    for (const names of this.byName.values()) {
      const found = names.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The median of an operation over its lifetime, in milliseconds; undefined for fewer than 10 executions. */
  median(type: OperationType, name: string, now: number): number | undefined {
    const statistics = this.byName.get(type)?.get(name);
    return statistics === undefined || statistics.count < MIN_FOR_MEDIAN
      ? undefined
      : statistics.summary('lifetime', now).p50;
  }

  /** The number of distinct names. */
  get nameCount(): number {
    return this.names;
  }

  /** All operations counted, and the slow ones among them. */
  totals(): { count: number; slowCount: number } {
    let count = 0;
    let slowCount = 0;
    for (const statistics of this.byType.values()) {
      count += statistics.count;
      slowCount += statistics.slowCount;
    }
    return { count, slowCount };
  }

  /** The figures of every type. */
  typeStatistics(now: number): Record<string, TypeStatistics> {
    return Object.fromEntries(
      Array.from(this.byType, ([type, statistics]) => [type, withWindows(statistics, now)]),
    );
  }

  /** The figures of the operations with the most total time, up to `limit`. */
  namedStatistics(now: number, limit: number): NamedStatistics[] {
    return [...this.eachNamed(now, limit)];
  }

  /** As {@link namedStatistics}, one at a time. */
  *eachNamed(now: number, limit: number): Generator<NamedStatistics, void, undefined> {
    for (const { type, name, statistics } of mostTime(this.named(), limit)) {
      yield {
        type,
        name,
        totalMs: round(statistics.totalMs),
        ...(statistics.selfMs >= 0 ? { selfMs: round(statistics.selfMs) } : {}),
        excessMs: round(statistics.excessMs),
        ...withWindows(statistics, now),
      };
    }
  }

  /**
   * The operations with the most excess time, then those with the most total time, up to `limit`.
   * @param always operations to include whatever they cost
   */
  costs(now: number, limit: number, always: readonly { type: string; name: string }[] = []): OperationCost[] {
    const certain = new Set<OperationStatistics>();
    for (const { type, name } of always.slice(0, limit)) {
      const statistics = this.byName.get(type)?.get(name);
      if (statistics !== undefined) certain.add(statistics);
    }
    return mostCost(this.named(), limit, certain).map(({ type, name, statistics }) =>
      costOf(type, name, statistics, now),
    );
  }

  /**
   * Every operation that failed within a window, in no particular order. An operation without a failure costs one
   * comparison, one with failures about a microsecond.
   */
  failing(window: WindowName, now: number): Failures[] {
    const failing: Failures[] = [];
    const totals = new Totals();
    for (const [type, names] of this.byName) {
      for (const [name, statistics] of names) {
        totals.clear();
        if (!statistics.addFailing(window, now, totals)) continue;
        const failureCount = totals.errors - totals.expected;
        if (failureCount > 0) failing.push({ type, name, count: totals.count, failureCount });
      }
    }
    return failing;
  }

  /** The totals of every operation, in no particular order. No percentile is computed. */
  eachTotal(): OperationTotals[] {
    return this.named().map(({ type, name, statistics }) => ({
      type,
      name,
      count: statistics.count,
      slowCount: statistics.slowCount,
      totalMs: round(statistics.totalMs),
      excessMs: round(statistics.excessMs),
      ...(statistics.history?.handler === undefined ? {} : { handler: statistics.history.handler }),
    }));
  }

  private named(): NamedOperation[] {
    const all: NamedOperation[] = [];
    for (const [type, names] of this.byName) {
      for (const [name, statistics] of names) all.push({ type, name, statistics });
    }
    return all;
  }

  /** Discards all figures. */
  reset(): void {
    this.byType = new Map();
    this.byName = new Map();
    this.names = 0;
    this.overflowed = 0;
  }
}
