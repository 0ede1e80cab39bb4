import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import type { BurnRate } from '../../lib/alerting/burn-rate.js';
import type { Regression } from '../../lib/baseline/regression.js';
import type { Trend } from '../../lib/baseline/trend.js';
import type { Finding } from '../../lib/explain/finding.js';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import type { SlowQuery } from '../../lib/explain/slow-queries.js';
import type { Leak } from '../../lib/leaks/leak.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { ReportSource } from '../../lib/report/report-source.js';

const HOUR_MS = 3_600_000;
const callSite = { function: 'AlbumsService.withTracks', file: 'src/albums.service.ts', line: 42, column: 7 };

/** A monitor with this many operations, some of them slow and some failed, and an objective. */
export function busyMonitor(served: number): PerformanceMonitor {
  const monitor = new PerformanceMonitor({
    serviceName: 'shop',
    serviceVersion: '2.0.0',
    hostName: 'host-1',
    baseline: { enabled: false },
    alerts: { slos: [{ name: 'checkout', operation: 'POST /orders', objective: 0.999, thresholdMs: 200 }] },
  });
  for (let index = 0; index < served; index++) {
    const [type, name] = index % 2 === 0 ? ['http', 'POST /orders'] : ['database', 'SELECT orders'];
    const durationMs = 20 + ((index * 37) % 400);
    monitor.record({ type, name, durationMs, thresholdMs: 300, error: index % 10 === 0 });
  }
  return monitor;
}

/** A source that provides every section of a report with every property. */
export function fullSource(monitor: PerformanceMonitor, name = 'GET /albums/:id', entries = 1): ReportSource {
  const now = Date.now();
  const named = <T>(make: (name: string, index: number) => T): T[] =>
    Array.from({ length: entries }, (_, index) => make(index === 0 ? name : `${name} ${index}`, index));
  const own: Partial<ReportSource> = {
    getSlowOperations: () => named((one, index) => slowOperation(one, index, now)),
    getFindings: () => named((one, index) => finding(one, index, now)),
    getSlowQueries: ({ limit }) => named((one, index) => slowQuery(one, index)).slice(0, limit),
    getRegressions: () => named((one, index) => regression(one, index, now)),
    getTrends: () => named((one) => operationTrend(one, now)).concat(heapTrend(now)),
    getLeaks: () => [leak(name, now)],
    getActiveAlerts: () => [{ rule: 'slo_burn_fast', subject: name, firedAt: now - 60_000 }],
    getRecentAlerts: () => named((one, index) => alert(one, index, now)),
    getBaseline: () => ({ p50Ms: 60, p95Ms: 300 }),
    alerting: { burnRates: () => named((one, index) => slo(one, index)) },
    longTerm: {
      baseline: {
        status: {
          state: 'learning',
          operations: 812,
          version: '2.0.0',
          previousVersion: '1.9.3',
          since: now - 5 * HOUR_MS,
          comparesVersions: true,
          loadedAt: now - 5 * HOUR_MS,
          savedAt: now - 60_000,
        },
      },
    },
  };
  return Object.create(monitor, Object.getOwnPropertyDescriptors(own)) as ReportSource;
}

function slowOperation(name: string, index: number, now: number): SlowOperation {
  return {
    id: `b7ad6b7169203${String(331 + index)}`,
    timestamp: now,
    type: 'http',
    name,
    durationMs: 1892 - index,
    thresholdMs: 1000,
    slownessRatio: 1.892,
    selfTimeMs: 12,
    error: false,
    baseline: { p50Ms: 80, p95Ms: 300, ratio: 23.65 },
    adaptive: true,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '00f067aa0ba902b7',
    root: { type: 'http', name },
    resources: {
      heapUsedMb: 45.2,
      heapTotalMb: 60,
      rssMb: 120,
      cpuUserMs: 40,
      cpuSystemMs: 4,
      eventLoopUtilization: 0.4,
      eventLoopDelayMaxMs: 12,
      gcPauseMs: 2,
    },
    profile: '20261125-130000-cpu',
    heapSnapshot: '20261125-130001-heap',
    http: {
      statusCode: 200,
      aborted: false,
      handler: 'AlbumsController.findOne',
      beforeHandlerMs: 3,
      handlerMs: 1880,
      afterHandlerMs: 9,
      uploadMs: 2,
      downloadMs: 1,
    },
    statement: 'SELECT * FROM track WHERE album_id = ?',
    cause: 'n_plus_one',
    causeShare: 0.9,
    explanation: `41 times SELECT track WHERE album_id = ? within ${name} took 1700 ms.`,
    causes: [
      {
        cause: 'n_plus_one',
        share: 0.9,
        ms: 1700,
        certainty: 'measured',
        operation: 'SELECT track',
        count: 41,
      },
      { cause: 'cpu', share: 0.05, ms: 90, certainty: 'likely' },
    ],
    callSite,
    topFunctions: [
      { function: 'pbkdf2Sync', share: 0.4, file: 'src/auth.ts', line: 7, calledFrom: callSite },
      { function: '(regexp)', share: 0.1 },
    ],
    nPlusOne: { statement: 'SELECT * FROM track WHERE album_id = ?', count: 41, totalMs: 1700 },
  };
}

function finding(route: string, index: number, now: number): Finding {
  return {
    id: `f${index}`,
    type: 'n_plus_one',
    severity: index % 2 === 0 ? 'critical' : 'warning',
    fingerprint: 'SELECT * FROM track WHERE album_id = ?',
    route,
    count: 200,
    repetitions: 41,
    totalMs: 90_000 / (index + 1),
    worstMs: 1700,
    firstSeen: now - HOUR_MS,
    lastSeen: now,
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    callSite,
    explanation: '41 times SELECT track WHERE album_id = ? within one request.',
  };
}

function slowQuery(table: string, index: number): SlowQuery {
  return {
    fingerprint: `SELECT * FROM track t JOIN album a ON a.id = t.album_id WHERE a.title = ? AND t.name = ${table}`,
    name: 'SELECT track',
    operation: 'SELECT',
    table: 'track',
    count: 4000,
    slowCount: 12,
    errorCount: 1,
    totalMs: 61_000 / (index + 1),
    avgMs: 15.25,
    maxMs: 812,
    p50Ms: 11,
    p95Ms: 40,
    p99Ms: 120,
    avgRows: 12.5,
    routes: [{ name: table, count: 4000 }],
    callSite,
  };
}

function regression(name: string, index: number, now: number): Regression {
  return {
    id: `r${index}`,
    type: 'http',
    name,
    metric: 'latency',
    against: 'version',
    version: '2.0.0',
    previousVersion: '1.9.3',
    state: index % 3 === 2 ? 'over' : 'open',
    since: now - 2 * HOUR_MS,
    detectedAt: now - HOUR_MS,
    ...(index % 3 === 2 ? { overAt: now } : {}),
    before: 80,
    now: 104,
    change: 0.3,
    interval: [0.21, 0.4],
    pValue: 1e-7,
    count: 5100,
    parts: [{ part: 'database', beforeMs: 40, nowMs: 62 }],
    alongside: [
      {
        type: 'database',
        name: 'SELECT track',
        metric: 'queries',
        change: 0.5,
        since: now - 2 * HOUR_MS,
      },
    ],
    explanation: `${name} got 30 % slower (80 to 104 ms) since 11:20 UTC, with version 2.0.0. Database: 40 to 62 ms.`,
  };
}

function operationTrend(name: string, now: number): Trend {
  return {
    subject: { kind: 'operation', type: 'http', name },
    unit: 'ms',
    from: now - 20 * HOUR_MS,
    to: now,
    first: 80,
    last: 120,
    slopePerHour: 2,
    interval: [1.5, 2.5],
    pValue: 0.0001,
    forecast: { limit: 1000, reachedAt: now + 440 * HOUR_MS },
    explanation: `${name} gets 2 ms slower each hour.`,
  };
}

function heapTrend(now: number): Trend {
  const { forecast: _none, ...rest } = operationTrend('heap', now);
  return { ...rest, subject: { kind: 'resource', name: 'heap_used' }, unit: 'bytes' };
}

function leak(name: string, now: number): Leak {
  return {
    memory: 'heap',
    state: 'confirmed',
    since: now - 6 * HOUR_MS,
    bytesPerHour: 12e6,
    usedBytes: 210e6,
    limitBytes: 2.2e9,
    timeToLimitMs: 165 * HOUR_MS,
    confidence: 0.99,
    suspects: [{ type: 'http', name, bytesPerOperation: 3400 }],
    explanation: 'The heap grows by 11 MB an hour, and reaches its limit in 6.9 days.',
  };
}

function alert(subject: string, index: number, now: number): PerformanceAlert {
  return {
    id: `a${index}`,
    state: index % 2 === 0 ? 'firing' : 'resolved',
    rule: 'slo_burn_fast',
    severity: 'critical',
    subject,
    value: 22.5,
    threshold: 14.4,
    unit: 'ratio',
    firedAt: now - 120_000,
    timestamp: now - 1000 * index,
    labels: { team: 'store' },
    flapping: true,
    summary: 'The budget of a month is spent in 1.3 days.',
  };
}

function slo(name: string, index: number): BurnRate {
  const count = { total: 10_000, bad: 20 + index, rate: 2 + index };
  return {
    slo: name,
    operation: name,
    type: 'http',
    objective: 0.999,
    thresholdMs: 200,
    windows: { '5m': { total: 0, bad: 0 }, '30m': count, '1h': count, '6h': count, '3d': count },
    coveredMinutes: 4320,
    lastOperationAt: 1_700_000_000_000,
    budgetRemaining: -1 - index,
  };
}
