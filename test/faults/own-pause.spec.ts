import { describe, expect, it } from '@jest/globals';
import { asOwnPause, judgedMs, onOwnPause, ownPauseMs } from '../../lib/async/own-pauses.js';
import { EventLoopObserver } from '../../lib/process/event-loop-observer.js';
import type { Stall } from '../../lib/process/stall.js';
import { FaultProcess } from './process.js';

interface Result {
  captureMs: number;
  statuses: [status: string, exceeded: string[]][];
  findings: { type: string; route: string; worstMs: number }[];
  slow: { name: string }[];
}

async function run(how: 'alone' | 'after'): Promise<Result> {
  const process = new FaultProcess('own-pause.mjs', [how]);
  const { messages, code, stderr } = await process.ended;
  await process.remove();
  if (code !== 0) throw new Error(stderr);
  return messages.at(-1) as unknown as Result;
}

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('a heap snapshot', () => {
  it('is no finding, makes no waiting request slow, and does not change the health', async () => {
    const { captureMs, statuses, findings, slow } = await run('alone');
    expect(captureMs).toBeGreaterThan(250);
    expect(findings).toEqual([]);
    expect(slow).toEqual([]);
    expect(statuses).toEqual([['up', []]]);
  }, 60_000);

  it('does not hide a block of the application after it', async () => {
    const { findings } = await run('after');
    expect(findings).toContainEqual(
      expect.objectContaining({ type: 'event_loop_block', route: '(no operation)' }),
    );
  }, 60_000);
});

describe('a pause of this package', () => {
  it('is left out of the duration that is compared with a threshold, as far as it overlaps', () => {
    const before = performance.now();
    asOwnPause(() => spin(30));
    const after = performance.now();
    expect(judgedMs(after - before, after)).toBeLessThan(15);
    expect(ownPauseMs(before, after)).toBeGreaterThanOrEqual(29);
    spin(20);
    const later = performance.now();
    expect(judgedMs(later - after, later)).toBe(later - after);
    expect(ownPauseMs(after, later)).toBe(0);
  });

  it('is forgotten if it was short, and counted once if it contains another one', () => {
    let ended = 0;
    const off = onOwnPause(() => ended++);
    const before = performance.now();
    asOwnPause(() => 1);
    asOwnPause(() => asOwnPause(() => spin(20)));
    off();
    expect(ended).toBe(1);
    expect(ownPauseMs(before, performance.now())).toBeLessThan(performance.now() - before + 1);
  });

  it('returns what the work returns, and throws what it throws', () => {
    expect(asOwnPause(() => 42)).toBe(42);
    expect(() =>
      asOwnPause(() => {
        throw new Error('failed');
      }),
    ).toThrow('failed');
    // It is over all the same.
    const before = performance.now();
    asOwnPause(() => spin(20));
    expect(ownPauseMs(before, performance.now())).toBeGreaterThan(15);
  });

  it('is no block, and separates the blocks before and after it', async () => {
    const observer = new EventLoopObserver();
    const blocks: Stall[] = [];
    const listener = { limitMs: 100, ended: (stall: Stall) => void blocks.push(stall) };
    observer.add(listener);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const startedAt = performance.now();
    spin(200);
    asOwnPause(() => spin(300));
    spin(250);
    const endedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stalls = observer.stallsWithin(startedAt, endedAt);
    observer.remove(listener);
    const long = blocks.map((one) => one.endedAt - one.startedAt).filter((ms) => ms > 100);
    expect(long).toHaveLength(2);
    expect(Math.max(...long)).toBeLessThan(300);
    expect(stalls.find(({ operation }) => operation?.rootName === 'nestjs-performance')).toBeDefined();
  });
});
