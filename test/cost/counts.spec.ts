import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from '../packaging/processes';

const repository = join(__dirname, '../..');

type Counts = Record<string, number>;

describe('the cost of the package', () => {
  it('is at most what bench/counts.json records: npm run counts -- --update records it', async () => {
    const { code, stdout, stderr } = await run(process.execPath, ['bench/counts.mjs'], repository, 240_000);
    process.stderr.write(stdout.replace(/^(?!skipped: ).*\n/gm, ''));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }, 250_000);
});

describe('counts', () => {
  const excesses = async (
    recorded: Counts,
    present: Counts,
    isSameVersion = true,
  ): Promise<readonly string[]> => {
    const compared = (await import(join(repository, 'bench/counts/compare.mjs'))) as {
      excesses(recorded: Counts, present: Counts, isSameVersion: boolean): readonly string[];
    };
    return compared.excesses(recorded, present, isSameVersion);
  };

  const recorded = {
    'request: bytes allocated': 12_000,
    'request: calls': 200,
    'installation: packages': 60,
  };

  it('that are the same, smaller or within their tolerance are not reported', async () => {
    const within = {
      'request: bytes allocated': 12_240,
      'request: calls': 202,
      'installation: packages': 60,
    };
    const smaller = { 'request: bytes allocated': 100, 'request: calls': 0, 'installation: packages': 59 };
    for (const present of [recorded, within, smaller]) expect(await excesses(recorded, present)).toEqual([]);
  });

  it('above their tolerance are reported with both figures', async () => {
    const present = {
      'request: bytes allocated': 12_252,
      'request: calls': 203,
      'installation: packages': 61,
    };
    expect(await excesses(recorded, present)).toEqual([
      'request: bytes allocated: 12,252 now, 12,000 recorded, +2.1 %; at most +2 % is allowed',
      'request: calls: 203 now, 200 recorded, +1.5 %; at most +1 % is allowed',
      'installation: packages: 61 now, 60 recorded, +1.7 %; at most +0 % is allowed',
    ]);
  });

  it('of another version of Node may allocate more, and call as much', async () => {
    const recorded = { 'request: bytes allocated': 12_000, 'request: calls': 200 };
    const within = { 'request: bytes allocated': 13_200, 'request: calls': 202 };
    expect(await excesses(recorded, within, false)).toEqual([]);
    const above = { 'request: bytes allocated': 13_212, 'request: calls': 203 };
    expect(await excesses(recorded, above, false)).toHaveLength(2);
  });

  it('that are not recorded, or not counted, are reported', async () => {
    expect(await excesses({}, { 'request: calls': 200 })).toEqual([
      'request: calls: 200 now, and none recorded',
    ]);
    expect(await excesses({ 'request: calls': 200 }, {})).toEqual([
      'request: calls: 200 recorded, not counted now',
    ]);
    expect(await excesses({ 'request: calls': 200 }, { 'request: calls': Number.NaN })).toHaveLength(1);
  });
});
