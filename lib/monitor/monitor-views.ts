import { performance } from 'node:perf_hooks';
import type { PerformanceAlert } from '../alerting/alert.js';
import type { SilenceOptions } from '../alerting/alert-options.js';
import type { Alerting } from '../alerting/alerting.js';
import type { BurnRate } from '../alerting/burn-rate.js';
import type { Regression } from '../baseline/regression.js';
import type { ReleaseVerdict } from '../baseline/release-verdict.js';
import type { Trend } from '../baseline/trend.js';
import type { DetailedFinding, Finding, FindingType } from '../explain/finding.js';
import type { SlowFilter } from '../explain/slow-filter.js';
import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { Fleet } from '../fleet/fleet.js';
import type { Leak } from '../leaks/leak.js';
import { boundedName, type OperationType } from '../operation/operation.js';
import type { Overhead } from '../overhead/overhead.js';
import type { ResourceSampler } from '../process/resource-sampler.js';
import type { Profiling } from '../profiling/profiling.js';
import { buildReport } from '../report/build-report.js';
import type { PerformanceStats, PerformanceStatsInParts } from '../report/performance-stats.js';
import type { PerformanceReport } from '../report/report.js';
import type { ReportSource } from '../report/report-source.js';
import type { ResourcePeaks } from '../report/resource-peaks.js';
import { GuardedSpan, type SpanLike } from '../spans/guarded-span.js';
import { liveSpanOf } from '../spans/live-span.js';
import type { BaselineLatency } from '../statistics/operation-history.js';
import { round } from '../text/round.js';
import type { LongTermAnalysis } from './long-term-analysis.js';
import { droppedBy, type MonitorParts } from './monitor-parts.js';
import type { ResolvedOptions } from './options.js';
import { findingsWithPlans, operationsWithPlans, queriesWithPlans } from './with-plans.js';

/** Operations that are listed by default. */
const LISTED = 100;

/** The results of a monitor, for reading. */
export class MonitorViews implements ReportSource {
  protected readonly parts: MonitorParts;

  /** @param parts the parts of a monitor, or another view of them. @internal */
  constructor(parts: MonitorParts | MonitorViews) {
    this.parts = parts instanceof MonitorViews ? parts.parts : parts;
  }

  /** The options with all defaults. */
  get options(): ResolvedOptions {
    return this.parts.options;
  }
  /** When counting started, at the start or the last reset, in milliseconds since 1970. */
  get countingSince(): number {
    return this.parts.counting.since;
  }
  /** Samples of CPU, memory, event loop and garbage collection. */
  get resources(): ResourceSampler {
    return this.parts.resources;
  }
  /** @internal */
  get resourcePeaks(): ResourcePeaks {
    return this.parts.resourcePeaks;
  }
  /** @internal */
  get profiling(): Profiling {
    return this.parts.profiling;
  }
  /** Baselines, regressions, trends and leaks. @internal */
  get longTerm(): LongTermAnalysis {
    return this.parts.longTerm;
  }
  /** This instance of the service beside the others. @internal */
  get fleet(): Fleet {
    return this.parts.fleet;
  }
  /** What this package itself costs. @internal */
  get overhead(): Overhead {
    return this.parts.overhead;
  }
  /** @internal */
  get alerting(): Alerting {
    return this.parts.alerting;
  }

  /** The statistics, the current resources and the drivers. `operations` limits the list, by default to 100. */
  getStats(options: { operations?: number | undefined } = {}): PerformanceStats {
    const { operations, ...figures } = this.statsInParts(options);
    return { ...figures, operations: [...operations] };
  }

  /**
   * The same with operations that are summarized one by one as they are read.
   * @internal
   */
  statsInParts({ operations = LISTED }: { operations?: number | undefined } = {}): PerformanceStatsInParts {
    const { statistics, resources, sink, analyzer, profiling, overhead } = this.parts;
    const now = performance.now();
    const totals = statistics.totals();
    return {
      totalOperations: totals.count,
      totalSlowOperations: totals.slowCount,
      slowPercentage: totals.count > 0 ? round((totals.slowCount / totals.count) * 100) : 0,
      byType: statistics.typeStatistics(now),
      operations: statistics.eachNamed(now, operations),
      currentResources: resources.current(),
      drivers: sink.drivers,
      dropped: droppedBy(this.parts),
      eventLoopWatchdog: analyzer.watchdog.status,
      profiling: profiling.status,
      overhead: overhead.status,
    };
  }

  /** Resets the statistics, the slow operations, the findings and the queries. */
  resetStats(): void {
    const { counting, statistics, slow, analyzer, metrics, alerts, sink } = this.parts;
    counting.since = Date.now();
    statistics.reset();
    slow.clear();
    analyzer.clear();
    metrics.clear();
    alerts.dropped = 0;
    sink.lostCalls = 0;
  }

  /** The kept slow operations that meet the conditions of a filter, the newest first. */
  getSlowOperations({ limit, ...filter }: SlowFilter & { limit?: number | undefined } = {}): SlowOperation[] {
    const { slow, plans } = this.parts;
    return operationsWithPlans(slow.list(limit, filter), plans, slow);
  }

  /** A slow operation by its id, while it is kept, with its waterfall. */
  getSlowOperation(id: string): DetailedSlowOperation | undefined {
    const { slow, plans } = this.parts;
    const operation = slow.get(id);
    return operation === undefined ? undefined : operationsWithPlans([operation], plans, slow)[0];
  }

  /**
   * The same also from the file beside its profile, for as long as that is kept: after newer ones have taken its place in
   * memory, and after a restart. Never rejects.
   */
  async findSlowOperation(id: string): Promise<DetailedSlowOperation | undefined> {
    return this.getSlowOperation(id) ?? this.parts.slowFiles.find(id);
  }

  /** The findings of the detectors, those with the most excess time first. */
  getFindings(filter: { limit?: number | undefined; type?: FindingType | undefined } = {}): Finding[] {
    const { analyzer, plans } = this.parts;
    return findingsWithPlans(analyzer.findings.list(filter), plans);
  }

  /** A finding by its id, while it is kept, with the log of its latest failed execution. */
  getFinding(id: string): DetailedFinding | undefined {
    const { analyzer, plans } = this.parts;
    const finding = analyzer.findings.get(id);
    return finding === undefined ? undefined : findingsWithPlans([finding], plans)[0];
  }

  /**
   * The statements that were slow at least once, or all of them; those with the most total time first. By default 100.
   * @param filter.route only statements of this operation, such as `GET /albums`
   */
  getSlowQueries(
    filter: { limit?: number | undefined; all?: boolean | undefined; route?: string | undefined } = {},
  ): SlowQuery[] {
    const { analyzer, plans } = this.parts;
    return queriesWithPlans(analyzer.getSlowQueries(filter), plans);
  }

  /** The regressions: those that last, the latest first, then those that are over. */
  getRegressions(): Regression[] {
    return this.parts.longTerm.regressions();
  }

  /** The current trends, those that reach their limit first at the front. */
  getTrends(): Trend[] {
    return this.parts.longTerm.trends();
  }

  /** Memory leaks, suspected or confirmed. */
  getLeaks(): Leak[] {
    return this.parts.longTerm.leaks();
  }

  /**
   * The verdict of this `service.version` against another one: better, same, worse or not enough data, by operation and as a
   * whole. It covers all instances that share `baseline.store` or `baseline.directory`.
   * @param options `since`: the version to compare with, by default the other one that saved last
   * @returns a promise that rejects with an `UnknownVersionError` if `since` has no data
   */
  getReleaseVerdict(options: { since?: string | undefined } = {}): Promise<ReleaseVerdict> {
    return this.parts.longTerm.baseline.release(options.since);
  }

  /**
   * A report of slow operations, regressions, findings and the state of the process.
   * @param options `since` in milliseconds since 1970, by default the start; `limit` entries of each list, by default 20
   */
  getReport(options: { since?: number | undefined; limit?: number | undefined } = {}): PerformanceReport {
    return buildReport(this, options);
  }

  /** The baseline of an operation; undefined without enough data. */
  getBaseline(type: OperationType, name: string): BaselineLatency | undefined {
    return this.parts.statistics.history(type, name)?.baseline;
  }

  /**
   * Suppresses the notifications of matching alerts while the silence lasts. Returns a function that ends it.
   * @throws PerformanceOptionsError for an invalid silence
   */
  silence(options: SilenceOptions): () => void {
    return this.parts.alerting.silence(options);
  }

  /** The burn rates of each objective of `alerts.slos`. */
  getBurnRates(): BurnRate[] {
    return this.parts.alerting.burnRates(Date.now());
  }

  /** Recent alerts that fired or were resolved, the newest first. */
  getRecentAlerts(): PerformanceAlert[] {
    return this.parts.alertHistory.list();
  }

  /** The alerts that are firing. */
  getActiveAlerts(): { rule: string; subject?: string; firedAt: number }[] {
    return this.parts.alerting.active();
  }

  /**
   * Compares a span that is about to end with the threshold of its type, annotates it if it is slow, and counts it. For spans
   * that no {@link SlowSpanProcessor} sees: the others are counted by it, and only compared here. Never throws.
   * @param span any object with some members of a span, or none; receives `performance.*` attributes by its `setAttribute`
   * @param durationMs milliseconds; unless it is a finite number of at least 0, the operation is not counted
   * @returns whether it was slow
   */
  checkAndAnnotateSlowOperation(
    span: SpanLike | null | undefined,
    durationMs: number,
    type: OperationType,
  ): boolean {
    const { sink } = this.parts;
    const known = typeof type === 'string' && type !== '' ? boundedName(type) : 'internal';
    const thresholdMs = sink.thresholds.ofType(known);
    const live = liveSpanOf(span);
    if (live !== undefined) {
      live.type = known;
      return thresholdMs !== undefined && durationMs > thresholdMs;
    }
    const safe = span === null || span === undefined ? undefined : new GuardedSpan(span);
    return sink.record({
      type: known,
      name: safe?.name ?? known,
      durationMs,
      thresholdMs,
      error: safe?.hasFailed ?? false,
      span: safe,
    });
  }
}
