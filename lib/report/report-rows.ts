import { times } from '../explain/words.js';
import type { StatementPlan } from '../plans/statement-plan.js';
import { duration, figure, megabytes, moment, percent } from '../text/quantities.js';
import type { PerformanceReport, ReportedOperation } from './report.js';

/** A table row of the report, as plain unescaped text. */
type Row = readonly [string, ...string[]];

export const OPERATION_HEAD: Row = [
  'Operation',
  'Count',
  'Slow',
  'p50',
  'p95',
  'p99',
  'Errors',
  'Baseline p50',
];

export function operationRow(operation: ReportedOperation): Row {
  const { name, count, slowCount, p50Ms, p95Ms, p99Ms, errorRate, baseline } = operation;
  const baselineP50 = baseline === undefined ? '' : duration(baseline.p50Ms);
  const factor = baseline?.ratio === undefined ? '' : ` (× ${figure(baseline.ratio)})`;
  return [
    name,
    String(count),
    String(slowCount),
    durationOf(p50Ms),
    durationOf(p95Ms),
    durationOf(p99Ms),
    percent(errorRate),
    baselineP50 + factor,
  ];
}

export const QUERY_HEAD: Row = ['Query', 'Count', 'Slow', 'p95', 'Total'];

export function queryRow(query: PerformanceReport['queries'][number]): Row {
  const { fingerprint, count, slowCount, p95Ms, totalMs } = query;
  return [fingerprint, String(count), String(slowCount), duration(p95Ms), duration(totalMs)];
}

/** What the plans of statements show, each once. */
export function planLines({ queries, findings, slow }: PerformanceReport): string[] {
  const lines = [...queries, ...findings, ...slow].flatMap(({ plan, ...of }) => {
    if (plan === undefined) return [];
    const name = 'fingerprint' in of ? of.fingerprint : (of.statement ?? of.nPlusOne?.statement ?? of.name);
    return [`${name}: ${plan.explanation}${nextStep(plan)}`];
  });
  return [...new Set(lines)];
}

function nextStep({ suggestedIndex }: StatementPlan): string {
  return suggestedIndex === undefined ? '' : ` Suggested: ${suggestedIndex.statement};`;
}

export const SLO_HEAD: Row = [
  'Objective',
  'Target',
  'Threshold',
  'Burn rate 1 h',
  'Burn rate 6 h',
  'Burn rate 3 d',
  'Budget left',
];

/** Burn rates are multiples of the rate that spends the budget exactly. */
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
    percent(objective),
    durationOf(thresholdMs),
    rate(windows['1h'].rate),
    rate(windows['6h'].rate),
    rate(windows['3d'].rate),
    budgetRemaining === undefined ? '' : percent(budgetRemaining),
  ];
}

export const RESOURCE_HEAD: Row = ['Resource', 'Current', 'Since start', 'Peak'];

export function resourceRows({ resources }: PerformanceReport): Row[] {
  const { memory, eventLoop, lifetime, peak } = resources;
  return [
    ['CPU (one core = 100 %)', '', percent(lifetime.cpu), shareOf(peak?.cpu)],
    [
      'Event loop utilization',
      shareOf(eventLoop.utilization),
      percent(lifetime.eventLoopUtilization),
      shareOf(peak?.eventLoopUtilization),
    ],
    ['Maximum event loop delay', durationOf(eventLoop.delayMaxMs), '', durationOf(peak?.eventLoopDelayMaxMs)],
    ['Garbage collection', '', percent(lifetime.gcShare), ''],
    [
      `Heap used (limit ${megabytes(memory.heapLimit)})`,
      megabytes(memory.heapUsed),
      '',
      sizeOf(peak?.heapUsed),
    ],
    ['External memory', megabytes(memory.external), '', sizeOf(peak?.external)],
    ['Resident memory', megabytes(memory.rss), megabytes(lifetime.maxRss), sizeOf(peak?.rss)],
  ];
}

/** The state of the baseline. */
export function baselineLines({ baseline }: PerformanceReport): string[] {
  if (baseline === undefined) return [];
  const { state, operations, version, previousVersion, since, comparesVersions, savedAt } = baseline;
  if (state === 'off') return ['The baseline is disabled (baseline.enabled).'];
  if (state === 'loading') return ['The saved baseline is being loaded.'];
  const of = version === undefined ? '' : ` of version ${version}`;
  const from = since === undefined ? '' : `, since ${moment(since)}`;
  return [
    `Baselines exist for ${times(operations, 'operation')}${of}${from}.`,
    ...(comparesVersions ? [`Compared with ${versionOf(previousVersion)}.`] : []),
    savedAt === undefined ? 'Not saved yet.' : `Last saved ${moment(savedAt)}.`,
  ];
}

function versionOf(version: string | undefined): string {
  return version === undefined ? 'the previous version' : `version ${version}`;
}

export function recentAlertLine(alert: PerformanceReport['recentAlerts'][number]): string {
  const { state, rule, subject, timestamp, summary } = alert;
  return `${moment(timestamp)}: ${rule}${subject === undefined ? '' : ` (${subject})`} ${state}. ${summary}`;
}

export function activeAlertLine({ rule, subject, firedAt }: PerformanceReport['alerts'][number]): string {
  return `${rule}${subject === undefined ? '' : ` (${subject})`} since ${moment(firedAt)}`;
}

/** What the report cannot contain, and why. */
export function coverageLines({ coverage }: PerformanceReport): string[] {
  const { unseenDrivers, dropped, profiling, eventLoopWatchdog, paused = [] } = coverage;
  const { operationsToOther, events, queries, calls = 0, errors = 0 } = dropped;
  return [
    ...unseenDrivers.map(
      ({ driver, how, advice }) => `${driver}: ${how}${advice === undefined ? '' : ` ${advice}`}`,
    ),
    ...(operationsToOther > 0
      ? [`${times(operationsToOther, 'operation')} exceeded detection.maxOperations and counted as (other).`]
      : []),
    ...(queries > 0
      ? [`${times(queries, 'statement')} exceeded the limit of distinct statements and were not counted.`]
      : []),
    ...(calls > 0
      ? [`${times(calls, 'call')} of measured methods not counted: too many promises that nobody waited for.`]
      : []),
    ...(errors > 0
      ? [
          `${times(errors, 'error')} exceeded the limits of findings: their counts and severities are too low.`,
        ]
      : []),
    ...(events > 0 ? [`${times(events, 'event')} dropped: listeners could not keep up.`] : []),
    ...(paused.length > 0 ? [`Paused by the budgets of overhead: ${paused.join(', ')}.`] : []),
    ...(profiling === 'on' ? [] : [`Profiling is ${profiling}.`]),
    ...(eventLoopWatchdog === 'on' ? [] : [`The event loop watchdog is ${eventLoopWatchdog}.`]),
  ];
}

function durationOf(value: number | undefined): string {
  return value === undefined ? '' : duration(value);
}

function shareOf(value: number | undefined): string {
  return value === undefined ? '' : percent(value);
}

function sizeOf(value: number | undefined): string {
  return value === undefined ? '' : megabytes(value);
}
