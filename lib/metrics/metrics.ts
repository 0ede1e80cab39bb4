import type { Attributes, Span } from '@opentelemetry/api';
import type { SlowOperation } from '../explain/slow-operation.js';
import { type ResolvedServiceOptions, serviceAttributes } from '../operation/service-options.js';
import type { GuardedOperation } from '../spans/ended-operation.js';
import type { LiveSpan } from '../spans/live-span.js';
import { changeMetrics } from './change-metrics.js';
import { CounterTable } from './counter-table.js';
import type { DurationInstruments } from './duration-instruments.js';
import { type Exemplar, exemplarOf, type Histogram, type Metric } from './metric.js';
import type { MetricSources } from './metric-sources.js';
import type { ResolvedMetricsOptions } from './metrics-options.js';
import { operationAttributes, operationMetrics } from './operation-metrics.js';
import { overheadMetrics } from './overhead-metrics.js';
import { processMetrics } from './process-metrics.js';
import { SemanticDurations } from './semantic-durations.js';
import { SeriesBudget, type SeriesTable, seriesPoints } from './series.js';

/** The part of an SDK's span that metrics read. */
type ReadableSpan = Span & {
  readonly attributes?: Attributes;
  readonly instrumentationScope?: { readonly name: string };
};

/**
 * Counts what metrics need beyond the statistics, and lists all metrics. Half of the series are for the operations of the
 * statistics, half for those counted here, so that neither displaces the other.
 */
export class Metrics {
  /** Receives each operation if the application has a meter provider. */
  instruments: DurationInstruments | undefined;
  private readonly durations: SemanticDurations;
  private readonly slow: CounterTable;
  private readonly budget: SeriesBudget;
  private readonly maxOperations: number;

  readonly options: ResolvedMetricsOptions;
  /** The resource attributes of the process. */
  target: Attributes = {};
  /**
   * The attributes of every series of a scrape: the instance, where the process is a worker. Workers answer on one port in
   * turn, so that their counters would otherwise look like one that jumps.
   */
  common: Attributes = {};

  constructor(
    options: ResolvedServiceOptions & { readonly metrics: ResolvedMetricsOptions },
    private readonly sources: MetricSources,
  ) {
    this.options = options.metrics;
    this.identify(options);
    this.maxOperations = Math.floor(options.metrics.maxSeries / 2);
    this.budget = new SeriesBudget(options.metrics.maxSeries - this.maxOperations);
    this.durations = new SemanticDurations(this.budget);
    this.slow = new CounterTable(this.budget);
  }

  /** Names the process. A module with more specific options names it again. */
  identify(service: ResolvedServiceOptions): void {
    this.target = serviceAttributes(service);
    const { id, worker } = service.instance;
    this.common = worker === undefined ? {} : { 'service.instance.id': id };
  }

  /** Counts an operation that ended. Called for every operation. */
  record(operation: GuardedOperation, state: LiveSpan | undefined, slow: SlowOperation | undefined): void {
    if (!this.options.enabled) return;
    const { type, name, durationMs, error } = operation;
    const span = operation.span as ReadableSpan | undefined;
    const status = (operation.http ?? state?.http)?.statusCode;
    const series = this.durations.seriesOf(type, name, error, status, span?.attributes);
    series?.record(durationMs);
    if (slow !== undefined) {
      const exemplar = exemplarOf(slow);
      if (series !== undefined) series.exemplar = exemplar;
      this.countSlow(slow, exemplar);
    }
    this.instruments?.record(operation, series, span?.instrumentationScope?.name);
  }

  /** The series that are counted beyond those of the statistics. */
  get series(): number {
    return this.budget.used;
  }

  /** Resets all counts. */
  clear(): void {
    this.durations.clear();
    this.slow.clear();
    this.budget.refill();
    this.instruments?.clear();
  }

  /** All metrics. Their points are computed when they are read. */
  list(): Metric[] {
    const { sources, durations } = this;
    const since = sources.countingSince();
    const histogram = (name: string, description: string, table: SeriesTable<Attributes>): Histogram => ({
      kind: 'histogram',
      name,
      unit: 's',
      description,
      since,
      points: () => seriesPoints(table),
    });
    return [
      histogram('http.server.request.duration', 'Duration of incoming HTTP requests.', durations.server),
      histogram('http.client.request.duration', 'Duration of outgoing HTTP requests.', durations.client),
      histogram(
        'db.client.operation.duration',
        'Duration of database and cache operations.',
        durations.database,
      ),
      ...operationMetrics(sources, this.maxOperations),
      {
        kind: 'counter',
        name: 'performance.slow.operations',
        unit: '{operation}',
        description: 'Operations that exceeded their threshold, by their main cause.',
        since,
        points: () => this.slow,
      },
      ...changeMetrics(sources),
      ...processMetrics(sources.resources),
      ...overheadMetrics(sources.overhead()),
    ];
  }

  private countSlow({ type, name, cause }: SlowOperation, exemplar: Exemplar | undefined): void {
    this.slow.add(
      `${type}\n${name}\n${cause}`,
      () => ({
        ...operationAttributes(type, name),
        'performance.cause': cause,
      }),
      exemplar,
    );
  }
}
