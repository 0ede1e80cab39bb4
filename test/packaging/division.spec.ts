import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from './processes';
import { repository } from './tarball';

const DIVISION = pathToFileURL(join(repository, 'tools', 'division.mjs')).href;
const COUNTER = 'let calls = 0; export function countCall() { return ++calls; }';
const USES_COUNTER = "import { countCall } from './counter.js'; export const used = countCall();";

describe('the division of modules into files', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'nestjs-performance-division-')));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function divide(
    modules: Record<string, string>,
  ): Promise<{ files: [string, string][]; fault: string }> {
    for (const [path, text] of Object.entries({ 'testing/index.js': '', ...modules })) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const program = `
      import { divide } from ${JSON.stringify(DIVISION)};
      const options = { platform: 'node', format: 'esm', splitting: true, plugins: [] };
      const { files } = await divide(${JSON.stringify(folder)}, options);
      console.log(JSON.stringify(Array.from(files, ([name, { text }]) => [name, text])));
    `;
    const path = join(folder, 'divide.mjs');
    await writeFile(path, program);
    const { stdout, stderr } = await run(process.execPath, [path], folder, 60_000);
    return { files: stdout === '' ? [] : JSON.parse(stdout), fault: stderr };
  }

  const holding = (files: [string, string][], text: string): string[] =>
    files.filter(([, code]) => code.includes(text)).map(([name]) => name);

  it('has the state of a module once, whatever imports it and when', async () => {
    const { files, fault } = await divide({
      'counter.js': COUNTER,
      'index.js': `${USES_COUNTER} export { limit } from './limit.js'; export const later = () => import('./later/later.js');`,
      'later/later.js':
        "import { used } from './used.js'; export { used }; export const next = import('../next.js');",
      'later/used.js': USES_COUNTER.replace('./', '../'),
      'next.js': "export { limit } from './limit.js';",
      'limit.js': 'export const limit = Number(process.argv[2]);',
    });
    expect(fault).toBe('');
    expect(files.map(([name]) => name)).toEqual(
      expect.arrayContaining(['index.js', 'internals.js', 'later/later.js', 'testing/index.js']),
    );
    expect(holding(files, 'calls = 0')).toHaveLength(1);
    expect(holding(files, 'process.argv')).toHaveLength(1);
    expect(holding(files, 'import("later/later.js")')).toEqual(['index.js']);
    expect(holding(files, 'from "internals.js"')).toHaveLength(2);
  }, 60_000);

  it('refuses a module that a start and a dynamic import load', async () => {
    const { fault } = await divide({
      'counter.js': COUNTER,
      'index.js': `${USES_COUNTER} export const later = () => import('./counter.js');`,
    });
    expect(fault).toContain('There would be a second copy of counter.js');
  }, 60_000);

  it('refuses two modules that export the same name to what is loaded later', async () => {
    const { fault } = await divide({
      'counter.js': COUNTER,
      'other.js': COUNTER,
      'index.js': `import './other.js'; ${USES_COUNTER} export const later = () => import('./later.js');`,
      'later.js': `${USES_COUNTER} import { countCall as other } from './other.js'; export const one = other();`,
    });
    expect(fault).toContain('counter.js and other.js both export countCall: rename one of them');
  }, 60_000);
});
