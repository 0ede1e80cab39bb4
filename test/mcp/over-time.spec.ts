import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileBaselineStore } from '../../lib/baseline/file-store.js';
import { PageLinks } from '../../lib/mcp/page-links.js';
import type { Tool } from '../../lib/mcp/tool.js';
import { getOperation } from '../../lib/mcp/tools/get-operation.tool.js';
import { getReleaseVerdict } from '../../lib/mcp/tools/get-release-verdict.tool.js';
import { listChanges } from '../../lib/mcp/tools/list-changes.tool.js';
import { listSlowOperations } from '../../lib/mcp/tools/list-slow-operations.tool.js';
import { verifyFix } from '../../lib/mcp/tools/verify-fix.tool.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { memoryOf } from '../baseline/programs/process-memories.js';
import { releaseEntry } from '../baseline/programs/release-entries.js';
import { HOUR, randomOf, START } from '../baseline/programs/simulated-windows.js';
import { snapshot } from '../baseline/programs/snapshots.js';
import { until } from '../support/application.js';

const MINUTE = 60_000;
const PER_MINUTE = 35;

describe('what agents read of longer times', () => {
  let directory: string;
  let monitor: PerformanceMonitor;
  let now: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-mcp-'));
    monitor = new PerformanceMonitor(
      { serviceName: 'shop', serviceVersion: '2.0.0', baseline: { directory, warmUpSeconds: 0 } },
      false,
    );
    now = performance.now();
  });
  afterEach(async () => {
    await monitor.shutdown();
    await rm(directory, { recursive: true, force: true });
  });

  // biome-ignore lint/suspicious/noExplicitAny: each tool has data of its own.
  const call = async (tool: Tool, given: object): Promise<{ text: string; data: any }> => {
    const context = { monitor, links: new PageLinks(undefined), now: performance.timeOrigin + now };
    const { lines, data } = await tool.answer({ ...given }, context);
    return { text: lines.join('\n'), data };
  };

  /** Minutes of traffic with this median. */
  const minutes = (count: number, medianMs: number, seed: number): void => {
    const random = randomOf(seed);
    for (let minute = 0; minute < count; minute++) {
      for (let request = 0; request < PER_MINUTE; request++) {
        const durationMs = medianMs * Math.exp(0.2 * (random.uniform() - 0.5));
        now += MINUTE / PER_MINUTE;
        monitor.record({ type: 'http', name: 'GET /a', durationMs, thresholdMs: 1000, error: false }, now);
      }
      monitor.longTerm.baseline.tick(now + 10_000);
    }
  };

  it('compare windows before and after a moment', async () => {
    minutes(15, 100, 1);
    const since = performance.timeOrigin + now;
    const early = await call(verifyFix, { operation: 'GET /a', since });
    expect(early.data).toMatchObject({ verdict: 'not enough data', after: { count: 0 } });
    expect(early.text).toMatch(
      /There are 1\d windows before and 0 windows after that moment; 5 on each side/,
    );
    minutes(15, 50, 2);
    const better = await call(verifyFix, { operation: 'GET /a', since });
    expect(better.data).toMatchObject({ verdict: 'better', operation: 'GET /a' });
    const [latency] = better.data.measures;
    expect(latency).toMatchObject({ measure: 'latency (median)', verdict: 'better' });
    expect(latency.percentInterval[0]).toBeLessThan(-50);
    expect(latency.percentInterval[1]).toBeGreaterThan(-50);
    const middle = await call(verifyFix, {
      operation: 'GET /a',
      since: performance.timeOrigin + now - 7 * MINUTE,
    });
    expect(middle.data.verdict).not.toBe('worse');
  });

  it('contain the history of an operation in windows', async () => {
    minutes(50, 100, 1);
    const { data, text } = await call(getOperation, { operation: 'GET /a' });
    expect(data.windows.length).toBeGreaterThan(30);
    expect(data.windows.length).toBeLessThanOrEqual(40);
    expect(data.windows[0]).toMatchObject({
      count: expect.any(Number),
      errors: 0,
      p50Ms: expect.closeTo(100, -1),
    });
    expect(data.baseline).toMatchObject({ p50Ms: expect.closeTo(100, -1) });
    expect(JSON.stringify(data)).not.toContain('null');
    expect(text).toMatch(/History, the latest windows \(12 of \d+\):/);
  });

  it('compare a measurement with executions since it, of the same instance', async () => {
    minutes(2, 100, 1);
    const { measurement } = (await call(getOperation, { operation: 'GET /a' })).data;
    minutes(2, 50, 2);
    const { data, text } = await call(verifyFix, { measurement });
    expect(data).toMatchObject({ verdict: 'better' });
    expect(text).toMatch(
      /- latency \(geometric mean\): better, [\d.]+ ms -> [\d.]+ ms, -[\d.]+ % \(-[\d.]+ to -[\d.]+ %\)/,
    );
    // An instance that started long before counts executions from before the change.
    const other = { ...measurement, run: measurement.run + MINUTE, at: measurement.run + 2 * MINUTE };
    await expect(call(verifyFix, { measurement: other })).rejects.toThrow(
      /^Invalid argument measurement: received one of another instance, .*: ask the instance .* operation and version/,
    );
    // One that started later is the application after a restart.
    const restarted = { ...measurement, run: measurement.run - HOUR, at: measurement.run - MINUTE };
    expect((await call(verifyFix, { measurement: restarted })).data).toMatchObject({
      after: { count: 4 * PER_MINUTE },
    });
  });

  it('are the slowest executions of each operation among those that match', async () => {
    const run = (durationMs: number): void => {
      monitor.record({ type: 'http', name: 'GET /a', durationMs, thresholdMs: 1000, error: false });
    };
    run(9000);
    const before = Date.now();
    await until(() => Date.now() > before);
    run(2000);
    run(3000);
    const order = 'slowest_of_each';
    const { data } = await call(listSlowOperations, { order, since: before + 1 });
    expect(data).toMatchObject({ total: 3, matching: 1, operations: [{ durationMs: 3000 }] });
    const all = await call(listSlowOperations, { order, operation: '/A' });
    expect(all.data).toMatchObject({ total: 3, matching: 1, operations: [{ durationMs: 9000 }] });
  });

  it('contain regressions with their interval', async () => {
    minutes(240, 100, 1);
    minutes(120, 220, 2);
    const { data, text } = await call(listChanges, { kind: 'regression' });
    expect(data.regressions).toMatchObject([{ name: 'GET /a', metric: 'latency', state: 'open' }]);
    expect(text).toMatch(/- open since .*`GET \/a` \(http\).*95 % interval [\d.]+ % to [\d.]+ %\./);
    expect((await call(listChanges, { state: 'over' })).data.regressions).toEqual([]);
    expect((await call(listChanges, { operation: 'GET /b' })).data.regressions).toEqual([]);
  });

  describe('of releases', () => {
    const RELEASED = START + 10 * HOUR;
    beforeEach(async () => {
      const store = new FileBaselineStore(directory, () => {});
      const save = (version: string, startedAt: number, medianMs: number): Promise<boolean> =>
        store.save(
          snapshot({
            version,
            instance: `host-${version}`,
            startedAt,
            savedAt: startedAt + HOUR,
            operations: [
              releaseEntry('GET /a', { startedAt, minutes: 60, medianMs }),
              releaseEntry('GET /b', { startedAt, minutes: 60, seed: 4 }),
            ],
            memory: memoryOf({ startedAt, minutes: 70, heapMb: medianMs, seed: medianMs }),
          }),
        );
      await save('1.0.0', RELEASED - HOUR, 200);
      await save('2.0.0', RELEASED, 100);
    });

    it('contain the verdict', async () => {
      const { data, text } = await call(getReleaseVerdict, { operation: '/a' });
      expect(data).toMatchObject({
        verdict: 'better',
        before: { version: '1.0.0' },
        after: { version: '2.0.0' },
        operations: [{ name: 'GET /a', verdict: 'better' }],
      });
      expect(text).toContain('**better**: ');
      expect(data['process']).toMatchObject({
        verdict: 'better',
        measures: [{ measure: 'heap' }, { measure: 'rss' }],
      });
      expect(text).toMatch(
        /\nMemory of the process: better: heap after collections \d+ MB .+ \d+ MB, -[\d.]+ % /,
      );
      expect(text).toMatch(/- better: `GET \/a` \(http\), 1800 executions before and 1800 after: median /);
      await expect(call(getReleaseVerdict, { version: '9.9.9' })).rejects.toThrow('9.9.9');
    });

    it('verify a fix of the version before', async () => {
      const { data } = await call(verifyFix, { operation: 'GET /a', version: '1.0.0' });
      expect(data).toMatchObject({ verdict: 'better', before: { count: 1800 }, after: { count: 1800 } });
      await expect(call(verifyFix, { operation: 'GET /c', version: '1.0.0' })).rejects.toThrow(
        '`GET /c` is not among the incoming operations that both versions have',
      );
    });
  });
});
