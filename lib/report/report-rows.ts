import type { PerformanceReport, ReportedOperation } from './report.js';
import { figure, megabytes, moment, percentOf, span } from './report-words.js';

/** What a row or a line of the report says, as plain text: whoever shows it makes it fit. */
type Row = readonly [string, ...string[]];

export const OPERATION_HEAD: Row = ['Operation', 'Count', 'Slow', 'p50', 'p95', 'p99', 'Errors', 'Usual p50'];

export function operationRow(operation: ReportedOperation): Row {
  const { name, count, slowCount, p50Ms, p95Ms, p99Ms, errorRate, baseline } = operation;
  const usual = baseline === undefined ? '' : span(baseline.p50Ms);
  const times = baseline?.ratio === undefined ? '' : ` (× ${figure(baseline.ratio)})`;
  return [
    name,
    String(count),
    String(slowCount),
    spanOf(p50Ms),
    spanOf(p95Ms),
    spanOf(p99Ms),
    percentOf(errorRate),
    usual + times,
  ];
}

export const QUERY_HEAD: Row = ['Query', 'Count', 'Slow', 'p95', 'Total'];

export function queryRow(query: PerformanceReport['queries'][number]): Row {
  const { fingerprint, count, slowCount, p95Ms, totalMs } = query;
  return [fingerprint, String(count), String(slowCount), span(p95Ms), span(totalMs)];
}

export const SLO_HEAD: Row = ['Objective', 'Good', 'Within', 'Burns 1 h', '6 h', '3 d', 'Budget left'];

/** Burn rates as multiples of what the objective allows. */
export function sloRow({
  slo,
  objective,
  thresholdMs,
  windows,
  budgetRemaining,
}: PerformanceReport['slos'][number]): Row {
  const rate = (value: number | undefined): string => (value === undefined ? '' : `× ${figure(value)}`);
  return [
    slo,
    percentOf(objective),
    spanOf(thresholdMs),
    rate(windows['1h'].rate),
    rate(windows['6h'].rate),
    rate(windows['3d'].rate),
    budgetRemaining === undefined ? '' : percentOf(budgetRemaining),
  ];
}

export const RESOURCE_HEAD: Row = ['Resource', 'Now', 'Since the start', 'Peak'];

export function resourceRows({ resources }: PerformanceReport): Row[] {
  const { memory, eventLoop, lifetime, peak } = resources;
  return [
    ['CPU, of one core', '', percentOf(lifetime.cpu), shareOf(peak?.cpu)],
    [
      'Event loop, busy',
      shareOf(eventLoop.utilization),
      percentOf(lifetime.eventLoopUtilization),
      shareOf(peak?.eventLoopUtilization),
    ],
    ['Event loop, longest delay', spanOf(eventLoop.delayMaxMs), '', spanOf(peak?.eventLoopDelayMaxMs)],
    ['Garbage collection', '', percentOf(lifetime.gcShare), ''],
    [`Heap (limit ${megabytes(memory.heapLimit)})`, megabytes(memory.heapUsed), '', sizeOf(peak?.heapUsed)],
    ['Outside the heap', megabytes(memory.external), '', sizeOf(peak?.external)],
    ['Resident memory', megabytes(memory.rss), megabytes(lifetime.maxRss), sizeOf(peak?.rss)],
  ];
}

/** What is said of what is usual. */
export function baselineLines({ baseline }: PerformanceReport): string[] {
  if (baseline === undefined) return [];
  const { state, operations, version, previousVersion, since, comparesVersions, savedAt } = baseline;
  if (state === 'off') return ['The baseline is off: nothing is compared with what is usual.'];
  if (state === 'loading') return ['What was usual before is being loaded.'];
  const of = version === undefined ? '' : ` of version ${version}`;
  const from = since === undefined ? '' : `, seen since ${moment(since)}`;
  const previous = previousVersion === undefined ? '' : ` with version ${previousVersion}`;
  return [
    `It is known of ${operations} operations what is usual${of}${from}.`,
    ...(comparesVersions ? [`It is compared${previous || ' with the version before'}.`] : []),
    savedAt === undefined ? 'It was not saved yet.' : `It was saved last at ${moment(savedAt)}.`,
  ];
}

export function recentAlertLine(alert: PerformanceReport['recentAlerts'][number]): string {
  const { state, rule, subject, timestamp, summary } = alert;
  return `${moment(timestamp)}: ${rule}${subject === undefined ? '' : ` (${subject})`} ${state === 'firing' ? 'began to fire' : 'was resolved'}. ${summary}`;
}

export function activeAlertLine({ rule, subject, firedAt }: PerformanceReport['alerts'][number]): string {
  return `${rule}${subject === undefined ? '' : ` (${subject})`} since ${moment(firedAt)}`;
}

/** What could not be seen, and why. */
export function coverageLines({ coverage }: PerformanceReport): string[] {
  const { unseenDrivers, dropped, profiling, eventLoopWatchdog } = coverage;
  const { operationsToOther, events, queries } = dropped;
  return [
    ...unseenDrivers.map(
      ({ driver, how, advice }) => `${driver}: ${how}${advice === undefined ? '' : ` ${advice}`}`,
    ),
    ...(operationsToOther > 0
      ? [`${operationsToOther} operations had too many names, and were counted as (other).`]
      : []),
    ...(queries > 0 ? [`${queries} statements were of too many kinds, and were not counted.`] : []),
    ...(events > 0 ? [`${events} events came too fast for those who listen.`] : []),
    ...(profiling === 'on' ? [] : [`Profiling is ${profiling}.`]),
    ...(eventLoopWatchdog === 'on' ? [] : [`The event loop watchdog is ${eventLoopWatchdog}.`]),
  ];
}

function spanOf(value: number | undefined): string {
  return value === undefined ? '' : span(value);
}

function shareOf(value: number | undefined): string {
  return value === undefined ? '' : percentOf(value);
}

function sizeOf(value: number | undefined): string {
  return value === undefined ? '' : megabytes(value);
}
