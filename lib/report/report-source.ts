import type { Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import type { Finding } from '../explain/finding.js';
import type { SlowQuery } from '../explain/slow-queries.js';
import type { SlowOperation } from '../monitor/operation.js';
import type { PerformanceStats } from '../monitor/performance-stats.js';
import type { ResolvedOptions } from '../options/options.js';
import type { Leak } from '../resources/leak.js';
import type { ActiveAlert } from './report.js';

/** What a report is made of: a `PerformanceMonitor`. What it can't tell is left out of the report. */
export interface ReportSource {
  readonly options: Pick<ResolvedOptions, 'serviceName' | 'serviceVersion' | 'hostName'>;
  getStats(bounds: { operations: number }): PerformanceStats;
  getSlowOperations(): SlowOperation[];
  getFindings(): Finding[];
  getSlowQueries(filter: { limit: number }): SlowQuery[];
  getActiveAlerts(): ActiveAlert[];
  getRegressions?(): readonly Regression[];
  getTrends?(): readonly Trend[];
  getLeaks?(): readonly Leak[];
  getBaseline?(type: string, name: string): { readonly p50Ms: number; readonly p95Ms: number } | undefined;
}
