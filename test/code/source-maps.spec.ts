import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RawFrame } from '../../lib/code/call-site.js';
import { SourceMaps, type SourceMapsOptions } from '../../lib/code/source-maps.js';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'maps-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** Maps the first column of line 1 to the third of line 5: VLQ's A, A, I, E are 0, 0, 4, 2. */
function mapOf(source: string, more: object = {}): string {
  return JSON.stringify({ version: 3, sources: [source], names: [], mappings: 'AAIE', ...more });
}

const inline = (json: string): string =>
  `run();\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,${Buffer.from(json).toString('base64')}`;

function frame(url: string, more: Partial<RawFrame> = {}): RawFrame {
  return { functionName: 'Catalog.list', url, line: 1, column: 1, ...more };
}

async function locate(url: string, options?: SourceMapsOptions): Promise<[string, number, number]> {
  const maps = new SourceMaps(options);
  await maps.prepare(url);
  const { file, line, column } = maps.locate(frame(url));
  return [file, line, column];
}

describe('a map', () => {
  it.each([
    ['beside the file', 'run();\n//# sourceMappingURL=a.js.map\n'],
    [
      'that something follows',
      `run();\r\n//# sourceMappingURL=a.js.map\r\n//# debugId=${'0'.repeat(32)}\r\n`,
    ],
    ['of a stylesheet-like comment', 'run();\n/*# sourceMappingURL=a.js.map */'],
    [
      'after those of the bundled parts',
      'x;\n//# sourceMappingURL=part.js.map\n//# sourceMappingURL=a.js.map\n',
    ],
    ['at the end of a large file', `run();${' '.repeat(50_000)}\n//# sourceMappingURL=a.js.map`],
  ])('%s is found', async (_which, code) => {
    const file = write('a.js', code);
    write('a.js.map', mapOf('../src/a.ts'));
    expect(await locate(file)).toEqual([join(folder, '../src/a.ts'), 5, 3]);
    expect(await locate(pathToFileURL(file).href)).toEqual([join(folder, '../src/a.ts'), 5, 3]);
  });

  it("in another folder is the base of its sources' paths", async () => {
    const file = write('out/a.js', '//# sourceMappingURL=my%20maps/a.map');
    write('out/my maps/a.map', mapOf('a.ts', { sourceRoot: '../../src' }));
    expect(await locate(file)).toEqual([join(folder, 'src/a.ts'), 5, 3]);
  });

  it.each([10, 20_000])('in the file itself is found, with sources of %d characters', async (length) => {
    const json = mapOf('a.ts', { sourcesContent: ['x'.repeat(length)] });
    expect(await locate(write('a.js', inline(json)))).toEqual([join(folder, 'a.ts'), 5, 3]);
    expect(await locate(write('b.js', `${inline(json)}\n//# debugId=1\n`))).toEqual([
      join(folder, 'a.ts'),
      5,
      3,
    ]);
    const text = `//# sourceMappingURL=data:application/json,${encodeURIComponent(json)}`;
    expect(await locate(write('c.js', text))).toEqual([join(folder, 'a.ts'), 5, 3]);
  });

  it('of sections is read', async () => {
    const sections = [{ offset: { line: 0, column: 0 }, map: JSON.parse(mapOf('a.ts')) }];
    const json = JSON.stringify({ version: 3, sections });
    expect(await locate(write('a.js', inline(json)))).toEqual([join(folder, 'a.ts'), 5, 3]);
  });

  it.each([
    ['webpack:///./src/a.ts', 'src/a.ts'],
    ['webpack://shop/./src/a.ts', 'src/a.ts'],
    ['webpack://shop/src/a.ts?4f2c', 'src/a.ts'],
    [`webpack://${process.cwd()}/src/a.ts`, 'src/a.ts'],
    [`webpack:///${process.cwd().slice(1)}/src/a.ts`, 'src/a.ts'],
    [join(process.cwd(), 'src/a.ts'), 'src/a.ts'],
    ['/srv/other/a.ts', '/srv/other/a.ts'],
  ])('that names %s leads to %s', async (source, file) => {
    expect(await locate(write('a.js', inline(mapOf(source))))).toEqual([file, 5, 3]);
  });
});

describe('the position in the running code is shown', () => {
  const asItRuns = (file: string): [string, number, number] => [file, 1, 1];

  it('if the map is missing, broken or invalid', async () => {
    for (const [name, code, map] of [
      ['missing', '//# sourceMappingURL=nowhere.map', ''],
      ['broken', '//# sourceMappingURL=broken.js.map', '{"version":3,"mapp'],
      ['null', '//# sourceMappingURL=null.js.map', 'null'],
      ['number', '//# sourceMappingURL=number.js.map', '3'],
      ['empty', '//# sourceMappingURL=empty.js.map', '{}'],
      ['mappings', '//# sourceMappingURL=mappings.js.map', mapOf('a.ts', { mappings: 5 })],
      ['index', '//# sourceMappingURL=index.js.map', mapOf('a.ts', { mappings: 'ACIE' })],
      ['sources', '//# sourceMappingURL=sources.js.map', mapOf('a.ts', { sources: 4 })],
      ['url', '//# sourceMappingURL=http://[', ''],
      ['remote', '//# sourceMappingURL=http://127.0.0.1:1/a.js.map', ''],
      ['data', '//# sourceMappingURL=data:text/plain,a', ''],
      ['percent', '//# sourceMappingURL=data:application/json,%E0%A4', ''],
      ['nothing', '', ''],
      ['left over', 'run();', mapOf('a.ts')],
    ] as const) {
      const file = write(`${name}.js`, code);
      if (map !== '') write(`${name}.js.map`, map);
      expect(await locate(file)).toEqual(asItRuns(file));
    }
  });

  it('if the file is gone, a folder, or not readable', async () => {
    expect(await locate(join(folder, 'gone.js'))).toEqual(asItRuns(join(folder, 'gone.js')));
    expect(await locate(folder)).toEqual(asItRuns(folder));
    const file = write('secret.js', inline(mapOf('a.ts')));
    chmodSync(file, 0);
    // The superuser reads it all the same.
    if (process.getuid?.() !== 0) expect(await locate(file)).toEqual(asItRuns(file));
  });

  it('if the URL is no file', async () => {
    for (const url of ['', 'node:fs', 'wasm://wasm/1', 'file://%', 'http://shop/a.js']) {
      await expect(locate(url)).resolves.toEqual([expect.any(String), 1, 1]);
    }
  });

  it('if the map has no entry for it', async () => {
    const file = write('a.js', inline(mapOf('a.ts')));
    const maps = new SourceMaps();
    await maps.prepare(file);
    for (const line of [0, -1, 99, Number.NaN]) expect(maps.locate(frame(file, { line })).file).toBe(file);
  });

  it('if the map is too large', async () => {
    const json = mapOf('a.ts', { sourcesContent: ['x'.repeat(9000)] });
    const external = write('a.js', '//# sourceMappingURL=a.js.map');
    write('a.js.map', json);
    const own = write('b.js', inline(json));
    for (const file of [external, own]) {
      expect(await locate(file, { maxBytes: 8000 })).toEqual(asItRuns(file));
      expect(await locate(file, { maxBytes: 20_000 })).toEqual([join(folder, 'a.ts'), 5, 3]);
    }
  });

  it('until the map is read, and if the frame is already mapped', async () => {
    const file = write('a.js', inline(mapOf('a.ts')));
    const maps = new SourceMaps();
    const reading = maps.prepare(file);
    expect(maps.locate(frame(file)).line).toBe(1);
    await reading;
    expect(maps.locate(frame(file)).line).toBe(5);
    expect(maps.locate(frame(file, { mapped: true })).line).toBe(1);
  });
});

describe('the cache', () => {
  it('reads each map once', async () => {
    const file = write('a.js', inline(mapOf('a.ts')));
    const maps = new SourceMaps();
    const first = maps.prepare(file);
    expect(maps.prepare(pathToFileURL(file).href)).toBe(first);
    await first;
    rmSync(file);
    await maps.prepare(file);
    expect(maps.locate(frame(file)).line).toBe(5);
  });

  it('keeps a limited number of files, the most recently used', async () => {
    const files = ['a', 'b', 'c'].map((name) => write(`${name}.js`, inline(mapOf(`${name}.ts`))));
    const [a = '', b = '', c = ''] = files;
    const maps = new SourceMaps({ maxFiles: 2 });
    for (const file of [a, b, a, c]) await maps.prepare(file);
    expect(files.map((file) => maps.locate(frame(file)).line)).toEqual([5, 1, 5]);
    await maps.prepare(b);
    expect(files.map((file) => maps.locate(frame(file)).line)).toEqual([1, 5, 5]);
  });

  it('is bounded when all are requested at once', async () => {
    const files = Array.from({ length: 50 }, (_, index) => write(`${index}.js`, inline(mapOf('a.ts'))));
    const maps = new SourceMaps({ maxFiles: 5 });
    await Promise.all(files.map((file) => maps.prepare(file)));
    expect(files.filter((file) => maps.locate(frame(file)).line === 5)).toHaveLength(5);
  });

  it('limits all mappings to a quarter of the largest map, keeping the most recent', async () => {
    const json = mapOf('a.ts', { mappings: `AAIE${';'.repeat(396)}` });
    const files = Array.from({ length: 9 }, (_, index) => write(`${index}.js`, inline(json)));
    const maps = new SourceMaps({ maxBytes: 6400 });
    for (const file of files) await maps.prepare(file);
    expect(files.map((file) => maps.locate(frame(file)).line)).toEqual([1, 1, 1, 1, 1, 5, 5, 5, 5]);
  });

  it('excludes a map with more mappings than that', async () => {
    const file = write('a.js', inline(mapOf('a.ts', { mappings: `AAIE${';'.repeat(2000)}` })));
    const small = write('b.js', inline(mapOf('b.ts')));
    const maps = new SourceMaps({ maxBytes: 6400 });
    for (const url of [small, file]) await maps.prepare(url);
    expect([file, small].map((url) => maps.locate(frame(url)).line)).toEqual([1, 5]);
  });
});
