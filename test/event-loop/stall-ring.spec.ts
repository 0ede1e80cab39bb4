import { describe, expect, it } from '@jest/globals';
import { StallRing } from '../../lib/process/stall-ring.js';

const stall = (startedAt: number) => ({ startedAt, endedAt: startedAt + 5 });

describe('StallRing', () => {
  it('keeps the most recent stalls', () => {
    const ring = new StallRing(3);
    for (let at = 10; at <= 70; at += 10) ring.add(stall(at));
    expect(ring.length).toBe(3);
    expect(ring.within(0, 1000).map(({ startedAt }) => startedAt)).toEqual([50, 60, 70]);
  });

  it('finds those that overlap an interval, oldest first', () => {
    const ring = new StallRing(8);
    for (let at = 10; at <= 50; at += 10) ring.add(stall(at));
    const within = (from: number, to: number) => ring.within(from, to).map(({ startedAt }) => startedAt);
    expect(within(22, 41)).toEqual([20, 30, 40]);
    expect(within(25, 30)).toEqual([]);
    expect(within(32, 33)).toEqual([30]);
    expect(within(60, 90)).toEqual([]);
    expect(within(0, 10)).toEqual([]);
  });
});
