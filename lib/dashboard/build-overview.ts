import { performance } from 'node:perf_hooks';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { type Failures, mostFail } from '../statistics/failures.js';
import type { OperationCost } from '../statistics/operation-cost.js';
import { round } from '../text/round.js';
import { healthOf } from './health.js';
import type { Overview, OverviewOperation, OverviewSlowOperation } from './overview.js';
import { resourceSeries } from './resource-series.js';

/** The bounds of what is shown at first sight; each list has its own page. */
const OPERATIONS = 100;
const LISTED = 50;
const FAILING = 20;
/** The median of fewer operations says little. */
const MIN_FOR_MEDIAN = 10;

/**
 * What the page shows at first sight. Changes nothing.
 * @param now milliseconds since 1970
 * @param streams pages that look on at present
 */
export function buildOverview(monitor: PerformanceMonitor, now = Date.now(), streams = 0): Overview {
  const { serviceName: name, serviceVersion: version } = monitor.options;
  const stats = monitor.statsInParts();
  const slow = monitor.getSlowOperations({ limit: LISTED });
  const failing = failingNow(monitor);
  const content = {
    lastMinute: Object.entries(stats.byType).map(([type, { windows }]) => ({ type, ...windows.minute })),
    operations: monitor
      .operationsByCost(OPERATIONS, performance.now(), failing.slice(0, FAILING))
      .map((one) => withChange(monitor, one)),
    findings: monitor.getFindings({ limit: LISTED }),
    regressions: monitor.getRegressions().slice(0, LISTED),
    leaks: monitor.getLeaks().slice(0, LISTED),
    alerts: {
      active: monitor.getActiveAlerts().slice(0, LISTED),
      recent: monitor.getRecentAlerts().slice(0, LISTED),
      burnRates: monitor.getBurnRates().slice(0, LISTED),
    },
  };
  return {
    at: now,
    service: {
      name,
      ...(version === undefined ? {} : { version }),
      startedAt: now - Math.round(process.uptime() * 1000),
      countingSince: monitor.countingSince,
    },
    health: healthOf({ ...content, failing, slow, total: stats.totalOperations }, now),
    operationCount: monitor.operationCount,
    slow: slow.map(shortOf),
    trends: monitor.getTrends().slice(0, LISTED),
    resources: resourceSeries(monitor.resources.history),
    drivers: stats.drivers,
    overhead: {
      streams,
      dropped: stats.dropped,
      watchdog: stats.eventLoopWatchdog,
      profiling: stats.profiling,
    },
    ...content,
  };
}

/** The operations most of which failed within the last minute, the most failures first. What fails fast costs little. */
function failingNow(monitor: PerformanceMonitor): Failures[] {
  return monitor
    .failing('minute')
    .filter(mostFail)
    .sort((a, b) => b.failureCount - a.failureCount);
}

function withChange(monitor: PerformanceMonitor, operation: OperationCost): OverviewOperation {
  const { hour, ...shown } = operation;
  const usual = monitor.getBaseline(operation.type, operation.name);
  const present = operation.minute.count >= MIN_FOR_MEDIAN ? operation.minute : hour;
  if (usual === undefined || usual.p50Ms <= 0 || present.p50 === undefined) return shown;
  const ratio = round(present.p50 / usual.p50Ms);
  return { ...shown, change: { ratio, usualP50Ms: usual.p50Ms, usualP95Ms: usual.p95Ms } };
}

function shortOf(operation: OverviewSlowOperation): OverviewSlowOperation {
  const { id, timestamp, type, name, durationMs, thresholdMs, slownessRatio } = operation;
  const { error, cause, explanation, profile } = operation;
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
  };
}
