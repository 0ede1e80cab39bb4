import type { PerformanceAlert } from '../alerting/alert.js';
import type { BurnRate } from '../alerting/burn-rate.js';
import type { BaselineStatus } from '../baseline/baseline.js';
import type { Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import type { Finding } from '../explain/finding.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { Leak } from '../leaks/leak.js';
import type { ResolvedServiceOptions } from '../operation/service-options.js';
import type { ResourceHistory } from '../process/resource-history.js';
import type { PerformanceStats } from './performance-stats.js';
import type { ActiveAlert } from './report.js';
import type { ResourcePeaks } from './resource-peaks.js';

/** The source of a report: a `PerformanceMonitor`. The report omits sections that it does not provide. */
export interface ReportSource {
  readonly options: ResolvedServiceOptions;
  /** The start of counting or the last reset, in milliseconds since 1970. Default: the start of the process. */
  readonly countingSince?: number;
  readonly resources?: { readonly history: ResourceHistory };
  readonly resourcePeaks?: ResourcePeaks;
  readonly alerting?: { burnRates(now: number): readonly BurnRate[] };
  readonly longTerm?: { readonly baseline: { readonly status: BaselineStatus } };
  getStats(bounds: { operations: number }): PerformanceStats;
  getSlowOperations(): SlowOperation[];
  getFindings(): Finding[];
  getSlowQueries(filter: { limit: number }): SlowQuery[];
  getActiveAlerts(): ActiveAlert[];
  /** The newest first. */
  getRecentAlerts?(): readonly PerformanceAlert[];
  getRegressions?(): readonly Regression[];
  getTrends?(): readonly Trend[];
  getLeaks?(): readonly Leak[];
  getBaseline?(type: string, name: string): { readonly p50Ms: number; readonly p95Ms: number } | undefined;
}
