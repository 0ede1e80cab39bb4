import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WatchdogStatus } from '../../lib/process/event-loop-watchdog.js';
import type { Stall } from '../../lib/process/stall.js';
import { type Ended, Programs, resultOf } from './programs.js';

/** With these, Node 24 aborts where a worker connects to the main thread. */
const PERMISSIONS = [
  process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission',
  '--allow-fs-read=*',
  '--allow-worker',
];

const programs = new Programs();
beforeAll(() => programs.build());
afterAll(() => programs.remove());

const names = (stall: Stall | undefined): string[] =>
  stall?.stack?.map(({ functionName }) => functionName) ?? [];

describe('EventLoopWatchdog, in a process of plain Node', () => {
  const builds = ['esm', 'cjs', 'minified'];
  let attributions: Promise<Ended>[];
  beforeAll(() => {
    attributions = builds.map((build) => programs.run('attribute.mjs', [build]));
  });

  describe.each(builds)('built as %s', (build) => {
    it('names the code that blocks and its operation', async () => {
      interface Result {
        results: Record<string, { within: { from: number; to: number }; stall: Stall }>;
        blocks: Stall[];
        status: WatchdogStatus;
      }
      const ended = (await attributions[builds.indexOf(build)]) as Ended;
      const { results, blocks, status } = resultOf<Result>(ended);
      for (const name of ['guiltyLoop', 'guiltyNative', 'guiltyRegex']) {
        const stall = results[name]?.stall;
        expect(names(stall)).toContain(name);
        expect(stall?.operation).toMatchObject({ type: 'method', name });
        const frame = stall?.stack?.find(({ functionName }) => functionName === name);
        expect(frame?.url).toMatch(/(attribute|watchdog)\.mjs$/);
        expect([frame?.line, frame?.column].every((place) => Number(place) > 0)).toBe(true);
        // Reported once, after it has ended, with the same evidence.
        const reported = blocks.filter((block) => names(block).includes(name));
        expect(reported).toHaveLength(1);
        expect(reported[0]?.operation).toEqual(stall?.operation);
        expect(reported[0]?.endedAt).toBeGreaterThanOrEqual(stall?.endedAt ?? Number.NaN);
      }
      expect(names(results['guiltyRegex']?.stall)[0]).toBe('RegExp.test');
      expect(status.state).toBe('on');
      expect(ended).toMatchObject({ code: 0, stderr: '' });
    });
  });

  it('measures blocks while the heartbeat rests, and names their code', async () => {
    interface Blocked {
      within: { from: number; to: number };
      stall: Stall | undefined;
    }
    const ended = await programs.run('rest.mjs');
    const result = resultOf<{
      unmeasured: Blocked[];
      woken: Blocked[];
      blocks: number;
      moments: Stall[];
      falseBlocks: number;
    }>(ended);
    for (const { within, stall } of [...result.unmeasured, ...result.woken]) {
      const { startedAt = Number.NaN, endedAt = Number.NaN } = stall ?? {};
      expect(names(stall)).toContain('guiltyLoop');
      // A beat may be due at any moment of its interval.
      expect(Math.min(endedAt, within.to) - Math.max(startedAt, within.from)).toBeGreaterThan(130);
    }
    expect(names(result.moments[0])).toContain('guiltyLoop');
    expect(result).toMatchObject({ blocks: 7, falseBlocks: 0 });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('reports nothing for many short tasks and timers', async () => {
    const ended = await programs.run('healthy.mjs');
    const { tasks, blocks, status } = resultOf<{ tasks: number; blocks: Stall[]; status: WatchdogStatus }>(
      ended,
    );
    expect(tasks).toBeGreaterThan(100);
    expect(blocks).toEqual([]);
    // A loop that never rests is looked at now and then: eight times, and then twice a second.
    expect(status).toMatchObject({ state: 'on', skipped: 0 });
    expect(status.captures).toBeLessThanOrEqual(12);
  });

  it('limits the number of stacks and counts those left out', async () => {
    const ended = await programs.run('often.mjs');
    const { seconds, blocks, status } = resultOf<{
      seconds: number;
      blocks: boolean[];
      status: WatchdogStatus;
    }>(ended);
    const captures = blocks.filter(Boolean).length;
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    expect(captures).toBeGreaterThanOrEqual(1);
    expect(captures).toBeLessThanOrEqual(8 + Math.ceil(seconds * 2));
    expect(status).toMatchObject({ state: 'on', skipped: blocks.length - captures });
  });

  it('shares one thread between the builds, each with its own limit', async () => {
    const { added, short, long, states } = resultOf<{
      added: number[];
      short: { first: number; second: number };
      long: { first: number; second: number; stack: string[] };
      states: string[];
    }>(await programs.run('shared.mjs'));
    expect(short).toEqual({ first: 1, second: 0 });
    expect(long).toMatchObject({ first: 1, second: 1 });
    expect(long.stack).toContain('guiltyLoop');
    expect(states).toEqual(['off', 'on']);
    if (process.platform === 'linux') expect(added).toEqual([1, 1, 0]);
  });

  describe('if no stack can be captured', () => {
    it.each([
      ['inspector', ['--inspect=0'], /inspector/],
      ['no-shared-memory', [], /SharedArrayBuffer/],
      ['worker', [], /main thread/],
      ['permissions', PERMISSIONS, /permission/],
    ])('%s: still measures, and gives the reason', async (how, execArgv, reason) => {
      const ended = await programs.run('degrade.mjs', [how], execArgv);
      const { blocks, status } = resultOf<{ blocks: boolean[]; status: WatchdogStatus }>(ended);
      expect(blocks).toEqual([false]);
      expect(status).toMatchObject({ state: 'degraded', captures: 0 });
      expect(status.reason).toMatch(reason);
      expect(ended.code).toBe(0);
    });
  });

  it('does not report a frozen process as blocked', async () => {
    const { frozenMs, frozen, after, status } = resultOf<{
      frozenMs: number;
      frozen: number;
      after: number;
      status: WatchdogStatus;
    }>(await programs.run('freeze.mjs'));
    expect(frozenMs).toBeGreaterThan(700);
    expect({ frozen, after }).toEqual({ frozen: 0, after: 1 });
    expect(status.captures).toBe(1);
  });

  describe('lets the process end at once, without output', () => {
    it.each([
      ['by itself', ['return']],
      ['by itself, blocked before', ['return', '150']],
      ['by process.exit()', ['exit']],
      ['after stop()', ['stop']],
      // The stack is being asked for in one or the other of these.
      ...[51, 53, 55, 60].flatMap((ms): [string, string[]][] => [
        [`by process.exit(), blocked for ${ms} ms before`, ['exit', String(ms)]],
        [`by an exception, blocked for ${ms} ms before`, ['throw', String(ms)]],
      ]),
    ])('%s', async (_how, argv) => {
      const ended = await programs.run('end.mjs', argv);
      expect(ended).toMatchObject({ code: 0, signal: null, stdout: '', stderr: '' });
    });
  });
});
