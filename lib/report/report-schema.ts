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
  asked: optional(moment('What was asked for')),
  since: moment('From when on it tells'),
  window: oneOf(['minute', 'hour', 'day', 'lifetime']),
  reason: optional(text('Why since is not what was asked for')),
});

const service = object<ReportedService>('Service', {
  name: text(),
  version: optional(text('service.version')),
  host: text(),
  node: text("Node's version"),
  uptimeMs: milliseconds('How long the process has been up'),
});

const resources = object<ReportedResources>('Resources', {
  timestamp: moment('When they were read'),
  memory: object<CurrentResources['memory']>('Memory', {
    heapUsed: bytes('Used of the heap'),
    heapTotal: bytes('The heap'),
    heapLimit: bytes('What the heap may grow to'),
    external: bytes('Memory of objects outside the heap'),
    rss: bytes('What is resident'),
    heapUsedMB: ratio('heapUsed in MB of 2^20 bytes'),
    heapTotalMB: ratio('heapTotal in MB of 2^20 bytes'),
  }),
  cpu: object<CurrentResources['cpu']>('Cpu', {
    user: ratio('CPU time since the process started, in microseconds'),
    system: ratio('The same in the system'),
    userMs: milliseconds('CPU time since the process started'),
    systemMs: milliseconds('The same in the system'),
  }),
  eventLoop: object<CurrentResources['eventLoop']>('EventLoop', {
    utilization: optional(share('The part of the last second in which it was busy')),
    delayMaxMs: optional(milliseconds('The longest delay of a timer within the last second')),
  }),
  gc: object<CurrentResources['gc']>('Gc', {
    count: count('Collections since the process was first sampled'),
    pauseMs: milliseconds('Their pauses'),
  }),
  lifetime: object<LifetimeResources>('LifetimeResources', {
    cpu: ratio('CPU time since the start as a share of one core; above 1 with several threads'),
    eventLoopUtilization: share('The part of the time in which the event loop was busy'),
    gcShare: share('The part of the time in which it was paused'),
    maxRss: bytes('The most that was resident'),
  }),
  peak: optional(
    object<PeakResources>('PeakResources', {
      since: moment('From when on'),
      cpu: optional(ratio('CPU time within a second as a share of one core; above 1 with several threads')),
      eventLoopUtilization: optional(share('The part of a second in which the event loop was busy')),
      eventLoopDelayMaxMs: optional(milliseconds('The longest delay of a timer')),
      heapUsed: optional(bytes('Used of the heap')),
      external: optional(bytes('Memory of objects outside the heap')),
      rss: optional(bytes('What was resident')),
    }),
  ),
});

const baseline = object<BaselineStatus>('BaselineStatus', {
  state: oneOf(['off', 'loading', 'learning']),
  operations: count('Those of which it is known what is usual'),
  version: optional(text('service.version')),
  previousVersion: optional(text('The service.version before')),
  since: optional(moment('When this version was first seen')),
  comparesVersions: flag('This version is compared with the one before'),
  loadedAt: optional(moment('When it was loaded')),
  savedAt: optional(moment('When it was saved')),
});

const coverage = object<ReportCoverage>('Coverage', {
  unseenDrivers: list(
    object<DriverStatus>('Driver', {
      driver: text("The package's name"),
      version: optional(text()),
      seen: flag('Whether its work is seen'),
      how: text('How it is seen, or why it is not'),
      advice: optional(text('What to do to have it seen')),
    }),
  ),
  dropped: object<ReportCoverage['dropped']>('Dropped', {
    operationsToOther: count('Operations that were counted under (other)'),
    events: count('Events that listeners were not told'),
    queries: count('Statements that were not counted'),
  }),
  profiling: text('on, paused or off'),
  eventLoopWatchdog: text('on, degraded or off'),
});

const report = object<PerformanceReport>('PerformanceReport', {
  schemaVersion: exactly(REPORT_VERSION, 'Rises when a reader of the former version could not read it'),
  generatedAt: moment('When it was made'),
  covered: coveredTime,
  service,
  verdict: oneOf(['fine', 'warning', 'critical']),
  summary: list(text(), 'Some sentences, the verdict first'),
  slowest: list(reportedOperation, 'Those that were slow first, then those that took the most time'),
  slow: list(slowOperation, 'The worst slow operation of each name'),
  regressions: list(regression),
  trends: list(trend),
  findings: list(reportedFinding, 'Those that cost most first'),
  queries: list(slowQuery),
  leaks: list(leak),
  resources,
  alerts: list(activeAlert, 'Those that fire'),
  recentAlerts: list(recentAlert, 'Those that began to fire or were resolved, the newest first'),
  slos: list(slo, 'That with the least left of its budget first'),
  baseline: optional(baseline),
  coverage,
});

/**
 * The JSON Schema (draft 2020-12) of a {@link PerformanceReport}. What is not in it may come with a later version, so
 * readers pass it over.
 */
export const REPORT_SCHEMA: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: `urn:nestjs-performance:report:${REPORT_VERSION}`,
  ...report.json,
  description: 'What is slow, what got slower, and what it costs, as nestjs-performance reports it',
};
