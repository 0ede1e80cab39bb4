import { describe, expect, it } from '@jest/globals';
import { CaptureQuota } from '../../lib/profiling/capture-quota.js';

const MINUTE_MS = 60_000;

describe('CaptureQuota', () => {
  it('allows one capture per operation within its cooldown', () => {
    const quota = new CaptureQuota(5000, 100);
    expect(quota.take('a', 0)).toBe(true);
    expect(quota.take('a', 4999)).toBe(false);
    expect(quota.take('b', 4999)).toBe(true);
    expect(quota.take('a', 5000)).toBe(true);
    // What was refused does not count.
    expect(quota.take('a', 9999)).toBe(false);
    expect(quota.take('a', 10_000)).toBe(true);
    expect(quota.skipped).toBe(2);
  });

  it('limits the captures per minute of all operations together', () => {
    const quota = new CaptureQuota(0, 3);
    const taken = Array.from({ length: 10 }, (_, index) => quota.take(`o${index}`, index));
    expect(taken.filter(Boolean)).toHaveLength(3);
    expect(quota.skipped).toBe(7);
    expect(quota.take('a', MINUTE_MS - 1)).toBe(false);
    expect(quota.take('a', MINUTE_MS)).toBe(true);
  });

  it('has no cooldown if it is 0', () => {
    const quota = new CaptureQuota(0, 100);
    expect([quota.take('a', 0), quota.take('a', 0)]).toEqual([true, true]);
  });

  it('remembers 1,000 operations, and drops the one captured longest ago', () => {
    const quota = new CaptureQuota(MINUTE_MS * 1000, 1e6);
    for (let index = 0; index < 1000; index++) quota.take(`o${index}`, 0);
    expect(quota.size).toBe(1000);
    quota.take('more', 1);
    expect(quota.size).toBe(1000);
    expect(quota.take('o1', 2)).toBe(false);
    expect(quota.take('o0', 2)).toBe(true);
    expect(quota.size).toBe(1000);
  });

  it('recovers when the clock is set back', () => {
    const quota = new CaptureQuota(5000, 1);
    const now = Date.UTC(2030, 0);
    expect(quota.take('a', now)).toBe(true);
    const earlier = now - 86_400_000;
    expect(quota.take('a', earlier)).toBe(true);
    expect(quota.take('a', earlier + 1)).toBe(false);
    expect(quota.take('a', earlier + MINUTE_MS)).toBe(true);
  });
});
