import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { EventLoopObserver } from '../../lib/process/event-loop-observer.js';
import { heartbeat } from '../../lib/process/heartbeat.js';
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
