import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile, run } from './leak-programs/compiled.js';

const MB = 2 ** 20;
// A small young generation makes many full collections in a short time.
const FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1'];

describe('a real process under a small heap limit', () => {
  let folder: string;
  let [leaking, caching]: ReturnType<typeof run>[] = [];
  beforeAll(async () => {
    folder = await compile();
    leaking = run(folder, 'serve.js', FLAGS, ['leak', '28']);
    caching = run(folder, 'serve.js', FLAGS, ['cache', '15']);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('that leaks is reported before 70 % of the limit', async () => {
    const { said = [] } = (await leaking) ?? {};
    const first = said.find(({ leaks }) => leaks.some(({ memory }) => memory === 'heap'));
    expect(first?.heapLimitBytes).toBe(64 * MB);
    expect((first?.reading.heapUsed ?? Number.NaN) / (64 * MB)).toBeLessThan(0.7);
    const leak = first?.leaks.find(({ memory }) => memory === 'heap');
    expect(leak?.limitBytes).toBe(64 * MB);
    expect(leak?.bytesPerHour).toBeGreaterThan(1000 * MB);
    expect(said.some(({ leaks }) => leaks.some(({ state }) => state === 'confirmed'))).toBe(true);
  }, 40_000);

  it('that fills a cache and evicts the rest is not', async () => {
    const { said = [] } = (await caching) ?? {};
    expect(said.length).toBeGreaterThan(10);
    expect(said.filter(({ leaks }) => leaks.length > 0)).toEqual([]);
  }, 40_000);
});
