import { describe, expect, it } from '@jest/globals';
import { Samples } from '../../lib/overhead/cost-point.js';
import { Meter } from '../../lib/overhead/meter.js';

/** A clock that only moves when something works. */
class WorkClock {
  at = 0;
  bytes = 0;
  delayed = 0;
  now = (): number => this.at;
  heap = (): number => this.bytes;
  runDelay = (): number => this.delayed;
  work(ms: number, bytes = 0): void {
    this.at += ms;
    this.bytes += bytes;
  }
}

describe('the mean of samples', () => {
  it('is that of all values without outliers', () => {
    const samples = new Samples();
    for (let index = 0; index < 100; index++) samples.add(index % 2 === 0 ? 1 : 3);
    expect(samples.mean()).toBeCloseTo(2);
  });

  it('leaves out calls that were interrupted', () => {
    const samples = new Samples();
    for (let index = 0; index < 100; index++) samples.add(index % 50 === 0 ? 5000 : 2);
    expect(samples.mean()).toBe(2);
  });

  it('is 0 without samples, and follows the last ones', () => {
    const samples = new Samples();
    expect(samples.mean()).toBe(0);
    for (let index = 0; index < 200; index++) samples.add(100);
    for (let index = 0; index < 200; index++) samples.add(1);
    expect(samples.mean()).toBe(1);
  });
});

describe('the meter', () => {
  const started = (): { clock: WorkClock; meter: Meter } => {
    const clock = new WorkClock();
    return { clock, meter: new Meter(clock) };
  };

  it('extrapolates from the calls that it measures to all of them', () => {
    const { clock, meter } = started();
    const point = meter.point('requests');
    let measuredCalls = 0;
    for (let index = 0; index < 10_000; index++) {
      const measured = meter.enter(point);
      if (measured) measuredCalls++;
      clock.work(index % 2 === 0 ? 0.01 : 0.03, 100);
      meter.leave(point, measured);
    }
    expect(point.outermost).toBe(10_000);
    expect(measuredCalls).toBeGreaterThan(500);
    expect(measuredCalls).toBeLessThan(3000);
    // Every second call is dearer: sampling in step with them would show one kind only.
    expect(point.ms).toBeGreaterThan(170);
    expect(point.ms).toBeLessThan(230);
    expect(point.bytes).toBeCloseTo(1_000_000);
  });

  it('counts a call within another one only once', () => {
    const { clock, meter } = started();
    const outer = meter.point('spans');
    const inner = meter.point('waterfall');
    for (let index = 0; index < 20_000; index++) {
      const measured = meter.enter(outer);
      clock.work(0.02);
      for (let twice = 0; twice < 2; twice++) {
        const within = meter.enter(inner);
        clock.work(0.005);
        meter.leave(inner, within);
      }
      meter.leave(outer, measured);
    }
    expect(outer.ms).toBeCloseTo(400, 3);
    expect(inner.ms).toBeGreaterThan(180);
    expect(inner.ms).toBeLessThan(220);
    expect(inner.outermost).toBe(0);
  });

  it('measures each run of rare work, without the time in which it had no CPU and as no part of the call around it', () => {
    const { clock, meter } = started();
    const call = meter.point('spans');
    const rare = meter.point('explaining');
    for (let index = 0; index < 1000; index++) {
      const measured = meter.enter(call);
      clock.work(0.01);
      if (index % 10 === 0)
        meter.measure(rare, () => {
          clock.work(1.5);
          clock.delayed += 0.5;
        });
      meter.leave(call, measured);
    }
    expect(rare.ms).toBeCloseTo(100);
    expect(call.ms).toBeCloseTo(10);
  });

  it('measures after work that threw, and passes on what it threw', () => {
    const { clock, meter } = started();
    const point = meter.point('timers');
    const failing = (): void =>
      meter.measure(point, () => {
        clock.work(2);
        throw new Error('broken');
      });
    expect(failing).toThrow('broken');
    expect(failing).toThrow('broken');
    expect(point.ms).toBeCloseTo(4);
  });

  it('forgets a call that never ended', () => {
    const { clock, meter } = started();
    const point = meter.point('spans');
    meter.enter(point);
    clock.work(1000);
    meter.adapt();
    for (let index = 0; index < 1000; index++) {
      const measured = meter.enter(point);
      clock.work(0.01);
      meter.leave(point, measured);
    }
    expect(point.outermost).toBe(1001);
    expect(point.ms).toBeCloseTo(10.01);
  });

  it('does not measure calls that are too deep within each other, and stays balanced', () => {
    const { clock, meter } = started();
    const point = meter.point('spans');
    const enter = (depth: number): void => {
      const measured = meter.enter(point);
      clock.work(0.01);
      if (depth > 0) enter(depth - 1);
      meter.leave(point, measured);
    };
    for (let index = 0; index < 200; index++) enter(40);
    expect(point.outermost).toBe(200);
    meter.measure(point, () => clock.work(1));
    expect(point.ms).toBeGreaterThan(1);
  });

  it('measures fewer of more calls, at once in a burst, and more again only slowly', () => {
    const meter = new Meter();
    const point = meter.point('spans');
    const burn = (ms: number, calls: number): void => {
      const until = performance.now() + ms;
      for (let done = 0; done < calls; done++) meter.leave(point, meter.enter(point));
      while (performance.now() < until);
    };
    burn(510, 200_000);
    expect(meter.interval).toBeGreaterThan(20);
    meter.adapt();
    const busy = meter.interval;
    burn(510, 5);
    meter.adapt();
    expect(busy).toBeGreaterThan(20);
    expect(meter.interval).toBeLessThan(busy);
  });
});
