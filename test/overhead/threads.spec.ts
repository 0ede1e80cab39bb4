import { afterEach, describe, expect, it } from '@jest/globals';
import { EventLoopWatchdog } from '../../lib/process/event-loop-watchdog.js';
import { threadCpuMs } from '../../lib/process/thread-cpu.js';
import { until } from '../support/application.js';

const onLinux = process.platform === 'linux' ? it : it.skip;

describe('the thread that watches the event loop', () => {
  const watchdog = new EventLoopWatchdog({ enabled: true, limitMs: 100 });
  afterEach(() => watchdog.stop());

  onLinux('has a number, by which its CPU time is read', async () => {
    expect(watchdog.thread).toBe(0);
    watchdog.start();
    await until(() => watchdog.thread > 0);
    expect(watchdog.thread).not.toBe(process.pid);
    await until(() => threadCpuMs(watchdog.thread) > 0);
    const ms = threadCpuMs(watchdog.thread);
    expect(ms).toBeLessThan(process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000);
    watchdog.stop();
    expect(watchdog.thread).toBe(0);
  });

  it('takes no CPU time if it is unknown', () => {
    expect([threadCpuMs(0), threadCpuMs(2 ** 30)]).toEqual([0, 0]);
  });
});
