import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LeakReading } from '../../lib/leaks/leak-reading.js';
import { compile, run } from './leak-programs/compiled.js';

const MB = 2 ** 20;

describe('MajorCollections', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await compile();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** The readings of a process that triggers certain collections; it must end by itself. */
  async function read(how: string): Promise<LeakReading[]> {
    const { said, code } = await run(folder, 'collect.js', ['--expose-gc'], [how]);
    expect(code).toBe(0);
    return said.map(({ reading }) => reading);
  }

  it('reads what remains, and not what was released', async () => {
    const readings = await read('keeping');
    expect(readings).toHaveLength(4);
    const [before, during] = readings as [LeakReading, LeakReading];
    const after = readings[3] as LeakReading;
    expect(during.heapUsed - before.heapUsed).toBeGreaterThan(7 * MB);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(2 * MB);
    expect(during.external - before.external).toBeGreaterThan(19 * MB);
    expect(during.arrayBuffers - before.arrayBuffers).toBeGreaterThan(19 * MB);
    expect(after.external - before.external).toBeLessThan(2 * MB);
    expect(during.rss).toBeGreaterThan(during.heapUsed + during.external);
    expect(during.heapResident).toBeGreaterThan(during.heapUsed);
    expect(Math.abs(during.at - Date.now())).toBeLessThan(60_000);
    expect(during.at).toBeGreaterThan(before.at);
    expect(during.late).toBeLessThanOrEqual(5);
    expect([before.requests, during.requests, after.requests]).toEqual([1, 2, 4]);
    expect(during.inFlight).toBe(3);
  });

  it('ignores minor collections', async () => {
    expect(await read('minor')).toEqual([]);
  });

  it('reads what remains even if the loop was idle for a while', async () => {
    expect((await read('idle')).map(({ late }) => late)).toEqual([0]);
  });

  it('skips a late reading if other objects were promoted meanwhile', async () => {
    expect(await read('late')).toEqual([]);
  });

  it('reads up to four times per second', async () => {
    const readings = await read('often');
    expect(readings.length).toBeGreaterThan(0);
    const [first, last] = [readings[0], readings.at(-1)];
    expect(readings.length - 1).toBeLessThanOrEqual(((last?.at ?? 0) - (first?.at ?? 0)) / 249);
  });

  it('catches errors of its listener', async () => {
    expect(await read('throwing')).toHaveLength(3);
  });

  it('can be stopped and restarted', async () => {
    expect(await read('stopped')).toHaveLength(1);
  });
});
