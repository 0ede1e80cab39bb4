import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from './processes';
import { repository, tarball } from './tarball';
import { unpack } from './unpack';

const tool = (...path: string[]): string => join(repository, 'node_modules', ...path);

describe('the package as it is published', () => {
  let archive: string;
  let folder: string;
  let files: string[];
  let manifest: Record<string, unknown> & { scripts?: Record<string, string> };

  beforeAll(async () => {
    archive = await tarball();
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-unpacked-'));
    for (const [path, content] of unpack(await readFile(archive))) {
      const target = join(folder, path.replace(/^package\//, ''));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
    }
    files = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .sort();
    manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as typeof manifest;
  }, 240_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('holds what its user needs and nothing else', async () => {
    const top = [...new Set(files.map((file) => file.split('/')[0]))];
    expect(top.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json']);
    const strange = files
      .filter((file) => file.startsWith('dist/'))
      .filter(
        (file) =>
          !/^dist\/(report-schema\.json|(cjs|esm)\/(package\.json|[\w./-]+\.(js|js\.map|d\.ts)))$/.test(file),
      );
    expect(strange).toEqual([]);
    expect(
      files.filter((file) => /(^|\/)(tests?|specs?|bench|sample[\w-]*)(\/|$)|\.spec\./.test(file)),
    ).toEqual([]);
  });

  it('has each module in both formats, with types', () => {
    const modules = (format: string, ending: string): string[] =>
      files
        .filter((file) => file.startsWith(`dist/${format}/`) && file.endsWith(ending))
        .map((file) => file.slice(`dist/${format}/`.length, -ending.length));
    expect(modules('cjs', '.js')).toEqual(modules('esm', '.js'));
    expect(modules('cjs', '.d.ts')).toEqual(modules('esm', '.d.ts'));
    expect(modules('esm', '.d.ts')).toEqual(modules('esm', '.js'));
  });

  it('has source maps that hold the source they point to, which is not in the package', async () => {
    const maps = files.filter((file) => file.endsWith('.map'));
    expect(maps.length).toBeGreaterThan(0);
    for (const file of maps) {
      const map = JSON.parse(await readFile(join(folder, file), 'utf8')) as {
        sources: string[];
        sourcesContent?: (string | null)[];
      };
      expect(map.sources).toHaveLength(1);
      expect(map.sourcesContent).toEqual([expect.any(String)]);
      expect(map.sources[0]).toMatch(/^(\.\.\/)+lib\/[\w./-]+\.ts$/);
    }
  });

  it('mentions no path of the machine it was made on', async () => {
    for (const file of files) {
      const text = await readFile(join(folder, file), 'utf8');
      expect({ file, mentions: text.includes(repository) || text.includes(`${tmpdir()}/nestjs`) }).toEqual({
        file,
        mentions: false,
      });
    }
  });

  it('runs nothing when it is installed', () => {
    const { scripts = {} } = manifest;
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^(post)?prepare$/.test(name))).toEqual(
      [],
    );
    expect(files.filter((file) => file.endsWith('binding.gyp'))).toEqual([]);
  });

  it('is without fault to publint', async () => {
    const { code, stdout, stderr } = await run(
      process.execPath,
      [tool('publint', 'src', 'cli.js'), 'run', archive, '--strict'],
      folder,
    );
    expect({ code, output: stdout + stderr }).toEqual({
      code: 0,
      output: expect.stringContaining('All good!'),
    });
  }, 30_000);

  it('has types that are right in every way of resolving them (attw, with every rule)', async () => {
    const { code, stdout, stderr } = await run(
      process.execPath,
      [tool('@arethetypeswrong', 'cli', 'dist', 'index.js'), archive, '--no-color', '--no-emoji'],
      folder,
    );
    expect({ code, output: stdout + stderr }).toEqual({
      code: 0,
      output: expect.stringContaining('No problems found'),
    });
  }, 30_000);
});
