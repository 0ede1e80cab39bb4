import { performance } from 'node:perf_hooks';
import { describe, expect, it } from '@jest/globals';
import { cpuTimeMs } from '../../lib/process/cpu-time.js';
import { heartbeat } from '../../lib/process/heartbeat.js';
import { ResourceHistory } from '../../lib/process/resource-history.js';
import { ResourceSampler } from '../../lib/process/resource-sampler.js';
import { until } from '../support/application.js';
import { reading } from '../support/readings.js';
import { sleep } from '../support/tracing.js';

describe('ResourceHistory', () => {
  it('keeps the most recent readings', () => {
    const history = new ResourceHistory(3);
    for (let at = 1; at <= 5; at++) history.add(reading(at, { rss: at * 10 }));
    expect(history.length).toBe(3);
    expect([0, 1, 2, 3].map((back) => history.last(back)?.rss)).toEqual([50, 40, 30, undefined]);
  });

  it('finds the readings before and after any moment', () => {
    const history = new ResourceHistory(2);
    for (const at of [50, 100, 200]) history.add(reading(at));
    const present = reading(300);
    const surrounding = (moment: number): number[] => {
      const { before, after } = history.surrounding(moment, present);
      return [before.at, after.at];
    };
    expect([100, 150, 200, 250, 300].map(surrounding)).toEqual([
      [100, 200],
      [100, 200],
      [200, 300],
      [200, 300],
      [200, 300],
    ]);
    // What was before the oldest one is not known any more.
    expect(surrounding(60)).toEqual([100, 100]);
    expect(new ResourceHistory(2).surrounding(5, present).before).toBe(present);
  });

  it('finds the reading of some time before the newest, however often it was read', () => {
    const history = new ResourceHistory(4);
    expect(history.earlier(1)).toBeUndefined();
    history.add(reading(0));
    expect(history.earlier(1)).toBeUndefined();
    for (const at of [100, 5100, 5200, 5300]) history.add(reading(at));
    expect([0, 100, 101, 200, 201, 5200, 9000].map((ms) => history.earlier(ms)?.at)).toEqual([
      5200, 5200, 5100, 5100, 100, 100, 100,
    ]);
  });

  it('finds the longest delay since a moment', () => {
    const history = new ResourceHistory(10);
    history.add(reading(100, { eventLoopDelayMaxMs: 70 }));
    history.add(reading(200, { eventLoopDelayMaxMs: 20 }));
    expect(history.delayMaxSince(0)).toBe(70);
    expect(history.delayMaxSince(150)).toBe(20);
    expect(history.delayMaxSince(250)).toBe(0);
  });
});

describe('ResourceSampler', () => {
  it('distinguishes an operation that used CPU and blocked the event loop from one that waited', async () => {
    const sampler = new ResourceSampler(50);
    sampler.start();
    await sleep(120);
    const waiting = performance.now();
    const before = cpuTimeMs();
    await sleep(300);
    const waited = sampler.evidence(waiting);
    const burning = performance.now();
    // In CPU time, and long beside what is compared with it: the CPU time of the wait, and the idle time since the last sample.
    const used = cpuTimeMs();
    const idleMs = burning - (sampler.history.last()?.at ?? 0);
    const burnMs = Math.max(300, 4 * (used - before), 6 * idleMs);
    // Read rarely: asking the system for it is CPU time of the system.
    while (cpuTimeMs() - used < burnMs) for (let turn = 0; turn < 100_000; turn++);
    const burnt = sampler.evidence(burning);
    sampler.stop();
    expect(burnt.cpuUserMs + burnt.cpuSystemMs).toBeGreaterThan(2 * (waited.cpuUserMs + waited.cpuSystemMs));
    expect(burnt.eventLoopUtilization).toBeGreaterThan(0.8);
    expect(waited.eventLoopUtilization).toBeLessThan(0.5);
    expect(burnt.eventLoopDelayMaxMs).toBeGreaterThan(150);
    expect(burnt.heapUsedMb).toBeGreaterThan(1);
    expect(burnt.rssMb).toBeGreaterThan(burnt.heapUsedMb);
  });

  it('measures garbage collection pauses', async () => {
    const sampler = new ResourceSampler(50);
    sampler.start();
    const begun = performance.now();
    let kept: unknown[] = [];
    for (let i = 0; i < 300; i++) {
      kept = Array.from({ length: 20_000 }, (_, n) => ({ n, kept }));
      if (i % 10 === 0) kept = [];
    }
    await sleep(60);
    expect(sampler.current().gc.count).toBeGreaterThan(0);
    expect(sampler.evidence(begun).gcPauseMs).toBeGreaterThan(0);
    sampler.stop();
  });

  it('attributes pauses to the busy operation rather than to the idle time before it', async () => {
    const sampler = new ResourceSampler(60_000);
    sampler.start();
    await sleep(200);
    const begun = performance.now();
    let kept: unknown[] = [];
    for (let i = 0; i < 200; i++) {
      kept = Array.from({ length: 20_000 }, (_, n) => ({ n, kept }));
      if (i % 10 === 0) kept = [];
    }
    const busyMs = performance.now() - begun;
    const ended = performance.now();
    // Asked in the same turn of the event loop as the garbage was made, where Node has reported none of it.
    expect(sampler.evidence(begun, busyMs, 0, ended).gcPauseMs).toBe(0);
    const pausesMs = (await sampler.pausesWithin(begun, ended)) as number;
    const known = sampler.evidence(begun, busyMs, 0, ended);
    const total = sampler.current().gc.pauseMs;
    sampler.stop();
    expect(known.gcPauseMs).toBeCloseTo(pausesMs, 2);
    expect(pausesMs).toBeGreaterThan(0.9 * total);
    expect(pausesMs).toBeLessThanOrEqual(busyMs);
  });

  it('gives the figures of the last second, without those that it does not have', async () => {
    const sampler = new ResourceSampler(50);
    expect(sampler.current().eventLoop).toEqual({});
    sampler.start();
    await sleep(130);
    const { memory, cpu, eventLoop, timestamp } = sampler.current();
    sampler.stop();
    expect(timestamp).toBeGreaterThan(0);
    expect(memory.heapUsedMB).toBeCloseTo(memory.heapUsed / 2 ** 20, 1);
    expect(cpu.userMs).toBeCloseTo(cpu.user / 1000, 1);
    expect(eventLoop.utilization).toBeGreaterThanOrEqual(0);
    expect(eventLoop.utilization).toBeLessThanOrEqual(1);
  });

  it('samples once a second while nothing runs, unless a shorter interval asks for more', async () => {
    const [usual, fine] = [new ResourceSampler(250), new ResourceSampler(100)];
    heartbeat().isNeeded = () => false;
    for (const sampler of [usual, fine]) sampler.start();
    await until(() => heartbeat().isResting);
    const before = usual.history.length;
    const beforeFine = fine.history.length;
    await sleep(1300);
    expect(usual.history.length - before).toBeLessThanOrEqual(2);
    expect(fine.history.length - beforeFine).toBeGreaterThan(usual.history.length - before + 3);
    heartbeat().isNeeded = () => true;
    heartbeat().wake();
    const { length } = usual.history;
    await until(() => usual.history.length >= length + 3);
    for (const sampler of [usual, fine]) sampler.stop();
  });

  it('samples while the process begins and ends to rest all the time', async () => {
    const sampler = new ResourceSampler(250);
    sampler.start();
    const before = sampler.history.length;
    for (let times = 0; times < 12; times++) {
      heartbeat().isNeeded = () => false;
      await until(() => heartbeat().isResting);
      heartbeat().isNeeded = () => true;
      heartbeat().wake();
    }
    const sampled = sampler.history.length - before;
    sampler.stop();
    expect(sampled).toBeGreaterThanOrEqual(3);
  });

  it.each([50, 250])('can be stopped and restarted (%d ms)', async (intervalMs) => {
    const sampler = new ResourceSampler(intervalMs);
    sampler.start();
    sampler.start();
    sampler.stop();
    const other = new ResourceSampler(50);
    other.start();
    const { length } = sampler.history;
    await until(() => other.history.length >= 10);
    other.stop();
    expect(sampler.history.length).toBe(length);
    sampler.start();
    await until(() => sampler.history.length >= length + 3);
    sampler.stop();
  });
});
