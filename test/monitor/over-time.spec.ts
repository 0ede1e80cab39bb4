import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BaselineOptions } from '../../lib/baseline/baseline-options.js';
import type { Finding } from '../../lib/explain/finding.js';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';

const TICK_MS = 10_000;
const PER_TICK = 10;

describe('long-term analysis', () => {
  let directory: string;
  const monitors: PerformanceMonitor[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'over-time-'));
  });

  afterEach(async () => {
    await Promise.all(monitors.splice(0).map((monitor) => monitor.shutdown()));
    await rm(directory, { recursive: true });
  });

  function monitorOf(baseline: BaselineOptions = {}): PerformanceMonitor {
    const monitor = new PerformanceMonitor({
      serviceName: 'albums',
      serviceVersion: '1.0.0',
      httpThresholdMs: 1000,
      baseline: { directory, warmUpSeconds: 0, ...baseline },
    });
    monitors.push(monitor);
    return monitor;
  }

  /** Records the requests of some minutes at once. */
  function serve(monitor: PerformanceMonitor, minutes: number, medianMs: number, from: number): number {
    let now = from;
    for (let tick = 0; tick < minutes * 6; tick++) {
      for (let each = 0; each < PER_TICK; each++) {
        // From 25 % less to 33 % more, the same in each tick.
        const durationMs = medianMs * 4 ** ((each - 4.5) / 20);
        monitor.record(
          { type: 'http', name: 'GET /albums', durationMs, thresholdMs: 1000, error: false },
          now + each,
        );
      }
      now += TICK_MS;
      monitor.longTerm.baseline.tick(now);
    }
    return now;
  }

  const start = (): number => Math.ceil(performance.now() / TICK_MS + 1) * TICK_MS;

  it('compares a slow operation with its baseline', () => {
    const monitor = monitorOf();
    const now = serve(monitor, 10, 100, start());
    monitor.record(
      { type: 'http', name: 'GET /albums', durationMs: 1500, thresholdMs: 1000, error: false },
      now,
    );
    const [slow] = monitor.getSlowOperations() as [SlowOperation];
    expect(slow.baseline?.p50Ms).toBeGreaterThan(90);
    expect(slow.baseline?.p50Ms).toBeLessThan(110);
    expect(slow.baseline?.ratio).toBeGreaterThan(13);
    expect(slow.adaptive).toBeUndefined();
    expect(monitor.getBaseline('http', 'GET /albums')?.count).toBeGreaterThan(400);
  });

  it('considers an unusual duration slow with adaptive thresholds', () => {
    const monitor = monitorOf({ adaptive: { enabled: true, factor: 2 } });
    const now = serve(monitor, 10, 100, start());
    const operation = { type: 'http', name: 'GET /albums', thresholdMs: 1000, error: false };
    expect(monitor.record({ ...operation, durationMs: 200 }, now)).toBe(false);
    expect(monitor.record({ ...operation, durationMs: 400 }, now)).toBe(true);
    const [slow] = monitor.getSlowOperations() as [SlowOperation];
    expect(slow).toMatchObject({ adaptive: true });
    expect(slow.thresholdMs).toBeLessThan(300);
  });

  it('reports a regression as a finding, in the report, and to alert rules', async () => {
    const monitor = monitorOf();
    const heard: Finding[] = [];
    monitor.onFinding((finding) => heard.push(finding));
    // All hours of the day: an hour without data has no baseline.
    const now = serve(monitor, 25 * 60, 100, start());
    expect(monitor.getFindings({ type: 'regression' })).toEqual([]);
    // A change is reported when it has lasted for half an hour.
    serve(monitor, 45, 160, now);
    expect(monitor.getRegressions()).toMatchObject([
      { name: 'GET /albums', metric: 'latency', state: 'open' },
    ]);
    const [finding] = monitor.getFindings({ type: 'regression' });
    expect(finding).toMatchObject({ route: 'GET /albums', severity: 'warning', count: 1 });
    expect(finding?.totalMs).toBeGreaterThan(1000);
    expect(monitor.getReport().regressions).toHaveLength(1);
    await new Promise((done) => setImmediate(done));
    expect(heard.map(({ type }) => type)).toEqual(['regression']);
  });

  it('saves its baseline for the next run, unless it is empty', async () => {
    const idle = monitorOf();
    await idle.shutdown();
    expect(await readdir(directory)).toEqual([]);
    const monitor = monitorOf();
    serve(monitor, 10, 100, start());
    await monitor.shutdown();
    expect(await readdir(directory)).toHaveLength(1);
    const next = monitorOf();
    await next.longTerm.baseline.load();
    next.record({ type: 'http', name: 'GET /albums', durationMs: 1500, thresholdMs: 1000, error: false });
    expect(next.getSlowOperations()[0]?.baseline?.ratio).toBeGreaterThan(13);
  });

  it('does nothing when it is disabled', () => {
    const monitor = new PerformanceMonitor({
      baseline: { enabled: false, directory },
      detection: { memoryLeaks: { enabled: false } },
    });
    monitors.push(monitor);
    const now = serve(monitor, 10, 100, start());
    monitor.record(
      { type: 'http', name: 'GET /albums', durationMs: 1500, thresholdMs: 1000, error: false },
      now,
    );
    expect(monitor.getSlowOperations()[0]?.baseline).toBeUndefined();
    expect(monitor.getBaseline('http', 'GET /albums')).toBeUndefined();
    expect([monitor.getRegressions(), monitor.getTrends(), monitor.getLeaks()]).toEqual([[], [], []]);
    expect(monitor.longTerm.baseline.status.state).toBe('off');
  });
});
