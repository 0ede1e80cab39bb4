import type { CauseName } from '../../explain/cause.js';
import type { DetailedSlowOperation } from '../../explain/slow-operation.js';
import type { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import type { HotFunction } from '../../profiling/hot-functions.js';
import { lastLines } from '../../spans/operation-log.js';
import { duration, milliseconds, moment, percent } from '../../text/quantities.js';
import { formatValue, invalid } from '../../validation/options-error.js';
import { ArgumentError, text } from '../arguments.js';
import { logLines } from '../log-lines.js';
import { code, place, prose } from '../markdown.js';
import { planLines } from '../plan-lines.js';
import { ToolFault, tool } from '../tool.js';
import { type SpanGroup, spanGroups } from '../waterfall-groups.js';

/** Lines of its log in the answer. */
const MAX_LOG_LINES = 30;
/** Groups of spans in the answer. */
const MAX_GROUPS = 60;

export const getSlowOperation = tool({
  name: 'get_slow_operation',
  title: 'Slow operation',
  description:
    'Why one slow execution was slow: its causes with their share of the time, the line of code, the waterfall of its spans (repetitions as one), the functions that used the CPU, and the plan of its statement. Give the id of list_slow_operations or list_findings, or the name of an operation for a typical slow execution.',
  arguments: {
    id: text('The id of a slow operation'),
    operation: text(
      'The name of an operation, such as "GET /albums": the slowest of its executions with the most frequent cause',
    ),
  },
  answer: async ({ id, operation }, { monitor, links }) => {
    if ((id === undefined) === (operation === undefined))
      throw new ArgumentError(
        invalid('arguments', id === undefined ? 'none' : 'id and operation', 'either id or operation'),
      );
    const slow = id === undefined ? typicalOf(monitor, operation as string) : await slowById(monitor, id);
    const { waterfall, log, ...rest } = slow;
    const groups = waterfall === undefined ? [] : spanGroups(waterfall);
    const page = links.slowOperation(slow.id);
    return {
      lines: [
        ...headLines(slow),
        ...causeLines(slow),
        ...functionLines(slow.topFunctions ?? []),
        ...waterfallLines(groups, waterfall?.omitted ?? 0),
        ...logLines(log, MAX_LOG_LINES),
        ...(page === undefined ? [] : ['', `Page: ${page}`]),
      ],
      data: {
        ...rest,
        ...(waterfall === undefined
          ? {}
          : { waterfall: { spans: groups.slice(0, MAX_GROUPS), omittedSpans: waterfall.omitted } }),
        ...(log === undefined ? {} : { log: lastLines(log, MAX_LOG_LINES) }),
        page,
      },
    };
  },
});

async function slowById(monitor: PerformanceMonitor, id: string): Promise<DetailedSlowOperation> {
  const found = await monitor.findSlowOperation(id);
  if (found !== undefined) return found;
  throw new ToolFault(
    `Invalid argument id: received ${formatValue(id)}, expected the id of a slow operation that is kept. It may have been removed to make room for newer ones: list_slow_operations lists those kept`,
  );
}

/**
 * The slowest kept execution of an operation among those with its most frequent first cause: the very slowest is often the
 * first one after a start.
 * @throws ToolFault if none is kept
 */
function typicalOf(monitor: PerformanceMonitor, name: string): DetailedSlowOperation {
  const lower = name.toLowerCase();
  const kept = monitor.getSlowOperations().filter((one) => one.name.toLowerCase() === lower);
  const countOf = new Map<CauseName, number>();
  // What could not be explained explains nothing.
  for (const { cause } of kept.filter((one) => one.cause !== 'unknown'))
    countOf.set(cause, (countOf.get(cause) ?? 0) + 1);
  const [typical] = kept.sort(
    (a, b) => (countOf.get(b.cause) ?? 0) - (countOf.get(a.cause) ?? 0) || b.durationMs - a.durationMs,
  );
  const found = typical && monitor.getSlowOperation(typical.id);
  if (found !== undefined) return found;
  throw new ToolFault(
    `No slow execution of ${code(name)} is kept: it was not above its threshold, or has not run. get_operation says how often it ran and how long it takes; list_slow_operations lists what was slow`,
  );
}

function headLines(slow: DetailedSlowOperation): string[] {
  const { id, type, name, timestamp, durationMs, thresholdMs, callSite, root, http, baseline } = slow;
  return [
    `${code(name)} (${type}) took ${duration(durationMs)}, threshold ${duration(thresholdMs)}, ${moment(timestamp)}${slow.error ? ', failed' : ''}. Id ${code(id)}`,
    prose(slow.explanation),
    ...(callSite === undefined ? [] : [`Line of the first cause: ${place(callSite)}`]),
    ...(http?.handler === undefined ? [] : [`Handler: ${code(http.handler)}`]),
    ...(root === undefined ? [] : [`Part of: ${code(root.name)} (${root.type})`]),
    ...(baseline === undefined
      ? []
      : [`Baseline: p50 ${milliseconds(baseline.p50Ms)}, p95 ${milliseconds(baseline.p95Ms)}`]),
    ...(slow.statement === undefined ? [] : [`Statement: ${code(slow.statement)}`]),
    ...planLines(slow.plan),
  ];
}

function causeLines({ causes }: DetailedSlowOperation): string[] {
  if (causes.length === 0) return [];
  return [
    '',
    'Causes, by their share of the duration:',
    ...causes.map(({ cause, share, ms, certainty, operation, count }) => {
      const of = operation === undefined ? '' : `, ${code(operation)}`;
      const repeated = count === undefined || count < 2 ? '' : ` x ${count}`;
      return `- ${cause}: ${percent(share)} (${milliseconds(ms)}, ${certainty})${of}${repeated}`;
    }),
  ];
}

function functionLines(functions: readonly HotFunction[]): string[] {
  if (functions.length === 0) return [];
  return [
    '',
    'Hot functions, by their share of its CPU samples:',
    ...functions.map(({ function: name, share, file, line, calledFrom }) => {
      const at = file === undefined ? '' : ` at ${code(`${file}:${line}`)}`;
      const from = calledFrom === undefined ? '' : `, called from ${place(calledFrom)}`;
      return `- ${percent(share)} ${code(name)}${at}${from}`;
    }),
  ];
}

function waterfallLines(groups: readonly SpanGroup[], omitted: number): string[] {
  if (groups.length === 0) return [];
  const left = groups.length - MAX_GROUPS;
  const rest = [
    ...(left > 0 ? [`${left} more entries`] : []),
    ...(omitted > 0 ? [`${omitted} short spans`] : []),
  ];
  return [
    '',
    'Waterfall (start, duration, name):',
    ...groups.slice(0, MAX_GROUPS).map((group) => {
      const { depth, startMs, name, type, count, totalMs, maxMs, errors } = group;
      const times = count === 1 ? '' : ` x ${count}, the longest ${milliseconds(maxMs)}`;
      const failed = errors === 0 ? '' : `, ${count === 1 ? 'failed' : `${errors} failed`}`;
      return `${'  '.repeat(Math.min(depth, 20))}- +${milliseconds(startMs)}, ${milliseconds(totalMs)} ${code(name)} (${type})${times}${failed}`;
    }),
    ...(rest.length === 0 ? [] : [`Left out: ${rest.join(' and ')}`]),
  ];
}
