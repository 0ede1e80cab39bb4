import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const repository = join(__dirname, '../..');
// As Jest writes it: a temporary folder may be a link.
const folder = mkdtempSync(join(realpathSync(tmpdir()), 'ci-summary-'));
const file = (name: string): string => join(folder, name);

/** What Node prints for a script, and the code with which it exits. */
function run(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<{ code: number; lines: string[] }>((resolve) => {
    const child = execFile(
      process.execPath,
      [join(repository, script), ...args],
      { cwd: folder, env: { ...process.env, ...env } },
      (_, output) => resolve({ code: child.exitCode ?? -1, lines: output.split('\n').slice(0, -1) }),
    );
  });
}

/** Suites of Jest, of which some fail, and fewer of them alone. */
const SUITES = {
  'well.js': "test('is well', () => {});",
  'flaky.js': `
    test('always fails', () => { throw new Error('expected'); });
    test('fails beside others', () => { if (!process.env.ALONE) throw new Error('expected'); });
    test.each(['beside others', 'always'])('is a case of a table', (when) => {
      if (when === 'always' || !process.env.ALONE) throw new Error('expected');
    });`,
  'invalid.js': "throw new Error('cannot be loaded');",
};

describe('the summary of CI', () => {
  const jest = (report: string, env: NodeJS.ProcessEnv, ...files: string[]) =>
    run(
      'node_modules/jest/bin/jest.js',
      ['--json', `--outputFile=${file(report)}`, '--runTestsByPath', ...files.map(file)],
      env,
    );
  const summary = (...args: string[]) => run('.ci/summary.mjs', args);

  beforeAll(async () => {
    writeFileSync(
      file('jest.config.json'),
      JSON.stringify({ testMatch: ['**/*.js'], testPathIgnorePatterns: [] }),
    );
    for (const [name, text] of Object.entries(SUITES)) writeFileSync(file(name), text);
    await jest('all.json', { ALONE: '' }, ...Object.keys(SUITES));
    await jest('again.json', { ALONE: 'true' }, 'flaky.js', 'invalid.js');
    await jest('well.json', {}, 'well.js');
  }, 120_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('names what failed, and counts as passed what passed when it was run again alone', async () => {
    const { code, lines } = await summary('2', '0', file('all.json'), file('again.json'));
    const table = `Failed: is a case of a table (${file('flaky.js')})`;
    expect([...lines].sort()).toEqual([
      '4 passed, 4 failed',
      `Failed: ${file('invalid.js')} could not be run`,
      `Failed: always fails (${file('flaky.js')})`,
      table,
      table,
      'Passed when run alone: fails beside others',
    ]);
    expect(lines.at(-1)).toBe('4 passed, 4 failed');
    expect(code).toBe(1);
  });

  it('counts all that failed where nothing was run again', async () => {
    const { code, lines } = await summary('0', '0', file('all.json'), file('absent.json'));
    expect(lines.filter((line) => line.startsWith('Failed: '))).toHaveLength(5);
    expect(lines.at(-1)).toBe('1 passed, 5 failed');
    expect(code).toBe(1);
  });

  it('adds several runs of Jest, and what is no test of Jest', async () => {
    const well = [file('well.json'), ''];
    expect(await summary('2', '0', ...well, ...well)).toEqual({ code: 0, lines: ['4 passed, 0 failed'] });
    expect(await summary('2', '3', ...well)).toEqual({ code: 1, lines: ['3 passed, 3 failed'] });
  });

  it('counts a run of Jest that did not reach its end as a failure', async () => {
    expect(await summary('2', '0', file('absent.json'), '')).toEqual({
      code: 1,
      lines: [`Failed: there is no report of Jest in ${file('absent.json')}`, '2 passed, 1 failed'],
    });
  });

  it('runs again the suites that failed', async () => {
    const { lines } = await run('.ci/failed-suites.mjs', [file('all.json')]);
    expect([...lines].sort()).toEqual([file('flaky.js'), file('invalid.js')]);
    expect((await run('.ci/failed-suites.mjs', [file('well.json')])).lines).toEqual([]);
  });
});
