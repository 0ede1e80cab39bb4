import type { FindingType } from '../explain/finding.js';
import { byWeight } from '../explain/findings.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import { coveredTime, perHour } from './covered-time.js';
import { type PerformanceReport, REPORT_VERSION, type ReportedFinding } from './report.js';
import type { ReportSource } from './report-source.js';
import { reportedOperations } from './reported-operations.js';
import { reportedResources } from './reported-resources.js';
import { summarize } from './summary.js';

/** The slowest are selected from this many operations with the highest total time. */
const CONSIDERED = 200;
export const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 100;
/** Findings that the report lists in sections of their own. */
const LONG_TERM: readonly FindingType[] = ['regression', 'trend', 'memory_leak'];

export interface ReportOptions {
  /** The start of the report, in milliseconds since 1970. Default: the start of the process or the last reset. */
  since?: number | undefined;
  /** The maximum length of each list, up to {@link MAX_LIMIT}. Default {@link DEFAULT_LIMIT}. */
  limit?: number | undefined;
  /** Milliseconds since 1970. Default: the current time. */
  now?: number;
  /** The uptime of the process in milliseconds. Default: that of this process. */
  uptimeMs?: number;
}

/** Builds the report. Does not change the source. */
export function buildReport(source: ReportSource, options: ReportOptions = {}): PerformanceReport {
  const { now = Date.now(), uptimeMs = Math.round(process.uptime() * 1000) } = options;
  const limit = Math.min(MAX_LIMIT, Math.max(1, Math.trunc(options.limit ?? DEFAULT_LIMIT)));
  const startedAt = now - uptimeMs;
  const countingSince = Math.max(startedAt, source.countingSince ?? startedAt);
  const covered = coveredTime(options.since, now, startedAt, countingSince);
  const { since } = covered;
  const { serviceName: name, serviceVersion: version, hostName: host } = source.options;
  const stats = source.getStats({ operations: CONSIDERED });
  const baseline = source.longTerm?.baseline.status;
  const first = <T>(list: readonly T[] | undefined): T[] => (list ?? []).slice(0, limit);
  const all = {
    slow: worstOfEach(source.getSlowOperations(), since),
    regressions: source.getRegressions?.().filter((one) => (one.overAt ?? now) >= since) ?? [],
    findings: findings(source, since, countingSince, now),
    leaks: source.getLeaks?.() ?? [],
    alerts: source.getActiveAlerts(),
    slos: objectives(source, now),
  };
  const content = {
    slowest: first(reportedOperations(source, stats.operations, covered, now)),
    slow: first(all.slow),
    regressions: first(all.regressions),
    trends: first(source.getTrends?.()),
    findings: first(all.findings),
    queries: source.getSlowQueries({ limit }),
    leaks: first(all.leaks),
    resources: reportedResources(source, stats.currentResources, since, uptimeMs),
    alerts: first(all.alerts),
    recentAlerts: first(source.getRecentAlerts?.().filter(({ timestamp }) => timestamp >= since)),
    slos: first(all.slos),
    ...(baseline === undefined ? {} : { baseline }),
  };
  return {
    schemaVersion: REPORT_VERSION,
    generatedAt: now,
    covered,
    service: { name, ...(version === undefined ? {} : { version }), host, node: process.version, uptimeMs },
    ...summarize(all),
    ...content,
    coverage: {
      unseenDrivers: first(stats.drivers.filter(({ seen }) => !seen)),
      dropped: stats.dropped,
      profiling: stats.profiling.state,
      eventLoopWatchdog: stats.eventLoopWatchdog.state,
      ...(stats.overhead.shed.length > 0 ? { paused: stats.overhead.shed } : {}),
    },
  };
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

function findings(
  source: ReportSource,
  since: number,
  countingSince: number,
  now: number,
): ReportedFinding[] {
  return source
    .getFindings()
    .filter(({ type, lastSeen }) => lastSeen >= since && !LONG_TERM.includes(type))
    .map((finding) => ({ ...finding, lostMsPerHour: perHour(finding.totalMs, countingSince, now) }))
    .sort(byWeight);
}

/** The objectives, sorted by their remaining budget, lowest first. */
function objectives(source: ReportSource, now: number): PerformanceReport['slos'] {
  const left = ({ budgetRemaining = 1 }: PerformanceReport['slos'][number]): number => budgetRemaining;
  return [...(source.alerting?.burnRates(now) ?? [])].sort((a, b) => left(a) - left(b));
}
