import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CgroupThrottling } from '../../lib/process/cgroup-cpu.js';
import { isIdleCalculated, loopIdleMs, samplingBegins } from '../../lib/process/loop-idle.js';
import { ThreadClock } from '../../lib/process/thread-clock.js';
import { sleep } from '../support/tracing.js';

// A machine that is busy throughout leaves no idle time to be counted.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'thread-clock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const onLinux = process.platform === 'linux' ? describe : describe.skip;

function burn(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

describe('ThreadClock', () => {
  it('has the CPU time of the process where the scheduler tells nothing', () => {
    for (const path of [join(folder, 'missing'), folder]) {
      const clock = new ThreadClock(path);
      expect(clock.isExact).toBe(false);
      expect(clock.cpuMs).toBeGreaterThan(0);
      expect(clock.runDelayMs).toBe(0);
    }
    writeFileSync(join(folder, 'zeros'), '0 0 0\n');
    expect(new ThreadClock(join(folder, 'zeros')).isExact).toBe(false);
  });
});

onLinux('ThreadClock on Linux', () => {
  it('reads CPU time and run delay in milliseconds, again at each call', () => {
    const path = join(folder, 'schedstat');
    writeFileSync(path, '1234567890123 45000000 678\n');
    const clock = new ThreadClock(path);
    expect(clock).toMatchObject({ isExact: true, cpuMs: 1234567.890123, runDelayMs: 45 });
    writeFileSync(path, '1234569000000 47500000 680\n');
    clock.read();
    expect(clock).toMatchObject({ cpuMs: 1234569, runDelayMs: 47.5 });
  });

  it('counts code that runs, and not the time in which the thread sleeps', async () => {
    const clock = new ThreadClock();
    const asleep = clock.cpuMs;
    await sleep(200);
    clock.read();
    const before = [performance.now(), clock.cpuMs, clock.runDelayMs] as const;
    expect(before[1] - asleep).toBeLessThan(100);
    burn(200);
    clock.read();
    const [wall, cpu, delay] = [
      performance.now() - before[0],
      clock.cpuMs - before[1],
      clock.runDelayMs - before[2],
    ];
    expect((cpu + delay) / wall).toBeGreaterThan(0.9);
    expect((cpu + delay) / wall).toBeLessThan(1.1);
  });
});

onLinux('loopIdleMs', () => {
  it('counts idle time while a profiler interrupts the waits of the event loop', async () => {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    const samplingEnds = samplingBegins();
    await session.post('Profiler.start');
    try {
      expect(isIdleCalculated()).toBe(true);
      const libuvs = performance.nodeTiming.idleTime;
      const [start, idle] = [performance.now(), loopIdleMs()];
      await sleep(400);
      const waited = loopIdleMs() - idle;
      burn(100);
      const after = loopIdleMs() - idle;
      expect(waited).toBeGreaterThan(150);
      expect(waited).toBeLessThanOrEqual(performance.now() - start - 100 + 1);
      expect(waited).toBeGreaterThan(performance.nodeTiming.idleTime - libuvs);
      expect(after - waited).toBeLessThan(10);
    } finally {
      await session.post('Profiler.stop');
      samplingEnds();
      session.disconnect();
    }
    expect(isIdleCalculated()).toBe(false);
    const [start, idle] = [performance.now(), loopIdleMs()];
    await sleep(50);
    // Continues without a step.
    expect(loopIdleMs()).toBeGreaterThan(idle);
    expect(loopIdleMs() - idle).toBeLessThanOrEqual(performance.now() - start);
  });

  it('is calculated until the last profiler has ended', () => {
    const ends = [samplingBegins(), samplingBegins()];
    ends[0]?.();
    ends[0]?.();
    expect(isIdleCalculated()).toBe(true);
    ends[1]?.();
    expect(isIdleCalculated()).toBe(false);
  });
});

describe('CgroupThrottling', () => {
  const group = (path: string, files: Record<string, string>): void => {
    mkdirSync(join(folder, path), { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, path, name), content);
  };
  const throttling = (membership: string): CgroupThrottling => {
    writeFileSync(join(folder, 'membership'), membership);
    return new CgroupThrottling({ root: folder, membership: join(folder, 'membership') });
  };

  it('adds up the groups with a limit, in version 2', () => {
    group('.', { 'cpu.stat': 'throttled_usec 999000\n' });
    group('pod', {
      'cpu.max': '50000 100000\n',
      'cpu.stat': 'usage_usec 7\nnr_throttled 2\nthrottled_usec 1500\n',
    });
    group('pod/app', { 'cpu.max': 'max 100000\n', 'cpu.stat': 'throttled_usec 400000\n' });
    const counter = throttling('0::/pod/app\n');
    expect(counter.read()).toBe(1.5);
    group('pod', { 'cpu.stat': 'throttled_usec 4500\n' });
    expect(counter.read()).toBe(4.5);
  });

  it('reads nanoseconds in version 1', () => {
    group('cpu/app', {
      'cpu.cfs_quota_us': '25000\n',
      'cpu.stat': 'nr_throttled 8\nthrottled_time 75005329\n',
    });
    group('cpu', { 'cpu.cfs_quota_us': '-1\n', 'cpu.stat': 'throttled_time 9000000\n' });
    expect(throttling('4:memory:/\n2:cpuacct:/other\n1:cpu:/app\n').read()).toBeCloseTo(75.005, 3);
  });

  it('is 0 without a limit, without control groups, and with files that cannot be read', () => {
    group('app', { 'cpu.max': 'max 100000\n', 'cpu.stat': 'throttled_usec 400000\n' });
    expect(throttling('0::/app\n').read()).toBe(0);
    expect(throttling('').read()).toBe(0);
    expect(new CgroupThrottling({ root: folder, membership: join(folder, 'no') }).read()).toBe(0);
    group('app', { 'cpu.max': '50000 100000\n', 'cpu.stat': 'garbage' });
    expect(throttling('0::/app\n').read()).toBe(0);
  });
});
