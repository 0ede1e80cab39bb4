import type { BaselineStatus } from '../baseline/baseline.js';
import type { DriverStatus } from '../operation/driver-status.js';
import type { CurrentResources } from '../process/resource-sampler.js';
import { activeAlert, recentAlert, slo } from './alert-schemas.js';
import { leak, regression, trend } from './change-schemas.js';
import { exactly, flag, type JsonSchema, list, object, oneOf, optional, text } from './json-schema.js';
import { reportedFinding, reportedOperation, slowOperation, slowQuery } from './operation-schemas.js';
import { bytes, count, milliseconds, moment, ratio, share } from './quantity-schemas.js';
import {
  type CoveredTime,
  type LifetimeResources,
  type PerformanceReport,
  REPORT_VERSION,
  type ReportCoverage,
  type ReportedResources,
  type ReportedService,
} from './report.js';
import type { PeakResources } from './resource-peaks.js';

const coveredTime = object<CoveredTime>('CoveredTime', {
  asked: optional(moment('Requested start')),
  since: moment('Start of the report'),
  window: oneOf(['minute', 'hour', 'day', 'lifetime']),
  reason: optional(text('Why since differs from asked')),
});

const service = object<ReportedService>('Service', {
  name: text(),
  version: optional(text('service.version')),
  host: text(),
  node: text('Version of Node.js'),
  uptimeMs: milliseconds('Uptime of the process'),
});

const resources = object<ReportedResources>('Resources', {
  timestamp: moment('Time of the reading'),
  memory: object<CurrentResources['memory']>('Memory', {
    heapUsed: bytes('Used heap'),
    heapTotal: bytes('Allocated heap'),
    heapLimit: bytes('Maximum heap size'),
    external: bytes('Memory of objects outside the heap'),
    rss: bytes('Resident memory'),
    heapUsedMB: ratio('heapUsed in MB of 2^20 bytes'),
    heapTotalMB: ratio('heapTotal in MB of 2^20 bytes'),
  }),
  cpu: object<CurrentResources['cpu']>('Cpu', {
    user: ratio('User CPU time since the process started, in microseconds'),
    system: ratio('System CPU time since the process started, in microseconds'),
    userMs: milliseconds('User CPU time since the process started'),
    systemMs: milliseconds('System CPU time since the process started'),
  }),
  eventLoop: object<CurrentResources['eventLoop']>('EventLoop', {
    utilization: optional(share('Share of the last second in which it was busy')),
    delayMaxMs: optional(milliseconds('Maximum timer delay in the last second')),
  }),
  gc: object<CurrentResources['gc']>('Gc', {
    count: count('Collections since the process was first sampled'),
    pauseMs: milliseconds('Total pauses of these collections'),
  }),
  lifetime: object<LifetimeResources>('LifetimeResources', {
    cpu: ratio('CPU time since start as a share of one core; above 1 with several threads'),
    eventLoopUtilization: share('Share of the time in which the event loop was busy'),
    gcShare: share('Share of the time in garbage collection pauses'),
    maxRss: bytes('Maximum resident memory'),
  }),
  peak: optional(
    object<PeakResources>('PeakResources', {
      since: moment('Start of the period'),
      cpu: optional(
        ratio('Maximum CPU time in a second as a share of one core; above 1 with several threads'),
      ),
      eventLoopUtilization: optional(share('Maximum share of a second in which the event loop was busy')),
      eventLoopDelayMaxMs: optional(milliseconds('Maximum timer delay')),
      heapUsed: optional(bytes('Maximum used heap')),
      external: optional(bytes('Maximum memory of objects outside the heap')),
      rss: optional(bytes('Maximum resident memory')),
    }),
  ),
});

const baseline = object<BaselineStatus>('BaselineStatus', {
  state: oneOf(['off', 'loading', 'learning']),
  operations: count('Number of operations with a baseline'),
  version: optional(text('service.version')),
  previousVersion: optional(text('The previous service.version')),
  since: optional(moment('Start of the data of this version')),
  comparesVersions: flag('Whether this version is compared with the previous one'),
  loadedAt: optional(moment('Time of loading')),
  savedAt: optional(moment('Time of the last save')),
});

const coverage = object<ReportCoverage>('Coverage', {
  unseenDrivers: list(
    object<DriverStatus>('Driver', {
      driver: text('Package name'),
      version: optional(text()),
      seen: flag('Whether its work is recorded'),
      how: text('How it is recorded, or why not'),
      advice: optional(text('How to enable recording')),
    }),
  ),
  dropped: object<ReportCoverage['dropped']>('Dropped', {
    operationsToOther: count('Operations counted as (other)'),
    events: count('Events dropped because listeners could not keep up'),
    queries: count('Statements not counted'),
    calls: optional(count('Calls of measured methods not counted')),
    errors: optional(count('Errors beyond the limits of findings')),
  }),
  profiling: text('on, paused or off'),
  eventLoopWatchdog: text('on, degraded or off'),
  paused: optional(list(text(), 'Parts of the package that pause because of its budgets')),
});

const report = object<PerformanceReport>('PerformanceReport', {
  schemaVersion: exactly(REPORT_VERSION, 'Incremented on incompatible changes'),
  generatedAt: moment('Time of creation'),
  covered: coveredTime,
  service,
  verdict: oneOf(['fine', 'warning', 'critical']),
  summary: list(text(), 'Sentences, the verdict first'),
  slowest: list(reportedOperation, 'Operations with slow calls first, then by total time'),
  slow: list(slowOperation, 'The worst slow operation of each name'),
  regressions: list(regression),
  trends: list(trend),
  findings: list(reportedFinding, 'Repeated errors first, then by time per hour'),
  queries: list(slowQuery),
  leaks: list(leak),
  resources,
  alerts: list(activeAlert, 'Firing alerts'),
  recentAlerts: list(recentAlert, 'Firing and resolved events, the newest first'),
  slos: list(slo, 'Sorted by remaining budget, lowest first'),
  baseline: optional(baseline),
  coverage,
});

/**
 * The JSON Schema (draft 2020-12) of a {@link PerformanceReport}. Later versions may add properties: readers must ignore
 * unknown ones.
 */
export const REPORT_SCHEMA: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: `urn:nestjs-performance:report:${REPORT_VERSION}`,
  ...report.json,
  description: 'Performance report of nestjs-performance',
};
