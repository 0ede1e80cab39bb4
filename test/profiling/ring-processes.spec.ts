import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RingPrograms } from './ring-programs.js';

interface Sampled {
  readonly state?: string;
  readonly settled: boolean;
  readonly samples: number;
}

describe('the ring of profiles in a process of its own', () => {
  const programs = new RingPrograms();
  beforeAll(() => programs.build());
  afterAll(() => programs.remove());

  it('pauses while a debugger is attached, and goes on when it has gone', async () => {
    const { before, reason, windows, during, captured, after } = await programs.told<{
      before: Sampled;
      reason: string;
      windows: number;
      during: Sampled;
      captured: number;
      after: Sampled;
    }>('debugger.mjs');
    expect(reason).toContain('an inspector is open');
    expect(windows).toBeGreaterThan(0);
    expect(during).toEqual({ settled: false, samples: 0 });
    for (const { settled, samples } of [before, after]) {
      expect(settled).toBe(true);
      expect(samples).toBeGreaterThan(5);
    }
    expect(captured).toBeGreaterThan(5);
  });

  it('is off under the permission model, with the reason, and the process lives', async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const told = await programs.told('permission.mjs', [flag, '--allow-fs-read=*']);
    expect(told).toEqual({
      state: expect.stringMatching(/^(off|paused)$/),
      reason: 'Node runs with its permission model',
      settled: false,
      refused: expect.stringContaining('CaptureRefusedError: Node runs with its permission model'),
    });
  });

  it('samples the thread that it is made in', async () => {
    const { main, inWorker } = await programs.told<{ main: Sampled; inWorker: Sampled }>('worker.mjs');
    for (const { state, settled, samples } of [main, inWorker]) {
      expect({ state, settled }).toEqual({ state: 'on', settled: true });
      expect(samples).toBeGreaterThan(5);
    }
  });
});
