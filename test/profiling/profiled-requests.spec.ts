import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { processProfiler } from '../../lib/profiling/process-profiler.js';
import { coreOf, ProfiledApplications } from './profiled-application.js';

describe('a slow request of a profiled application', () => {
  let applications: ProfiledApplications;
  beforeEach(() => {
    applications = new ProfiledApplications();
  });
  afterEach(() => applications.end());

  it('has the functions that ran, and its profile on its span and in a file', async () => {
    applications.collectSpans();
    const application = await applications.start();
    const slow = await applications.updated(application, await applications.slow(application, '/burn'));
    expect(slow.topFunctions?.[0]).toMatchObject({
      function: 'pbkdf2Sync',
      // Jest transforms the text on disk, so classes are not found.
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

  it('has no functions if it only waits', async () => {
    const application = await applications.start();
    const slow = await applications.slow(application, '/wait');
    expect(slow.topFunctions).toBeUndefined();
  });

  // V8's signals interrupt the poll of libuv, which then loses the time that it has waited.
  it('does not count as busy if it only waits', async () => {
    const application = await applications.start();
    const slow = await applications.slow(application, '/wait', false);
    const busy = slow.causes.find(({ cause }) => cause === 'cpu');
    expect(busy?.share ?? 0).toBeLessThan(0.2);
  });

  it('has functions but no file if slow operations are not stored', async () => {
    const application = await applications.start({ profileSlowOperations: false });
    const slow = await applications.updated(application, await applications.slow(application, '/burn'));
    expect(slow.profile).toBeUndefined();
    expect(await application.monitor.getProfiles()).toEqual([]);
  });

  it('has no second file within the cooldown, and is counted', async () => {
    const application = await applications.start({ profiling: { cooldownSeconds: 60 } });
    expect((await applications.slow(application, '/burn', false)).profile).toBeDefined();
    expect((await applications.slow(application, '/burn', false)).profile).toBeUndefined();
    expect(application.monitor.getStats().profiling).toMatchObject({ state: 'on', skipped: 1 });
  });

  it('is answered if the directory cannot be written: one warning, no profile', async () => {
    const file = join(applications.directory, 'file');
    writeFileSync(file, '');
    const application = await applications.start({ profiling: { directory: join(file, 'below') } });
    const first = await applications.slow(application, '/burn', false);
    expect(first.profile).toBeDefined();
    const isWithdrawn = ({ profile, topFunctions }: SlowOperation): boolean =>
      profile === undefined && topFunctions !== undefined;
    await applications.updated(application, first, isWithdrawn);
    const second = await applications.slow(application, '/burn', false);
    await applications.updated(application, second, isWithdrawn);
    const { failure } = application.monitor.getStats().profiling;
    expect(failure).toContain('Profiles cannot be stored in');
    expect(application.logged.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      failure,
    ]);
  });

  it('is stored after the directory was deleted', async () => {
    const application = await applications.start();
    const first = await applications.slow(application, '/burn', false);
    await applications.updated(application, first);
    rmSync(applications.directory, { recursive: true });
    expect(await application.monitor.getProfiles()).toEqual([]);
    const second = await applications.slow(application, '/burn', false);
    await applications.updated(application, second);
    expect(await application.monitor.getProfiles()).toMatchObject([{ id: second.profile }]);
  });

  it('is reported without profile if profiling is off', async () => {
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
      message: expect.stringContaining('profileSlowOperations requires enableProfiling: true'),
    });
    profiling.captureAllocationsOnMemoryPressure();
    expect(await application.monitor.getProfiles()).toEqual([]);
  });

  it('names no profile while the ring does not sample', async () => {
    const application = await applications.start();
    processProfiler.ring?.stop();
    const slow = await applications.slow(application, '/burn', false);
    expect(slow).not.toHaveProperty('profile');
    expect(application.monitor.getStats().profiling).toMatchObject({ state: 'off', skipped: 0 });
  });
});
