import { afterEach, describe, expect, it } from '@jest/globals';
import { HEARTBEAT_MS, Heartbeat } from '../../lib/process/heartbeat.js';
import { until } from '../support/application.js';
import { sleep } from '../support/tracing.js';

describe('the heartbeat', () => {
  const heartbeat = new Heartbeat();
  const added: ((now: number) => void)[] = [];
  const listen = (): number[] => {
    const beats: number[] = [];
    const listener = (now: number): void => void beats.push(now);
    added.push(listener);
    heartbeat.add(listener);
    return beats;
  };
  afterEach(() => {
    for (const listener of added.splice(0)) heartbeat.remove(listener);
  });

  it('is one timer for all who listen', async () => {
    const [one, other] = [listen(), listen()];
    await until(() => one.length >= 4);
    expect(other).toEqual(one);
    // A second timer that began at the same time would beat again within the same turn of the event loop.
    const gaps = one.slice(1).map((beat, index) => beat - (one[index] ?? 0));
    expect(gaps.filter((gap) => gap < 1)).toEqual([]);
  });

  it('goes on while anybody listens, ends with the last one, and begins again with the next', async () => {
    const [one, other] = [listen(), listen()];
    await until(() => one.length > 0);
    heartbeat.remove(added[0] as (now: number) => void);
    const count = one.length;
    await until(() => other.length > count + 1);
    expect(one).toHaveLength(count);

    heartbeat.remove(added[1] as (now: number) => void);
    const last = other.length;
    await sleep(4 * HEARTBEAT_MS);
    expect(other).toHaveLength(last);
    const next = listen();
    await until(() => next.length > 0);
  });
});
