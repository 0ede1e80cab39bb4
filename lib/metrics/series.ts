import type { Attributes } from '@opentelemetry/api';
import { Latencies } from '../inference/latencies.js';
import { BUCKETS } from '../inference/latency-histogram.js';
import type { Exemplar, HistogramPoint } from './metric.js';

/** How OpenTelemetry marks the series of what had none of its own. */
export const OVERFLOW: Attributes = { 'otel.metric.overflow': true };

/** Series of one name that differ by status, port and the like; so many are looked through one by one. */
const MAX_VARIANTS = 50;

/** How many more series there may be, over several metrics. */
export class SeriesBudget {
  private left: number;

  constructor(private readonly max: number) {
    this.left = max;
  }

  /** @returns whether there was one left */
  take(): boolean {
    if (this.left === 0) return false;
    this.left--;
    return true;
  }

  refill(): void {
    this.left = this.max;
  }
}

/** What tells the series of one operation's name apart: a status, a port, a database. */
export type Variant = string | number | boolean | undefined;

/** One series of durations. */
export class DurationSeries extends Latencies {
  /** The newest slow one. */
  exemplar: Exemplar | undefined;

  constructor(
    /** The same object for each measurement. */
    readonly attributes: Attributes,
    readonly first: Variant,
    readonly second: Variant,
  ) {
    super();
  }
}

/**
 * The series of one metric. They are found by an operation's name and two more values, without making a key of them:
 * that is all that is done on the way of an operation.
 * @typeParam T what attributes are made of when a series is new
 */
export class SeriesTable<T> {
  private readonly byName = new Map<string, DurationSeries[]>();
  private overflow: DurationSeries | undefined;

  constructor(
    private readonly budget: SeriesBudget,
    private readonly attributesOf: (name: string, first: Variant, second: Variant, from: T) => Attributes,
  ) {}

  /** The series of these, or the one for all that have none of their own. */
  find(name: string, first: Variant, second: Variant, from: T): DurationSeries {
    const variants = this.byName.get(name);
    if (variants !== undefined) {
      for (const series of variants) if (series.first === first && series.second === second) return series;
    }
    return this.create(name, variants, first, second, from);
  }

  /** Those that counted something. */
  *[Symbol.iterator](): Iterator<DurationSeries> {
    for (const variants of this.byName.values()) yield* variants;
    if (this.overflow !== undefined) yield this.overflow;
  }

  clear(): void {
    this.byName.clear();
    this.overflow = undefined;
  }

  private create(
    name: string,
    variants: DurationSeries[] | undefined,
    first: Variant,
    second: Variant,
    from: T,
  ): DurationSeries {
    if ((variants?.length ?? 0) >= MAX_VARIANTS || !this.budget.take()) {
      this.overflow ??= new DurationSeries(OVERFLOW, undefined, undefined);
      return this.overflow;
    }
    const series = new DurationSeries(this.attributesOf(name, first, second, from), first, second);
    if (variants === undefined) this.byName.set(name, [series]);
    else variants.push(series);
    return series;
  }
}

const counts = new Float64Array(BUCKETS);

/** Series as points. */
export function* seriesPoints(table: Iterable<DurationSeries>): Iterable<HistogramPoint> {
  for (const { attributes, exemplar, histogram, count, sum, min, max } of table) {
    counts.fill(0);
    histogram.addTo(counts);
    yield { attributes, exemplar, count, sumMs: sum, minMs: min, maxMs: max, buckets: counts };
  }
}
