import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import inspector, { type Profiler } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import type { OnDemand } from '../../lib/profiling/on-demand.js';
import { processProfiler } from '../../lib/profiling/process-profiler.js';
import { CaptureRefusedError } from '../../lib/profiling/profile-info.js';
import { sleep } from '../support/tracing.js';
import { GUILTY, guilty, guiltySamples } from './windows.js';

const read = (path: string): Profiler.Profile => JSON.parse(readFileSync(path, 'utf8'));
const names = ({ nodes }: Profiler.Profile): string[] => nodes.map(({ callFrame }) => callFrame.functionName);

describe('a CPU profile on demand', () => {
  let directory: string;
  let monitor: PerformanceMonitor;
  let onDemand: OnDemand;
  const start = (options: PerformanceOptions = {}): void => {
    monitor = new PerformanceMonitor({
      alerts: { enabled: false },
      ...options,
      profiling: { sampler: 'inspector', directory, ...options.profiling },
    });
    ({ onDemand } = monitor.profiling);
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'on-demand-'));
    start();
  });
  afterEach(async () => {
    await monitor.profiling.shutdown();
    monitor.shutdown();
    rmSync(directory, { recursive: true, force: true });
  });

  it.each([0, 0.5, -1, 301, Number.NaN, Number.POSITIVE_INFINITY, '10', null])(
    'refuses %p seconds, and names the allowed range',
    async (seconds) => {
      const options = { seconds: seconds as number };
      const refusal = new RangeError(
        `Invalid seconds: received ${String(seconds)}, expected a number from 1 to 300`,
      );
      await expect(onDemand.captureCpu(options)).rejects.toEqual(refusal);
      await expect(onDemand.captureAllocations(options)).rejects.toEqual(refusal);
    },
  );

  it('contains the code that ran, in a file that only this user can read', async () => {
    const captured = onDemand.captureCpu({ seconds: 1 });
    guilty(200);
    const info = await captured;
    expect(info).toMatchObject({ type: 'cpu', reason: 'on_demand', scope: 'process' });
    expect(info.durationMs).toBeGreaterThanOrEqual(990);
    expect(statSync(info.path).mode & 0o777).toBe(0o600);
    const profile = read(info.path);
    expect(names(profile)).toContain(GUILTY);
    expect(profile.samples).toHaveLength(info.samples ?? -1);
    expect(Math.abs(profile.startTime / 1000 - Date.now())).toBeLessThan(60_000);
    expect(await monitor.profiling.store.list()).toMatchObject([{ id: info.id }]);
  });

  it('runs one capture at a time', async () => {
    const first = onDemand.captureCpu({ seconds: 60 });
    await expect(onDemand.captureCpu({ seconds: 1 })).rejects.toThrow(CaptureRefusedError);
    await expect(onDemand.captureCpu()).rejects.toThrow('A CPU profile is already being captured');
    onDemand.finishNow();
    expect((await first).durationMs).toBeLessThan(60_000);
    const second = onDemand.captureCpu({ seconds: 60 });
    onDemand.finishNow();
    expect((await second).id).not.toBe((await first).id);
  });

  it('is aborted by its signal, and nothing is stored', async () => {
    const reason = new Error('enough');
    await expect(onDemand.captureCpu({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const abort = new AbortController();
    const captured = onDemand.captureCpu({ seconds: 60, signal: abort.signal });
    abort.abort(reason);
    await expect(captured).rejects.toBe(reason);
    expect(await monitor.profiling.store.list()).toEqual([]);
    const next = onDemand.captureCpu({ seconds: 60 });
    onDemand.finishNow();
    await next;
  });

  it('runs beside the ring, which loses no sample', async () => {
    await monitor.profiling.shutdown();
    start({ enableProfiling: true });
    await monitor.profiling.start();
    const { ring } = processProfiler;
    const from = performance.now();
    const captured = onDemand.captureCpu({ seconds: 60 });
    guilty(150);
    onDemand.finishNow();
    expect(names(read((await captured).path))).toContain(GUILTY);
    guilty(150);
    const to = performance.now();
    expect(await ring?.settled(to)).toBe(true);
    expect(guiltySamples(ring?.within(from, to) ?? [], from, to)).toBeGreaterThan(5);
    expect(ring?.status.state).toBe('on');
  });

  it('runs beside a debugger that profiles', async () => {
    const session = new inspector.Session();
    session.connect();
    try {
      session.post('Profiler.enable');
      session.post('Profiler.start');
      const captured = onDemand.captureCpu({ seconds: 60 });
      guilty(100);
      onDemand.finishNow();
      await captured;
      guilty(100);
      let theirs: Profiler.Profile | undefined;
      session.post('Profiler.stop', (_error, result) => {
        theirs = result?.profile;
      });
      expect(names(theirs as Profiler.Profile)).toContain(GUILTY);
    } finally {
      session.disconnect();
    }
  });

  it('is written early if the application shuts down', async () => {
    const captured = onDemand.captureCpu({ seconds: 60 });
    captured.catch(() => {});
    guilty(50);
    await sleep(20);
    await monitor.profiling.shutdown();
    // What is not there now is lost: the process ends.
    const [info] = await monitor.profiling.store.list();
    expect(info).toMatchObject({ type: 'cpu', reason: 'on_demand' });
    expect((await captured).id).toBe(info?.id);
  });

  it('is refused with the reason if the file cannot be written', async () => {
    await monitor.profiling.shutdown();
    start({ profiling: { directory: join(__filename, 'below') } });
    const warned: string[] = [];
    monitor.profiling.warn = (message) => warned.push(message);
    const captured = onDemand.captureCpu({ seconds: 60 });
    onDemand.finishNow();
    await expect(captured).rejects.toThrow(/^The profile could not be stored: Profiles cannot be stored in/);
    expect(warned).toHaveLength(1);
  });
});
