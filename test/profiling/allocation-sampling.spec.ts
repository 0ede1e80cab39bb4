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
    'shows what allocated the memory that stayed, and not what was collected (%s %j)',
    async (how, execArgv, debuggers) => {
      const { info, answered } = await programs.told<{ info: ProfileInfo; answered: number }>(
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

  it('ends early, is aborted, gives way to others and leaves nothing behind', async () => {
    const told = await programs.told<Record<string, unknown>>('allocation-turns.mjs');
    expect(told).toEqual({
      sampled: [true, false, false, true, false],
      second: 'CaptureRefusedError: Allocations are being sampled already: one at a time.',
      flushed: 2,
      first: 'kept',
      again: 'kept',
      before: 'Error: too late',
      aborted: 'Error: thought better of it',
      files: 4,
      others: 'CaptureRefusedError: Allocations are being sampled by a debugger or another part already.',
      stolen: expect.stringMatching(
        /^CaptureRefusedError: The sampling of allocations was ended by others: .*not started/,
      ),
      afterwards: 'kept',
      tooLarge: expect.stringMatching(/^CaptureRefusedError: The profile could not be kept: .*larger/),
    });
  });

  it('does not keep the process alive', async () => {
    expect(await programs.told('allocation-lost.mjs')).toEqual({ ended: true });
  });

  it('says why it is refused without the inspector', async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const [forbidden, without] = await Promise.all([
      programs.told('allocation-refused.mjs', { execArgv: [flag, '--allow-fs-read=*'] }),
      programs.told('allocation-refused.mjs', { argv: ['without'] }),
    ]);
    expect(forbidden).toEqual({
      outcome:
        'CaptureRefusedError: Node runs with its permission model, which forbids to sample allocations.',
    });
    expect(without).toEqual({
      outcome: 'CaptureRefusedError: This Node has no inspector, through which allocations are sampled.',
    });
  });
});
