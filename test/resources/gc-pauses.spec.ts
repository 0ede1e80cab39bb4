import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GcPauses } from '../../lib/process/gc-pauses.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { type: 'minor' | 'major' }) => void;

function burn(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

describe('GcPauses', () => {
  let pauses: GcPauses;
  beforeEach(() => {
    pauses = new GcPauses();
    pauses.start();
  });
  afterEach(() => pauses.stop());

  it('keeps nothing of the collections that it has counted', async () => {
    await turn();
    const { rss } = process.memoryUsage();
    for (let reading = 0; reading < 150; reading++) {
      for (let times = 0; times < 4; times++) collect({ type: 'minor' });
      await turn();
      pauses.refresh();
    }
    expect(pauses.count).toBeGreaterThanOrEqual(600);
    // A record of V8 that outlives a second collection goes on recording until the next major one: 200 MB here.
    expect(process.memoryUsage().rss - rss).toBeLessThan(100 * 1024 * 1024);
  }, 60_000);

  it('counts collections by their type, in a later turn of the event loop', async () => {
    collect({ type: 'minor' });
    collect();
    pauses.refresh();
    expect(pauses.count).toBe(0);
    await turn();
    pauses.refresh();
    expect(pauses.byType.get('minor')?.count).toBeGreaterThanOrEqual(1);
    expect(pauses.byType.get('major')?.count).toBeGreaterThanOrEqual(1);
    expect(pauses.totalMs).toBeGreaterThan(0);
  });

  it('says how long the pauses within a time were', async () => {
    const before = performance.now();
    collect();
    const between = performance.now();
    burn(5);
    const later = performance.now();
    collect();
    const end = performance.now();
    await turn();
    pauses.refresh();
    const first = pauses.within(before, between) as number;
    const second = pauses.within(later, end) as number;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThanOrEqual(between - before);
    expect(pauses.within(between, later)).toBe(0);
    expect(pauses.within(before, end)).toBeCloseTo(first + second, 6);
    // A time that begins within a pause has the rest of it.
    const middle = (before + between) / 2;
    expect(pauses.within(middle, between)).toBeLessThan(first);
    expect(pauses.within(middle, between)).toBeLessThanOrEqual(between - middle);
  });

  it('does not know the pauses of a time that is longer ago than those that it keeps', async () => {
    const before = performance.now();
    for (let times = 0; times < 2100; times++) {
      collect({ type: 'minor' });
      if (times % 50 === 0) await turn();
    }
    await turn();
    pauses.refresh();
    expect(pauses.within(before, performance.now())).toBeUndefined();
    const recent = performance.now();
    expect(pauses.within(recent, recent + 1)).toBe(0);
  }, 60_000);

  it('estimates what was allocated by the collections of young objects', async () => {
    const allocated: string[][] = [];
    pauses.refresh();
    // Objects of some 60 MB.
    for (let count = 0; count < 3000; count++) {
      allocated[count % 8] = Array.from({ length: 400 }, (_, index) => `${count} ${index}`);
      if (count % 100 === 0) {
        await turn();
        pauses.refresh();
      }
    }
    await turn();
    pauses.refresh();
    const mb = pauses.allocatedBytes / 1024 / 1024;
    expect(mb).toBeGreaterThan(15);
    expect(mb).toBeLessThan(240);
  });

  it('counts nothing once it has stopped, and goes on when it starts again', async () => {
    pauses.stop();
    collect();
    await turn();
    pauses.refresh();
    expect(pauses.count).toBe(0);
    pauses.start();
    collect();
    await turn();
    pauses.refresh();
    expect(pauses.count).toBeGreaterThan(0);
  });
});
