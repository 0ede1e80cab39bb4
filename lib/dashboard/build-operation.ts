import { performance } from 'node:perf_hooks';
import type { CauseName } from '../explain/cause.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { OTHER } from '../operation/operation.js';
import { type LatencyHeatmap, latencyHeatmap } from '../statistics/latency-heatmap.js';
import { round } from '../text/round.js';
import type { OperationDetail, OperationLine, SlowCause } from './operation-detail.js';

/** The maximum length of the lists. */
const LISTED = 10;
const ERRORS = 20;
/** The slow executions whose calls are added up: each has up to 200 spans. */
const ADDED_UP = 20;

/** The part of a `PerformanceMonitor` that the page of an operation is built from. */
export type OperationSource = Pick<
  PerformanceMonitor,
  | 'operationStatistics'
  | 'longTerm'
  | 'getSlowOperations'
  | 'getSlowOperation'
  | 'getFindings'
  | 'getSlowQueries'
>;

/**
 * The data of an operation's page; undefined if the operation has not ended yet. Does not change the source.
 * @param now milliseconds on the clock of `performance.now()`
 */
export function buildOperation(
  source: OperationSource,
  type: string,
  name: string,
  now = performance.now(),
): OperationDetail | undefined {
  const statistics = source.operationStatistics(type, name);
  if (statistics === undefined) return undefined;
  const { limitMs, totalMs, excessMs, history } = statistics;
  const slow = source.getSlowOperations({ type, name }).filter((one) => one.name === name);
  const heatmap = latencyHeatmap(statistics);
  const course = source.longTerm.baseline.courseOf(type, name);
  const { version, previousVersion, since } = source.longTerm.baseline.status;
  const work = history?.window.workSinceStart;
  const errors = source.getFindings({ type: 'errors' }).filter(({ route }) => route === name);
  return {
    type,
    name,
    ...(name !== OTHER && limitMs !== Number.POSITIVE_INFINITY ? { thresholdMs: round(limitMs) } : {}),
    figures: statistics.summaries(now),
    totalMs: round(totalMs),
    excessMs: round(excessMs),
    ...(work === undefined ? {} : { work: { ...work, partsMs: work.partsMs.map(round) } }),
    ...(heatmap === undefined ? {} : { heatmap: onWallClock(heatmap) }),
    periods: (course?.periods ?? []).map((period) => ({ ...period, p50Ms: round(period.p50Ms) })),
    versions: {
      ...(version === undefined ? {} : { version }),
      ...(previousVersion === undefined ? {} : { previousVersion }),
      ...(history?.baseline === undefined ? {} : { baseline: history.baseline }),
      ...(course?.previous === undefined ? {} : { previous: course.previous }),
    },
    deploys: [
      ...(since === undefined ? [] : [{ at: since, what: 'version' as const }]),
      { at: Math.round(performance.timeOrigin), what: 'start' },
    ],
    slow: causesOf(slow),
    errors: errors.sort((a, b) => b.count - a.count).slice(0, ERRORS),
    calls: callsOf(source, slow),
    statements: source
      .getSlowQueries({ all: true, route: name, limit: LISTED })
      .map(({ fingerprint, name: statement, routes, totalMs, p50Ms, p95Ms, callSite }) => ({
        ...{ fingerprint, name: statement, totalMs, p50Ms, p95Ms },
        count: routes.find((route) => route.name === name)?.count ?? 0,
        ...(callSite === undefined ? {} : { callSite }),
      })),
    lines: linesOf(slow),
  };
}

function onWallClock(heatmap: LatencyHeatmap): LatencyHeatmap {
  const { timeOrigin } = performance;
  const periods = heatmap.periods.map(({ from, to }) => ({ from: from + timeOrigin, to: to + timeOrigin }));
  return { ...heatmap, periods, boundsMs: heatmap.boundsMs.map(round) };
}

function causesOf(slow: readonly SlowOperation[]): SlowCause[] {
  const found = new Map<string, SlowCause>();
  const foundOf = (cause: CauseName): SlowCause => {
    const known = found.get(cause) ?? { cause, count: 0, totalMs: 0 };
    found.set(cause, known);
    return known;
  };
  for (const { cause: first, causes } of slow) {
    foundOf(first).count++;
    for (const { cause, ms } of causes) foundOf(cause).totalMs += ms;
  }
  return [...found.values()]
    .map((one) => ({ ...one, totalMs: round(one.totalMs) }))
    .sort((a, b) => b.count - a.count || b.totalMs - a.totalMs);
}

function callsOf(source: OperationSource, slow: readonly SlowOperation[]): OperationDetail['calls'] {
  const waterfalls = slow
    .slice(0, ADDED_UP)
    .flatMap(({ id }) => source.getSlowOperation(id)?.waterfall ?? []);
  const found = new Map<string, { type: string; name: string; count: number; ms: number }>();
  for (const { spans } of waterfalls)
    for (const { type, name, durationMs } of spans.slice(1)) {
      const known = found.get(`${type}\n${name}`) ?? { type, name, count: 0, ms: 0 };
      found.set(`${type}\n${name}`, known);
      known.count++;
      known.ms += durationMs;
    }
  const executions = waterfalls.length;
  const list = [...found.values()]
    .sort((a, b) => b.ms - a.ms)
    .slice(0, LISTED)
    .map(({ type, name, count, ms }) => ({
      ...{ type, name },
      count: round(count / executions),
      ms: round(ms / executions),
    }));
  return { executions, list };
}

function linesOf(slow: readonly SlowOperation[]): OperationLine[] {
  const found = new Map<string, OperationLine>();
  for (const { callSite, cause } of slow) {
    if (callSite === undefined) continue;
    const key = `${callSite.file}:${callSite.line}`;
    const known = found.get(key) ?? { callSite, count: 0, causes: [] };
    found.set(key, known);
    known.count++;
    if (!known.causes.includes(cause)) known.causes.push(cause);
  }
  return [...found.values()].sort((a, b) => b.count - a.count).slice(0, LISTED);
}
