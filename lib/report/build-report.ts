import type { SlowOperation } from '../monitor/operation.js';
import { WINDOWS, type WindowName } from '../monitor/operation-statistics.js';
import { round } from '../monitor/round.js';
import type { NamedStatistics } from '../monitor/statistics.js';
import {
  type CoveredTime,
  type PerformanceReport,
  REPORT_VERSION,
  type ReportedFinding,
  type ReportedOperation,
} from './report.js';
import type { ReportSource } from './report-source.js';
import { summarize } from './summary.js';

const HOUR_MS = WINDOWS.hour;
/** What is seen of less than a minute says nothing of an hour. */
const MIN_COVERED_MS = WINDOWS.minute;
/** Operations that the slowest are chosen from: those that took the most time altogether. */
const CONSIDERED = 1000;
export const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 100;

export interface ReportOptions {
  /** Milliseconds since 1970. Default: the start of the process. */
  since?: number | undefined;
  /** Entries of each list, {@link DEFAULT_LIMIT} by default and {@link MAX_LIMIT} at most. */
  limit?: number | undefined;
  /** Milliseconds since 1970, and how long the process has been up. */
  now?: number;
  uptimeMs?: number;
}

/** The report of what `source` knows. Changes nothing. */
export function buildReport(source: ReportSource, options: ReportOptions = {}): PerformanceReport {
  const { now = Date.now(), uptimeMs = Math.round(process.uptime() * 1000) } = options;
  const limit = Math.min(MAX_LIMIT, Math.max(1, Math.trunc(options.limit ?? DEFAULT_LIMIT)));
  const covered = coveredTime(options.since, now, uptimeMs);
  const { serviceName: name, serviceVersion: version, hostName: host } = source.options;
  const stats = source.getStats({ operations: CONSIDERED });
  const first = <T>(list: readonly T[] | undefined): T[] => (list ?? []).slice(0, limit);
  const content = {
    slowest: first(slowest(source, stats.operations, covered, now)),
    slow: first(worstOfEach(source.getSlowOperations(), covered.since)),
    regressions: first(source.getRegressions?.().filter((one) => (one.overAt ?? now) >= covered.since)),
    trends: first(source.getTrends?.()),
    findings: first(findings(source, covered.since, uptimeMs)),
    queries: source.getSlowQueries({ limit }),
    leaks: first(source.getLeaks?.()),
    resources: stats.currentResources,
    alerts: first(source.getActiveAlerts()),
  };
  return {
    schemaVersion: REPORT_VERSION,
    generatedAt: now,
    covered,
    service: { name, ...(version === undefined ? {} : { version }), host, node: process.version, uptimeMs },
    ...summarize(content),
    ...content,
    coverage: {
      unseenDrivers: first(stats.drivers.filter(({ seen }) => !seen)),
      dropped: stats.dropped,
      profiling: stats.profiling.state,
      eventLoopWatchdog: stats.eventLoopWatchdog.state,
    },
  };
}

function coveredTime(asked: number | undefined, now: number, uptimeMs: number): CoveredTime {
  const start = now - uptimeMs;
  if (asked === undefined) return { since: start, window: 'lifetime' };
  const names = Object.keys(WINDOWS) as WindowName[];
  const window = names.find((one) => WINDOWS[one] >= now - asked) ?? 'lifetime';
  const since = window === 'lifetime' ? start : Math.max(start, now - WINDOWS[window]);
  if (since === asked) return { asked, since, window };
  const reason =
    since > asked ? 'the process started later' : `the smallest window that holds it is the last ${window}`;
  return { asked, since, window, reason };
}

function slowest(
  source: ReportSource,
  operations: readonly NamedStatistics[],
  { window, since }: CoveredTime,
  now: number,
): ReportedOperation[] {
  const hours = Math.max(MIN_COVERED_MS, now - since) / HOUR_MS;
  return operations
    .map((operation): ReportedOperation => {
      const { type, name } = operation;
      const figures = window === 'lifetime' ? operation : operation.windows[window];
      const { count, slowCount, errorCount, avgDuration, p50, p95, p99 } = figures;
      const before = source.getBaseline?.(type, name);
      return {
        type,
        name,
        count,
        slowCount,
        errorRate: count === 0 ? 0 : round(errorCount / count),
        ...(p50 === undefined ? {} : { p50Ms: p50 }),
        ...(p95 === undefined ? {} : { p95Ms: p95 }),
        ...(p99 === undefined ? {} : { p99Ms: p99 }),
        ...(avgDuration === undefined ? {} : { totalMsPerHour: round((avgDuration * count) / hours) }),
        ...(before === undefined ? {} : { baseline: { ...pick(before), ...ratio(p50, before.p50Ms) } }),
      };
    })
    .filter(({ count }) => count > 0)
    .sort(
      (a, b) =>
        Number(b.slowCount > 0) - Number(a.slowCount > 0) ||
        (b.totalMsPerHour ?? 0) - (a.totalMsPerHour ?? 0),
    );
}

function pick({ p50Ms, p95Ms }: { p50Ms: number; p95Ms: number }): { p50Ms: number; p95Ms: number } {
  return { p50Ms, p95Ms };
}

function ratio(now: number | undefined, before: number): { ratio?: number } {
  return now === undefined || before <= 0 ? {} : { ratio: round(now / before) };
}

function worstOfEach(operations: readonly SlowOperation[], since: number): SlowOperation[] {
  const worst = new Map<string, SlowOperation>();
  for (const operation of operations) {
    if (operation.timestamp < since) continue;
    const key = `${operation.type} ${operation.name}`;
    const known = worst.get(key);
    if (known === undefined || operation.durationMs > known.durationMs) worst.set(key, operation);
  }
  return [...worst.values()].sort((a, b) => b.durationMs - a.durationMs);
}

function findings(source: ReportSource, since: number, uptimeMs: number): ReportedFinding[] {
  const hours = Math.max(MIN_COVERED_MS, uptimeMs) / HOUR_MS;
  return source
    .getFindings()
    .filter(({ lastSeen }) => lastSeen >= since)
    .map((finding) => ({ ...finding, lostMsPerHour: round(finding.totalMs / hours) }))
    .sort((a, b) => b.lostMsPerHour - a.lostMsPerHour);
}
