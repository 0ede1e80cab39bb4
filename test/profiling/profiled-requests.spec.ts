import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { processProfiler } from '../../lib/profiling/process-profiler.js';
import { until } from '../support/application.js';
import { coreOf, ProfiledApplications } from './profiled-application.js';

describe('a slow request of an application that is profiled', () => {
  let applications: ProfiledApplications;
  beforeEach(() => {
    applications = new ProfiledApplications();
  });
  afterEach(() => applications.end());

  it('is told with the functions that ran, and its profile is on its span and in a file', async () => {
    applications.collectSpans();
    const application = await applications.start();
    const slow = await applications.slow(application, '/burn');
    await until(() => slow.topFunctions !== undefined);
    expect(slow.topFunctions?.[0]).toMatchObject({
      function: 'pbkdf2Sync',
      // Jest runs another text than the one on the disk, so that no class is told.
      calledFrom: { function: 'hash', file: 'test/profiling/profiled-application.ts' },
    });
    expect(slow.topFunctions?.[0]?.share).toBeGreaterThan(0.5);
    expect(slow.explanation).toContain('pbkdf2Sync');
    expect(slow.explanation).toContain('profiled-application.ts');

    const info = await application.monitor.getProfile(slow.profile ?? '');
    expect(info).toMatchObject({
      type: 'cpu',
      reason: 'slow_operation',
      scope: 'operation',
      operation: { type: 'http', name: 'GET /burn', traceId: slow.traceId, spanId: slow.spanId },
    });
    const path = join(applications.directory, `${slow.profile}.cpuprofile`);
    expect(info?.path).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const { nodes, samples = [] }: Profiler.Profile = JSON.parse(readFileSync(path, 'utf8'));
    expect(nodes.map(({ callFrame }) => callFrame.functionName)).toContain('hash');
    expect(samples).toHaveLength(info?.samples ?? -1);

    const span = applications.spans.find(({ name }) => name === 'GET /burn');
    expect(span?.attributes['performance.profile']).toBe(slow.profile);
    expect(span?.events.find(({ name }) => name === 'performance.profile_captured')?.attributes).toEqual({
      'profile.type': 'cpu',
      'profile.path': path,
      'profile.reason': 'slow_operation',
    });
  });

  it('has no functions where it only waits', async () => {
    const application = await applications.start();
    const slow = await applications.slow(application, '/wait');
    expect(slow.topFunctions).toBeUndefined();
  });

  // V8's signals interrupt the poll of libuv, which then forgets how long it has waited.
  it('is not told as busy where it only waits', async () => {
    const application = await applications.start();
    const slow = await applications.slow(application, '/wait', false);
    const busy = slow.causes.find(({ cause }) => cause === 'cpu');
    expect(busy?.share ?? 0).toBeLessThan(0.2);
  });

  it('gets its functions, and no file, where slow operations are not to be kept', async () => {
    const application = await applications.start({ profileSlowOperations: false });
    const slow = await applications.slow(application, '/burn');
    await until(() => slow.topFunctions !== undefined);
    expect(slow.profile).toBeUndefined();
    expect(await application.monitor.getProfiles()).toEqual([]);
  });

  it('gets no second file within the cooldown, which is counted', async () => {
    const application = await applications.start({ profiling: { cooldownSeconds: 60 } });
    expect((await applications.slow(application, '/burn', false)).profile).toBeDefined();
    expect((await applications.slow(application, '/burn', false)).profile).toBeUndefined();
    expect(application.monitor.getStats().profiling).toMatchObject({ state: 'on', skipped: 1 });
  });

  it('is answered where the directory cannot be written: one warning, and no profile', async () => {
    const file = join(applications.directory, 'file');
    writeFileSync(file, '');
    const application = await applications.start({ profiling: { directory: join(file, 'below') } });
    const first = await applications.slow(application, '/burn', false);
    expect(first.profile).toBeDefined();
    await until(() => first.profile === undefined && first.topFunctions !== undefined);
    const second = await applications.slow(application, '/burn', false);
    await until(() => second.profile === undefined && second.topFunctions !== undefined);
    const { failure } = application.monitor.getStats().profiling;
    expect(failure).toContain('Profiles are not kept in');
    expect(application.logged.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      failure,
    ]);
  });

  it('is kept though somebody removed the directory', async () => {
    const application = await applications.start();
    const first = await applications.slow(application, '/burn', false);
    await until(() => first.topFunctions !== undefined);
    rmSync(applications.directory, { recursive: true });
    expect(await application.monitor.getProfiles()).toEqual([]);
    const second = await applications.slow(application, '/burn', false);
    await until(() => second.topFunctions !== undefined);
    expect(await application.monitor.getProfiles()).toMatchObject([{ id: second.profile }]);
  });

  it('is told as ever where profiling is off: nothing runs', async () => {
    const application = await applications.start({
      enableProfiling: false,
      profiling: { heapSnapshots: true },
    });
    expect(processProfiler).toMatchObject({ ring: undefined, executionLog: undefined });
    const { profiling } = coreOf(application);
    Object.assign(profiling.onDemand.heap, { danger: () => undefined });
    const slow = await applications.slow(application, '/burn', false);
    expect(slow).not.toHaveProperty('profile');
    // Nor what is said to have no effect without it.
    expect(slow).not.toHaveProperty('heapSnapshot');
    expect(application.monitor.getStats().profiling).toMatchObject({ state: 'off', reason: 'disabled' });
    expect(application.logged).toContainEqual({
      level: 'warn',
      message: expect.stringContaining('profileSlowOperations has no effect without enableProfiling'),
    });
    profiling.captureAllocationsOnMemoryPressure();
    expect(await application.monitor.getProfiles()).toEqual([]);
  });

  it('is not promised a profile while the ring does not sample', async () => {
    const application = await applications.start();
    processProfiler.ring?.stop();
    const slow = await applications.slow(application, '/burn', false);
    expect(slow).not.toHaveProperty('profile');
    expect(application.monitor.getStats().profiling).toMatchObject({ state: 'off', skipped: 0 });
  });
});
