import { type Attributes, type Histogram, type Meter, ValueType } from '@opentelemetry/api';
import type { EndedOperation } from '../spans/ended-operation.js';
import { BOUNDS_S } from './latency-buckets.js';
import { operationAttributes } from './operation-metrics.js';
import { type DurationSeries, SeriesBudget, SeriesTable } from './series.js';

/** With a meter provider, these instrumentations record the same metrics themselves. */
const MEASURED = /^@opentelemetry\/instrumentation-(http|undici|pg)$/;

/** Records durations with instruments of the application's meter. */
export class DurationInstruments {
  private readonly operations: Histogram;
  private readonly bySemantics: ReadonlyMap<string, Histogram>;
  private readonly budget: SeriesBudget;
  private readonly table: SeriesTable<undefined>;

  /** @param max the number of operations with series of their own */
  constructor(meter: Meter, max: number) {
    const histogram = (name: string, description: string): Histogram =>
      meter.createHistogram(name, {
        unit: 's',
        description,
        valueType: ValueType.DOUBLE,
        advice: { explicitBucketBoundaries: [...BOUNDS_S] },
      });
    const database = histogram('db.client.operation.duration', 'Duration of database and cache operations.');
    this.bySemantics = new Map([
      ['http', histogram('http.server.request.duration', 'Duration of incoming HTTP requests.')],
      ['external', histogram('http.client.request.duration', 'Duration of outgoing HTTP requests.')],
      ['database', database],
      ['cache', database],
    ]);
    this.operations = histogram('performance.operation.duration', 'Duration of all counted operations.');
    this.budget = new SeriesBudget(max);
    // Used only for the attributes, which are created once.
    this.table = new SeriesTable(
      this.budget,
      (name, type): Attributes => operationAttributes(String(type), name),
    );
  }

  /**
   * @param series the series of the semantic conventions, if any
   * @param scope the instrumentation that created the span
   */
  record(
    { type, name, durationMs }: EndedOperation,
    series: DurationSeries | undefined,
    scope: string | undefined,
  ): void {
    const seconds = durationMs / 1000;
    this.operations.record(seconds, this.table.find(name, type, undefined, undefined).attributes);
    if (series !== undefined && !this.measures(scope))
      this.bySemantics.get(type)?.record(seconds, series.attributes);
  }

  clear(): void {
    this.table.clear();
    this.budget.refill();
  }

  private measures(scope: string | undefined): boolean {
    return scope !== undefined && MEASURED.test(scope);
  }
}
