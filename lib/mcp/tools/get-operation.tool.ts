import type { LatencySummary } from '../../statistics/latency-summary.js';
import { type OperationWindow, PARTS } from '../../statistics/operation-window.js';
import { duration, figure, moment, momentOfDay, percent } from '../../text/quantities.js';
import { required, text } from '../arguments.js';
import { findOperation } from '../find-operation.js';
import { code, prose, titledList } from '../markdown.js';
import { measure } from '../measurement.js';
import { tool } from '../tool.js';

/** Entries of each list. */
const LISTED = 5;
/** Windows in the text; the data has all that are kept. */
const WINDOWS_LISTED = 12;
const CONSIDERED_STATEMENTS = 1000;

export const getOperation = tool({
  name: 'get_operation',
  title: 'Operation: figures, baseline and history',
  description:
    'How often one operation runs and how long it takes (last minute, hour, day, all), its baseline, its history in windows, its findings, regressions, slow executions and statements. Returns a measurement: call it before a change and keep the measurement for verify_fix.',
  arguments: {
    operation: required(text('The name of an operation, such as "GET /albums/:id" or "AlbumsService.list"')),
    type: text(
      'The type, where several operations have that name: http, database, external, queue, internal …',
    ),
  },
  answer: ({ operation, type: givenType }, { monitor, links, now }) => {
    const cost = findOperation(monitor, operation, givenType);
    const { type, name, sparkline: _, ...figures } = cost;
    const baseline = monitor.getBaseline(type, name);
    const windows = monitor.longTerm.baseline.windows(type, name);
    const regressions = monitor.getRegressions().filter((one) => one.type === type && one.name === name);
    const findings = monitor.getFindings().filter(({ route }) => route === name);
    const slow = monitor.getSlowOperations({ type }).filter((one) => one.name === name);
    const statements = monitor
      .getSlowQueries({ all: true, limit: CONSIDERED_STATEMENTS })
      .filter(({ routes }) => routes.some((route) => route.name === name));
    const measured = measure(monitor, { type, name }, now);
    const handler = monitor.operationStatistics(type, name)?.history?.handler;
    const page = links.operation(type, name);
    return {
      lines: [
        `${code(name)} (${type})${handler === undefined ? '' : `, handler ${code(handler)}`}${cost.thresholdMs === undefined ? '' : `, threshold ${duration(cost.thresholdMs)}`}`,
        ...(['lifetime', 'hour', 'minute'] as const).map(
          (window) => `- ${WINDOW_WORDS[window]}: ${summaryWords(cost[window])}`,
        ),
        `- Total time ${duration(cost.totalMs)}, above the threshold ${duration(cost.excessMs)}`,
        baseline === undefined
          ? '- No baseline: it has run too few times, or only within the warm-up after a start'
          : `- Baseline (${Math.round(baseline.count)} executions): p50 ${duration(baseline.p50Ms)}, p95 ${duration(baseline.p95Ms)}, p99 ${duration(baseline.p99Ms)}`,
        ...titledList(
          'Regressions',
          regressions.slice(0, LISTED).map(({ state, explanation }) => `${state}: ${prose(explanation)}`),
          regressions.length,
        ),
        ...titledList(
          'Findings',
          findings
            .slice(0, LISTED)
            .map((one) => `${one.severity} ${one.type}, id ${code(one.id)}: ${prose(one.explanation, 400)}`),
          findings.length,
        ),
        ...titledList(
          'Slow executions',
          slow
            .slice(0, LISTED)
            .map(
              (one) =>
                `${moment(one.timestamp)}, ${duration(one.durationMs)}, ${one.cause}, id ${code(one.id)}`,
            ),
          slow.length,
        ),
        ...titledList(
          'Statements',
          statements
            .slice(0, LISTED)
            .map(
              (one) =>
                `${code(one.fingerprint, 200)} x ${one.routes.find((route) => route.name === name)?.count}, p50 ${duration(one.p50Ms)}`,
            ),
          statements.length,
        ),
        ...titledList(
          'History, the latest windows',
          windows.slice(-WINDOWS_LISTED).map((window) => windowWords(window, now)),
          windows.length,
        ),
        ...(measured === undefined
          ? []
          : ['', `Measurement for verify_fix: ${code(JSON.stringify(measured), 2000)}`]),
        ...(page === undefined ? [] : [`Page: ${page}`]),
      ],
      data: {
        type,
        name,
        handler,
        ...figures,
        baseline,
        regressions: regressions.slice(0, LISTED),
        findings: findings.slice(0, LISTED),
        slowOperations: slow
          .slice(0, LISTED)
          .map(({ id, timestamp, durationMs, cause }) => ({ id, timestamp, durationMs, cause })),
        statements: statements.slice(0, LISTED).map(({ fingerprint, p50Ms, p95Ms, routes, callSite }) => ({
          statement: fingerprint,
          count: routes.find((route) => route.name === name)?.count,
          p50Ms,
          p95Ms,
          callSite,
        })),
        windows: windows.map(plainWindow),
        measurement: measured,
        page,
      },
    };
  },
});

const WINDOW_WORDS = {
  lifetime: 'Since counting started',
  hour: 'Last hour',
  minute: 'Last minute',
} as const;

function summaryWords(summary: LatencySummary): string {
  const { count, slowCount, errorCount, p50, p95, p99 } = summary;
  if (count === 0) return 'did not run';
  const latency =
    p50 === undefined || p95 === undefined || p99 === undefined
      ? ''
      : `, p50 ${duration(p50)}, p95 ${duration(p95)}, p99 ${duration(p99)}`;
  return `${count} times${latency}, ${slowCount} slow, ${errorCount} failed`;
}

function windowWords(window: OperationWindow, now: number): string {
  const { startedAt, endedAt, count, errors, p50Ms, p99Ms, queries } = window;
  const statements = Number.isNaN(queries) ? '' : `, ${figure(queries)} statements each`;
  const failed = errors === 0 ? '' : `, ${percent(errors / count)} failed`;
  return `${momentOfDay(startedAt, now)}, ${duration(endedAt - startedAt)}: ${count} times, p50 ${duration(p50Ms)}, p99 ${duration(p99Ms)}${statements}${failed}`;
}

/** A window as JSON, which has no NaN. */
function plainWindow(window: OperationWindow): Record<string, unknown> {
  const { startedAt, endedAt, count, errors, p50Ms, p90Ms, p99Ms, queries, partsMs } = window;
  return {
    startedAt,
    endedAt,
    count,
    errors,
    p50Ms: Number(figure(p50Ms)),
    p90Ms: Number(figure(p90Ms)),
    p99Ms: Number(figure(p99Ms)),
    ...(Number.isNaN(queries) ? {} : { statements: Number(figure(queries)) }),
    ...(partsMs === undefined
      ? {}
      : {
          partsMs: Object.fromEntries(
            PARTS.map((part, index) => [part, Number(figure(partsMs[index] ?? 0))] as const).filter(
              ([, ms]) => ms > 0,
            ),
          ),
        }),
  };
}
