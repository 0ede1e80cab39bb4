import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LoopDelay } from '../../lib/process/loop-delay.js';
import { ResourceSampler } from '../../lib/process/resource-sampler.js';
import { sleep } from '../support/tracing.js';

/** Blocks the event loop, and returns for how long. */
function block(ms: number): number {
  const from = performance.now();
  while (performance.now() < from + ms);
  return performance.now() - from;
}

describe('the longest delay of the event loop', () => {
  let sampler: ResourceSampler;
  let delay: LoopDelay;
  beforeEach(() => {
    sampler = new ResourceSampler(250);
    sampler.start();
    delay = new LoopDelay();
    delay.start();
  });
  afterEach(() => {
    sampler.stop();
    delay.stop();
  });

  it('within an operation that ends with a block is at least the block, whenever it began', async () => {
    for (let phase = 0; phase < 30; phase++) {
      await sleep(phase * 3);
      const startedAt = performance.now();
      const blockedMs = block(60);
      expect(sampler.evidence(startedAt).eventLoopDelayMaxMs).toBeGreaterThanOrEqual(Math.floor(blockedMs));
      await sleep(30);
      expect(sampler.evidence(startedAt).eventLoopDelayMaxMs).toBeGreaterThanOrEqual(Math.floor(blockedMs));
    }
  });

  it('is at most the operation itself while the block lasts', async () => {
    await sleep(50);
    block(60);
    delay.reset();
    const startedAt = performance.now();
    const blockedMs = block(50);
    const longestMs = delay.max(startedAt);
    expect(longestMs).toBeLessThanOrEqual(performance.now() - startedAt);
    expect(longestMs).toBeGreaterThanOrEqual(Math.floor(blockedMs));
  });

  it('remembers the longest one until it is reset, and a block that lasts beyond it', async () => {
    const blockedMs = block(80);
    await sleep(50);
    expect(delay.max()).toBeGreaterThanOrEqual(Math.floor(blockedMs));
    delay.reset();
    expect(delay.max()).toBeLessThan(blockedMs);
    const again = block(80);
    delay.reset();
    expect(delay.max()).toBeGreaterThanOrEqual(Math.floor(again));
  });

  it('is 0 while it is not measured', () => {
    delay.stop();
    block(60);
    expect(delay.max()).toBe(0);
  });
});
