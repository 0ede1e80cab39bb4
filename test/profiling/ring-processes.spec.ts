import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RingPrograms } from './ring-programs.js';

interface Sampled {
  readonly state?: string;
  readonly settled: boolean;
  readonly samples: number;
}

describe('the ring of profiles in its own process', () => {
  const programs = new RingPrograms();
  beforeAll(() => programs.build());
  afterAll(() => programs.remove());

  it('pauses while a debugger is attached, and resumes when it detaches', async () => {
    const { before, reason, windows, during, captured, after } = await programs.result<{
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

  it('is off with the reason under the permission model, and the process survives', async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const result = await programs.result('permission.mjs', [flag, '--allow-fs-read=*']);
    expect(result).toEqual({
      state: expect.stringMatching(/^(off|paused)$/),
      reason: "Node's permission model is enabled",
      settled: false,
      refused: expect.stringContaining("CaptureRefusedError: Node's permission model is enabled"),
    });
  });

  it('samples the thread that creates it', async () => {
    const { main, inWorker } = await programs.result<{ main: Sampled; inWorker: Sampled }>('worker.mjs');
    for (const { state, settled, samples } of [main, inWorker]) {
      expect({ state, settled }).toEqual({ state: 'on', settled: true });
      expect(samples).toBeGreaterThan(5);
    }
  });
});
