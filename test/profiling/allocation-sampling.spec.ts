import { readFileSync } from 'node:fs';
import type { HeapProfiler } from 'node:inspector';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProfileInfo } from '../../lib/profiling/profile-info.js';
import { HeapPrograms } from './heap-programs.js';

const MB = 1024 * 1024;
const programs = new HeapPrograms();
beforeAll(() => programs.build());
afterAll(() => programs.remove());

/** Bytes that stayed, by the function that allocated them itself. */
function selfSizes({ path }: ProfileInfo): Map<string, number> {
  const { head } = JSON.parse(readFileSync(path, 'utf8')) as HeapProfiler.SamplingHeapProfile;
  const sizes = new Map<string, number>();
  const add = ({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): void => {
    sizes.set(callFrame.functionName, (sizes.get(callFrame.functionName) ?? 0) + selfSize);
    for (const child of children) add(child);
  };
  add(head);
  return sizes;
}

describe('AllocationSampling', () => {
  it.each([
    ['alone', [], 0],
    ['worker', [], 0],
    ['debugged', [], 4],
    ['debugged', ['--inspect=127.0.0.1:0'], 4],
  ])(
    'shows allocations that are still alive, and none that were collected (%s %j)',
    async (how, execArgv, debuggers) => {
      const { info, answered } = await programs.result<{ info: ProfileInfo; answered: number }>(
        'allocations.mjs',
        { argv: [how], execArgv },
      );
      expect(info).toMatchObject({ type: 'allocations', reason: 'memory', scope: 'process' });
      expect(info.path).toContain(`${info.id}.heapprofile`);
      expect(answered).toBe(debuggers);
      const sizes = selfSizes(info);
      const [first] = [...sizes].sort(([, one], [, other]) => other - one);
      expect(first?.[0]).toBe('leakRows');
      const leaked = sizes.get('leakRows') ?? 0;
      expect(leaked).toBeGreaterThan(10 * MB);
      expect(sizes.get('makeGarbage') ?? 0).toBeLessThan(leaked / 20);
    },
  );

  it('ends early, can be aborted, refuses a second sampling and leaves nothing running', async () => {
    const result = await programs.result<Record<string, unknown>>('allocation-turns.mjs');
    expect(result).toEqual({
      sampled: [true, false, false, true, false],
      second:
        'CaptureRefusedError: Allocations are already being sampled. Try again when that capture has ended.',
      flushed: 2,
      first: 'kept',
      again: 'kept',
      before: 'Error: too late',
      aborted: 'Error: thought better of it',
      files: 4,
      others:
        'CaptureRefusedError: A debugger or another part of the process is already sampling allocations.',
      stolen: expect.stringMatching(
        /^CaptureRefusedError: Another part of the process ended the sampling of allocations: .*not started/,
      ),
      afterwards: 'kept',
      tooLarge: expect.stringMatching(/^CaptureRefusedError: The profile could not be stored: .*exceeds/),
    });
  });

  it('does not keep the process alive', async () => {
    expect(await programs.result('allocation-lost.mjs')).toEqual({ ended: true });
  });

  it('gives the reason if there is no inspector', async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const [forbidden, without] = await Promise.all([
      programs.result('allocation-refused.mjs', { execArgv: [flag, '--allow-fs-read=*'] }),
      programs.result('allocation-refused.mjs', { argv: ['without'] }),
    ]);
    expect(forbidden).toEqual({
      outcome: "CaptureRefusedError: Node's permission model is enabled, which forbids sampling allocations.",
    });
    expect(without).toEqual({
      outcome:
        'CaptureRefusedError: This build of Node has no inspector, which is needed to sample allocations.',
    });
  });
});
