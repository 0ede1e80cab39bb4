import type { BurnRate } from '../alerting/burn-rate.js';
import type { Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import type { FindingCount } from '../explain/findings.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { Leak } from '../leaks/leak.js';
import type { Overhead } from '../overhead/overhead.js';
import type { ResourceSampler } from '../process/resource-sampler.js';
import type { DroppedCounts } from '../report/performance-stats.js';
import type { Statistics } from '../statistics/statistics.js';

/** The sources of metrics. */
export interface MetricSources {
  readonly statistics: Statistics;
  readonly resources: ResourceSampler;
  /** When counting began or was last reset, in milliseconds since 1970. */
  countingSince(): number;
  /** The kept slow operations, the latest first. */
  slowOperations(): readonly SlowOperation[];
  findingCounts(): Iterable<FindingCount>;
  /** The numbers dropped by limits. */
  dropped(): DroppedCounts;
  regressions(): readonly Regression[];
  trends(): readonly Trend[];
  leaks(): readonly Leak[];
  burnRates(): readonly BurnRate[];
  overhead(): Overhead;
  alertRules(): Iterable<{ rule: string; severity: string; firing: boolean }>;
}
