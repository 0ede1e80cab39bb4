import { afterEach, describe, expect, it } from '@jest/globals';
import { HEARTBEAT_MS, Heartbeat, type HeartbeatListener } from '../../lib/process/heartbeat.js';
import { until } from '../support/application.js';
import { sleep } from '../support/tracing.js';

describe('the heartbeat', () => {
  const heartbeat = new Heartbeat();
  const added: HeartbeatListener[] = [];
  const listen = (): number[] => {
    const beats: number[] = [];
    const listener = { beat: (now: number): void => void beats.push(now), woken: (): void => {} };
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
    heartbeat.remove(added[0] as HeartbeatListener);
    const count = one.length;
    await until(() => other.length > count + 1);
    expect(one).toHaveLength(count);

    heartbeat.remove(added[1] as HeartbeatListener);
    const last = other.length;
    await sleep(4 * HEARTBEAT_MS);
    expect(other).toHaveLength(last);
    const next = listen();
    await until(() => next.length > 0);
  });

  it('rests while nothing runs, and beats again when something starts', async () => {
    let runs = true;
    heartbeat.isNeeded = () => runs;
    const beats = listen();
    await sleep(10 * HEARTBEAT_MS);
    expect(heartbeat.isResting).toBe(false);
    runs = false;
    await until(() => heartbeat.isResting);
    const count = beats.length;
    const from = performance.now();
    await sleep(12 * HEARTBEAT_MS);
    // A quarter as often, however long the machine has let this sleep.
    const periods = (performance.now() - from) / (4 * HEARTBEAT_MS);
    expect(beats.length - count).toBeLessThanOrEqual(periods + 1);
    runs = true;
    heartbeat.wake();
    expect(heartbeat.isResting).toBe(false);
    await until(() => beats.length > count + 8);
    heartbeat.isNeeded = () => true;
  });

  it('goes on resting through short work, such as that of this package', async () => {
    heartbeat.isNeeded = () => false;
    const beats = listen();
    const restsOn = async (): Promise<boolean> => {
      await until(() => heartbeat.isResting);
      const until10 = performance.now() + 10;
      while (performance.now() < until10);
      const count = beats.length;
      await until(() => beats.length > count);
      return heartbeat.isResting;
    };
    // A busy machine may make more of it.
    let didRest = false;
    for (let attempt = 0; attempt < 20 && !didRest; attempt++) didRest = await restsOn();
    expect(didRest).toBe(true);
    heartbeat.isNeeded = () => true;
  });

  it('beats again while the event loop is busy, and for whoever begins to listen', async () => {
    heartbeat.isNeeded = () => false;
    listen();
    await until(() => heartbeat.isResting);
    const until50 = performance.now() + 50;
    while (performance.now() < until50);
    await until(() => !heartbeat.isResting);
    await until(() => heartbeat.isResting);
    const other = listen();
    expect(heartbeat.isResting).toBe(false);
    await until(() => other.length > 0);
    heartbeat.isNeeded = () => true;
  });
});
