import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it } from '@jest/globals';
import { InspectorSampler } from '../../lib/profiling/inspector-sampler.js';
import { ProfileRing, type ProfileRingOptions } from '../../lib/profiling/profile-ring.js';
import { bytesOf, type Sampler, type SampleWindow } from '../../lib/profiling/sample-window.js';
import { until } from '../support/application.js';
import { sleep } from '../support/tracing.js';
import { windowWith } from './windows.js';

/** A sampler whose windows have the length and number of samples that the test sets. */
class TestSampler implements Sampler {
  readonly name = 'inspector';
  samples = 1000;
  began = 0;
  stopped = 0;
  rotated = 0;
  lengthMs: number | undefined;
  why: string | undefined;
  startFails = false;
  rotateFails = false;
  stopFails = false;
  private at = performance.now();
  readonly stores: unknown[] = [];

  obstacle = (): string | undefined => this.why;
  start(): void {
    if (this.startFails) throw new Error('this process cannot be sampled');
    this.began++;
    this.at = performance.now();
  }
  rotate(): SampleWindow {
    this.stores.push(storage.getStore());
    if (this.rotateFails) throw new Error('V8 returned no profile');
    this.rotated++;
    const startedAt = this.at;
    this.at = this.lengthMs === undefined ? performance.now() : startedAt + this.lengthMs;
    return windowWith(
      startedAt,
      this.at,
      Array.from({ length: this.samples }, () => [startedAt, [['f', '/app/f.js', 1]]] as const),
    );
  }
  stop(): void {
    this.stopped++;
    if (this.stopFails) throw new Error('it is gone already');
  }
}

const storage = new AsyncLocalStorage<string>();

describe('ProfileRing', () => {
  let ring: ProfileRing | undefined;
  afterEach(() => ring?.stop());

  const started = (sampler: Sampler, options: Partial<ProfileRingOptions> = {}): ProfileRing => {
    ring = new ProfileRing({ intervalMs: 10, keepMs: 60_000, maxBytes: 1e9, ...options }, sampler);
    ring.start();
    return ring;
  };
  const turn = (times: number): void => {
    for (let time = 0; time < times; time++) ring?.settleNow();
  };

  it('has consecutive windows with the code that ran', async () => {
    const real = started(new InspectorSampler(5), { intervalMs: 5 });
    const from = performance.now();
    for (let turns = 0; turns < 3; turns++) {
      await sleep(40);
      real.settleNow();
    }
    const windows = real.within(from, performance.now());
    expect(windows).toHaveLength(3);
    // Each window's clock is aligned separately, to within some hundredths of a millisecond.
    for (const [index, { startedAt }] of windows.entries())
      expect(startedAt).toBeLessThan((windows[index - 1]?.endedAt ?? startedAt) + 1);
    expect(real.status).toMatchObject({ state: 'on', sampler: 'inspector', intervalMs: 5, windows: 3 });
    expect(real.status.bytes).toBe(windows.reduce((sum, window) => sum + bytesOf(window), 0));
  });

  it('limits its bytes over many rotations, and drops the oldest windows', () => {
    const maxBytes = 100_000;
    const kept = started(new TestSampler(), { maxBytes });
    const ends: number[] = [];
    for (let times = 0; times < 200; times++) {
      kept.settleNow();
      expect(kept.status.bytes).toBeLessThanOrEqual(maxBytes);
      ends.push(kept.within(-1, Number.POSITIVE_INFINITY).at(-1)?.endedAt ?? 0);
    }
    const windows = kept.within(-1, Number.POSITIVE_INFINITY);
    expect(windows.length).toBeGreaterThan(2);
    expect(windows.map(({ endedAt }) => endedAt)).toEqual(ends.slice(-windows.length));
    expect(kept.oldestAt).toBe(windows[0]?.startedAt);
    expect(kept.status.windows).toBe(windows.length);
  });

  it('limits its time over many rotations, and drops the oldest windows', () => {
    const sampler = new TestSampler();
    sampler.lengthMs = 1000;
    const kept = started(sampler, { keepMs: 5500 });
    turn(100);
    expect(kept.within(-1, Number.POSITIVE_INFINITY)).toHaveLength(6);
  });

  it('keeps the newest window regardless of its size', () => {
    const kept = started(new TestSampler(), { maxBytes: 1 });
    turn(3);
    expect(kept.status.windows).toBe(1);
  });

  it('returns the windows of an interval', () => {
    const sampler = new TestSampler();
    sampler.lengthMs = 100;
    const kept = started(sampler);
    turn(5);
    const from = kept.oldestAt;
    expect(kept.within(from + 150, from + 250)).toHaveLength(2);
    expect(kept.within(from - 50, from)).toHaveLength(0);
    expect(kept.within(from + 500, from + 600)).toHaveLength(0);
  });

  it('resolves waiting callers once the window has ended, which it ends early', async () => {
    const waited = started(new TestSampler());
    const at = performance.now();
    expect(await waited.settled(at)).toBe(true);
    expect(waited.within(at - 1, at)).toHaveLength(1);
    expect(await waited.settled(at)).toBe(true);
    expect(waited.status.windows).toBe(1);
  });

  it('allows 32 waiting callers', async () => {
    const waited = started(new TestSampler());
    const at = performance.now();
    const answers = Promise.all(Array.from({ length: 40 }, () => waited.settled(at)));
    waited.settleNow();
    expect((await answers).filter(Boolean)).toHaveLength(32);
    const again = waited.settled(performance.now());
    waited.settleNow();
    expect(await again).toBe(true);
  });

  it('keeps callers waiting if the window ends before their time', async () => {
    const waited = started(new TestSampler());
    const later = waited.settled(performance.now() + 20);
    waited.settleNow();
    await sleep(30);
    waited.settleNow();
    expect(await later).toBe(true);
    expect(waited.status.windows).toBe(2);
  });

  it('resolves waiting callers with false when it stops', async () => {
    const sampler = new TestSampler();
    const stopping = started(sampler);
    const waiting = stopping.settled(performance.now());
    stopping.stop();
    expect(await waiting).toBe(false);
    expect(await stopping.settled(0)).toBe(false);
    expect(stopping.status).toEqual({ state: 'off', reason: 'stopped', windows: 0, seconds: 0, bytes: 0 });
    stopping.settleNow();
    expect(sampler).toMatchObject({ stopped: 1, rotated: 0 });
  });

  it('is off with the reason if it cannot start', async () => {
    const sampler = Object.assign(new TestSampler(), { startFails: true });
    const failed = started(sampler);
    expect(failed.status).toMatchObject({ state: 'off', reason: 'this process cannot be sampled' });
    expect(failed.status.sampler).toBeUndefined();
    expect(await failed.settled(performance.now())).toBe(false);
  });

  it('is off with the reason if a rotation fails, and resolves waiting callers', async () => {
    const sampler = Object.assign(new TestSampler(), { stopFails: true });
    const failing = started(sampler);
    turn(1);
    const waiting = failing.settled(performance.now());
    sampler.rotateFails = true;
    expect(await waiting).toBe(false);
    expect(failing.status).toMatchObject({ state: 'off', reason: 'V8 returned no profile', windows: 1 });
    expect(sampler.stopped).toBe(1);
  });

  it('can be restarted after a stop', () => {
    const sampler = new TestSampler();
    const again = started(sampler);
    again.start();
    again.stop();
    again.start();
    turn(1);
    expect(again.status).toMatchObject({ state: 'on', windows: 1 });
    expect(sampler.began).toBe(2);
  });

  it('pauses while there is an obstacle, and resumes after it', async () => {
    const sampler = new TestSampler();
    const pausing = started(sampler);
    sampler.why = 'a debugger';
    expect(await pausing.settled(performance.now())).toBe(false);
    expect(pausing.status).toMatchObject({ state: 'paused', reason: 'a debugger' });
    sampler.why = undefined;
    await until(() => pausing.status.state === 'on');
    expect(sampler).toMatchObject({ began: 2, stopped: 1 });
  });

  it('does not rotate in the context of the request that waits for it', async () => {
    const sampler = new TestSampler();
    const waited = started(sampler);
    await storage.run('a request', () => waited.settled(performance.now()));
    expect(sampler.stores).toEqual([undefined]);
  });
});
