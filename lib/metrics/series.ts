import { createHash } from 'node:crypto';
import type { Attributes } from '@opentelemetry/api';
import { Latencies } from '../inference/latencies.js';
import { BUCKETS } from '../inference/latency-histogram.js';
import type { Exemplar, HistogramPoint } from './metric.js';

/** The longest text of an attribute. */
const MAX_CHARACTERS = 256;
/** OpenTelemetry's attribute of the series that counts everything beyond the limit of series. */
export const OVERFLOW: Attributes = { 'otel.metric.overflow': true };

/** The number of series of one name, by status, port and the like, up to which they are searched linearly. */
const MAX_VARIANTS = 50;

/** The number of further series of several metrics. */
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

  get used(): number {
    return this.max - this.left;
  }

  refill(): void {
    this.left = this.max;
  }
}

/** Distinguishes the series of one operation: a status, a port, a database. */
export type Variant = string | number | boolean | undefined;

/** One series of durations. */
export class DurationSeries extends Latencies {
  /** The latest slow operation. */
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
 * The series of one metric. They are found by the name of an operation and two more values, without building a key, since
 * this happens for every operation.
 * @typeParam T the source of the attributes of a new series
 */
export class SeriesTable<T> {
  private readonly byName = new Map<string, DurationSeries[]>();
  private overflow: DurationSeries | undefined;

  constructor(
    private readonly budget: SeriesBudget,
    private readonly attributesOf: (name: string, first: Variant, second: Variant, from: T) => Attributes,
  ) {}

  /** The series for these values, or the overflow series beyond the limit. */
  find(name: string, first: Variant, second: Variant, from: T): DurationSeries {
    const variants = this.byName.get(name);
    if (variants !== undefined) {
      for (const series of variants) if (series.first === first && series.second === second) return series;
    }
    return this.create(name, variants, first, second, from);
  }

  /** The series with counts. */
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

/** A text as an attribute: beyond 256 characters, its beginning and a hash that keeps it unique. */
export function attributeText(text: string): string {
  if (text.length <= MAX_CHARACTERS) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${text.slice(0, MAX_CHARACTERS - hash.length - 1)}~${hash}`;
}
