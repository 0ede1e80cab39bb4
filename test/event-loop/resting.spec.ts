import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { EventLoopObserver } from '../../lib/process/event-loop-observer.js';
import { heartbeat } from '../../lib/process/heartbeat.js';
import type { Stall } from '../../lib/process/stall.js';
import { until } from '../support/application.js';

describe('the watching thread', () => {
  const observer = new EventLoopObserver();
  const listener = { limitMs: 100, ended: () => {} };
  afterEach(() => {
    observer.remove(listener);
    heartbeat().isNeeded = () => true;
  });

  it('waits longer for a beat only while the heartbeat rests', async () => {
    const rest = jest.spyOn(observer.thread, 'rest');
    const beat = jest.spyOn(observer.thread, 'beat');
    observer.add(listener);
    await until(() => beat.mock.calls.length >= 40);
    expect(rest).not.toHaveBeenCalled();
    heartbeat().isNeeded = () => false;
    await until(() => rest.mock.calls.length >= 2);
    const beats = beat.mock.calls.length;
    heartbeat().isNeeded = () => true;
    heartbeat().wake();
    expect(beat.mock.calls.length).toBe(beats + 1);
    const rests = rest.mock.calls.length;
    await until(() => beat.mock.calls.length >= beats + 10);
    expect(rest.mock.calls.length).toBe(rests);
  });
});

describe('the stack of a block', () => {
  it('remains that of the code that blocked, when the code that follows wakes the heartbeat', async () => {
    const observer = new EventLoopObserver();
    const stalls: Stall[] = [];
    // Only the test captures.
    const listener = { limitMs: 60_000, ended: (stall: Stall) => stalls.push(stall) };
    const guilty = (): void => observer.thread.entry();
    const following = (): void => observer.thread.entry();
    const start = performance.now();
    const now = jest.spyOn(performance, 'now').mockReturnValue(start);
    observer.add(listener);
    following();
    now.mockReturnValue(start + 60);
    guilty();
    following();
    now.mockRestore();
    while (performance.now() < start + 60);
    await until(() => stalls.length > 0);
    observer.remove(listener);
    const names = stalls[0]?.stack?.map(({ functionName }) => functionName);
    expect(names).toContain('guilty');
    expect(observer.momentsWithin(start - 1, start + 1)).toHaveLength(1);
  });
});
