import { performance } from 'node:perf_hooks';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { sourceTemplate } from '../monitor/source-url.js';
import { type Failures, mostFail } from '../statistics/failures.js';
import type { OperationCost } from '../statistics/operation-cost.js';
import { round } from '../text/round.js';
import { foldSlow } from './fold-slow.js';
import { healthOf } from './health.js';
import type { Overview, OverviewOperation, OverviewSlowOperation } from './overview.js';
import { resourceSeries } from './resource-series.js';

/** The maximum length of the lists. */
const OPERATIONS = 100;
const LISTED = 50;
const FAILING = 20;
/** OpenTelemetry's name of the commit, in `OTEL_RESOURCE_ATTRIBUTES`. */
const COMMIT_ATTRIBUTE = 'vcs.ref.head.revision';
/** Half of the slow operations typically ran within another one. */
const FOLDED = 2 * LISTED;
/** The p50 of fewer calls is not compared with the baseline. */
const MIN_FOR_MEDIAN = 10;

/** The part of a `PerformanceMonitor` that an overview is built from. */
export type OverviewSource = Pick<
  PerformanceMonitor,
  | 'options'
  | 'statsInParts'
  | 'countingSince'
  | 'operationCount'
  | 'operationsByCost'
  | 'failing'
  | 'resources'
  | 'getSlowOperations'
  | 'getFindings'
  | 'getRegressions'
  | 'getTrends'
  | 'getLeaks'
  | 'getActiveAlerts'
  | 'getRecentAlerts'
  | 'getBurnRates'
  | 'getBaseline'
>;

/**
 * The data of the page's overview. Does not change the source.
 * @param now milliseconds since 1970
 * @param streams the number of concurrent live pages
 */
export function buildOverview(source: OverviewSource, now = Date.now(), streams = 0): Overview {
  const { serviceName: name, serviceVersion: version, instance, resourceAttributes } = source.options;
  const { sourceUrl } = source.options.endpoint;
  const { id, host, pid, worker } = instance;
  const stats = source.statsInParts();
  const slow = source.getSlowOperations({ limit: FOLDED });
  const failing = failingNow(source);
  const content = {
    lastMinute: Object.entries(stats.byType).map(([type, { windows }]) => ({ type, ...windows.minute })),
    operations: source
      .operationsByCost(OPERATIONS, performance.now(), failing.slice(0, FAILING))
      .map((one) => withChange(source, one)),
    findings: source.getFindings({ limit: LISTED }),
    regressions: source.getRegressions().slice(0, LISTED),
    leaks: source.getLeaks().slice(0, LISTED),
    alerts: {
      active: source.getActiveAlerts().slice(0, LISTED),
      recent: source.getRecentAlerts().slice(0, LISTED),
      burnRates: source.getBurnRates().slice(0, LISTED),
    },
  };
  return {
    at: now,
    service: {
      name,
      ...(version === undefined ? {} : { version }),
      instance: { id, host, pid, ...(worker === undefined ? {} : { worker }) },
      startedAt: now - Math.round(process.uptime() * 1000),
      countingSince: source.countingSince,
      ...(sourceUrl === undefined
        ? {}
        : { sourceUrl: sourceTemplate(sourceUrl, resourceAttributes?.[COMMIT_ATTRIBUTE]) }),
    },
    health: healthOf({ ...content, failing, slow: slow.slice(0, LISTED), total: stats.totalOperations }, now),
    operationCount: source.operationCount,
    ...(source.options.logging.keep === false ? {} : { keepsLogs: true as const }),
    slow: foldSlow(slow).slice(0, LISTED).map(shortOf),
    trends: source.getTrends().slice(0, LISTED),
    resources: resourceSeries(source.resources.history),
    drivers: stats.drivers,
    overhead: {
      streams,
      dropped: stats.dropped,
      watchdog: stats.eventLoopWatchdog,
      profiling: stats.profiling,
      own: stats.overhead,
    },
    ...content,
  };
}

/** Operations that mostly failed in the last minute, the most failures first. Fast failures rank low by cost. */
function failingNow(source: OverviewSource): Failures[] {
  return source
    .failing('minute')
    .filter(mostFail)
    .sort((a, b) => b.failureCount - a.failureCount);
}

function withChange(source: OverviewSource, operation: OperationCost): OverviewOperation {
  const { hour, ...shown } = operation;
  const baseline = source.getBaseline(operation.type, operation.name);
  const current = operation.minute.count >= MIN_FOR_MEDIAN ? operation.minute : hour;
  if (baseline === undefined || baseline.p50Ms <= 0 || current.p50 === undefined) return shown;
  const ratio = round(current.p50 / baseline.p50Ms);
  return { ...shown, change: { ratio, baselineP50Ms: baseline.p50Ms, baselineP95Ms: baseline.p95Ms } };
}

function shortOf(operation: OverviewSlowOperation): OverviewSlowOperation {
  const { id, timestamp, type, name, durationMs, thresholdMs, slownessRatio } = operation;
  const { error, cause, explanation, profile, within } = operation;
  return {
    id,
    timestamp,
    type,
    name,
    durationMs,
    thresholdMs,
    slownessRatio,
    error,
    cause,
    explanation,
    ...(profile === undefined ? {} : { profile }),
    ...(within === undefined ? {} : { within }),
  };
}
