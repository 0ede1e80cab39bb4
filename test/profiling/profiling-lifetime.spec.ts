import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { processProfiler } from '../../lib/profiling/process-profiler.js';
import { CaptureRefusedError } from '../../lib/profiling/profile-info.js';
import { ProfileStore } from '../../lib/profiling/profile-store.js';
import { until } from '../support/application.js';
import { coreOf, ProfiledApplications } from './profiled-application.js';

describe('profiling in the life of an application', () => {
  let applications: ProfiledApplications;
  beforeEach(() => {
    applications = new ProfiledApplications();
  });
  afterEach(async () => {
    await applications.end();
    expect(processProfiler).toMatchObject({ ring: undefined, executionLog: undefined });
  });

  const files = (ending: string): string[] =>
    readdirSync(applications.directory).filter((name) => name.endsWith(ending));

  it('shares one ring between two modules, which continues when one shuts down', async () => {
    const first = await applications.start();
    const { ring, executionLog } = processProfiler;
    const second = await applications.start({ profiling: { intervalMs: 1 } });
    expect(processProfiler).toMatchObject({ ring, executionLog });
    await applications.stop(first);
    expect(processProfiler.ring).toBe(ring);
    const slow = await applications.updated(second, await applications.slow(second, '/burn', false));
    expect(slow.topFunctions?.[0]?.function).toBe('pbkdf2Sync');
    expect(existsSync(join(applications.directory, `${slow.profile}.cpuprofile`))).toBe(true);
    await applications.stop(second);
    expect(ring?.status).toMatchObject({ state: 'off', reason: 'stopped' });
  });

  it('writes the profile of a slow request that ended just before the shutdown', async () => {
    const application = await applications.start();
    const slow = await applications.slow(application, '/burn', false);
    await applications.stop(application);
    expect(files('.cpuprofile')).toEqual([`${slow.profile}.cpuprofile`]);
    const { topFunctions } = await applications.updated(application, slow);
    expect(topFunctions?.[0]?.function).toBe('pbkdf2Sync');
  });

  it('writes a running capture at the shutdown', async () => {
    const application = await applications.start();
    const cpu = application.monitor.captureCpuProfile({ seconds: 60 });
    const allocations = application.monitor.captureAllocationProfile({ seconds: 60 });
    for (const captured of [cpu, allocations]) captured.catch(() => {});
    await applications.stop(application);
    expect(files('.cpuprofile')).toEqual([`${(await cpu).id}.cpuprofile`]);
    expect(files('.heapprofile')).toEqual([`${(await allocations).id}.heapprofile`]);
  });

  it('samples allocations when memory is short, once at a time', async () => {
    const application = await applications.start();
    const { profiling } = coreOf(application);
    profiling.captureAllocationsOnMemoryPressure();
    profiling.captureAllocationsOnMemoryPressure();
    await expect(application.monitor.captureAllocationProfile({ seconds: 1 })).rejects.toThrow(
      CaptureRefusedError,
    );
    await applications.stop(application);
    expect(files('.heapprofile')).toHaveLength(1);
    profiling.captureAllocationsOnMemoryPressure();
    const store = new ProfileStore(
      { directory: applications.directory, maxBytes: 1e9, maxFiles: 100, maxAgeMs: 1e9 },
      () => {},
    );
    expect(await store.list()).toMatchObject([{ type: 'allocations', reason: 'memory' }]);
  });

  it('samples allocations when the heap alert fires', async () => {
    const application = await applications.start({ alerts: { enabled: true, heapUsed: { threshold: 1 } } });
    coreOf(application).evaluateAlerts();
    await expect(application.monitor.captureAllocationProfile({ seconds: 1 })).rejects.toThrow(
      CaptureRefusedError,
    );
  });

  it('can be shut down twice, and before the start', async () => {
    const application = await applications.start();
    const { profiling } = coreOf(application);
    await Promise.all([profiling.shutdown(), profiling.shutdown()]);
    await profiling.start();
    expect(processProfiler.ring).toBeUndefined();
    expect(profiling.status.state).toBe('off');
  });

  it('takes a heap snapshot of a slow request, and says why the next one gets none', async () => {
    applications.collectSpans();
    const application = await applications.start({
      profiling: { heapSnapshots: true, cooldownSeconds: 600 },
    });
    // What this machine and Jest leave of memory is not what this is about.
    const { heap } = coreOf(application).profiling.onDemand;
    Object.assign(heap, { danger: () => undefined });
    const slow = await applications.slow(application, '/burn', false);
    expect(slow.heapSnapshot).toBeDefined();
    // The heap of a whole run of tests takes its time.
    await until(() => files('.heapsnapshot').length > 0, 150_000);
    const path = join(applications.directory, `${slow.heapSnapshot}.heapsnapshot`);
    const span = applications.spans.find(({ name }) => name === 'GET /burn');
    expect(span?.attributes['performance.heap_snapshot']).toBe(slow.heapSnapshot);
    expect(span?.events.map(({ attributes }) => attributes?.['profile.path'])).toContain(path);
    // It is over when its description is written as well.
    await until(() => heap.refusal() === undefined, 150_000);
    const again = await applications.slow(application, '/burn', false);
    expect(again.heapSnapshot).toBeUndefined();
    expect(application.monitor.getStats().profiling.snapshotRefused).toEqual(expect.stringMatching(/\d/));
    await coreOf(application).profiling.store.flush();
    expect(await application.monitor.getProfile(slow.heapSnapshot ?? '')).toMatchObject({
      type: 'heap_snapshot',
      reason: 'slow_operation',
      operation: { name: 'GET /burn' },
    });
  }, 360_000);
});
