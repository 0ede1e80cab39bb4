import { describe, expect, it } from '@jest/globals';
import { ContextCost } from '../../lib/overhead/context-cost.js';
import { Meter } from '../../lib/overhead/meter.js';
import { OwnCost } from '../../lib/overhead/own-cost.js';
import { ThreadTimes } from '../../lib/process/thread-cpu.js';

class World {
  at = 0;
  heap = 0;
  id = 0;
  gcMs = 0;
  allocatedBytes = 0;
  threadMs = 0;
  readonly meter = new Meter({ now: () => this.at, heap: () => this.heap, runDelay: () => 0 });
  readonly point = this.meter.point('spans');
  readonly context = new ContextCost(() => this.id);
  cost(): OwnCost {
    return new OwnCost(
      this.meter,
      {
        now: () => this.at,
        cpuMs: () => this.at / 2,
        requests: () => 7,
        collections: () => ({ ms: this.gcMs, allocatedBytes: this.allocatedBytes }),
        others: () => [['threads', this.threadMs]],
      },
      this.context,
    );
  }
  call(bytes: number): void {
    const measured = this.meter.enter(this.point);
    this.at += 0.5;
    this.heap += bytes;
    this.meter.leave(this.point, measured);
  }
}

describe('the own cost', () => {
  it('begins with zero, whatever ran before', () => {
    const world = new World();
    world.call(1000);
    world.threadMs = 40;
    const { byPart } = world.cost().read();
    expect(byPart.get('spans')).toBe(0);
    expect(byPart.get('threads')).toBe(0);
  });

  it('adds up calls, threads and the figures of the process', () => {
    const world = new World();
    const cost = world.cost();
    for (let call = 0; call < 100; call++) world.call(0);
    world.threadMs = 3;
    const { byPart, at, processMs, requests } = cost.read();
    expect(byPart.get('spans')).toBeCloseTo(50);
    expect(byPart.get('threads')).toBe(3);
    expect({ at, processMs, requests }).toEqual({ at: 50, processMs: 25, requests: 7 });
  });

  it('takes the share of collections that it allocated for', () => {
    const world = new World();
    const cost = world.cost();
    for (let call = 0; call < 100; call++) world.call(1000);
    expect(cost.read().byPart.get('collections')).toBe(0);
    // A quarter of what was allocated is its own.
    world.allocatedBytes = 400_000;
    world.gcMs = 20;
    expect(cost.read().byPart.get('collections')).toBeCloseTo(5);
    world.allocatedBytes = 800_000;
    world.gcMs = 40;
    expect(cost.read().byPart.get('collections')).toBeCloseTo(5);
  });

  it('estimates the context of requests by the resources that carry it', () => {
    const context = new ContextCost(() => ids);
    let ids = 100;
    context.read(true);
    expect(context.ms).toBe(0);
    ids = 1100;
    context.read(true);
    expect(context.ms).toBeGreaterThan(0.3);
    expect(context.ms).toBeLessThan(3);
    const before = context.ms;
    ids = 9000;
    context.read(false);
    expect(context.ms).toBe(before);
  });
});

describe('the times of threads', () => {
  it('include threads that have ended', () => {
    const times = new Map([
      [1, 10],
      [2, 5],
    ]);
    const threads = new ThreadTimes((number) => times.get(number) ?? 0);
    expect(threads.read([1])).toBe(10);
    times.set(1, 14);
    expect(threads.read([1])).toBe(14);
    expect(threads.read([2])).toBe(19);
    expect(threads.read([0])).toBe(19);
  });
});
