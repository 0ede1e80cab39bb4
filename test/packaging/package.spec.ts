import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from './processes';
import { repository, tarball } from './tarball';
import { unpack } from './unpack';

const tool = (...path: string[]): string => join(repository, 'node_modules', ...path);

async function filesIn(folder: string, ending: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true });
  return files.filter((file) => file.endsWith(ending)).map((file) => join(folder, file));
}

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

  const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8');

  it('holds what its user needs and nothing else', async () => {
    const top = [...new Set(files.map((file) => file.split('/')[0]))];
    expect(top.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json']);
    const strange = files
      .filter((file) => file.startsWith('dist/'))
      .filter(
        (file) => !/^dist\/(report-schema\.json|(cjs|esm)\/(package\.json|[\w./-]+\.(js|d\.ts)))$/.test(file),
      );
    expect(strange).toEqual([]);
    expect(
      files.filter((file) => /(^|\/)(tests?|specs?|bench|sample[\w-]*)(\/|$)|\.spec\./.test(file)),
    ).toEqual([]);
  });

  it('is written in ASCII, as V8 keeps each other file with two bytes for each of its characters', async () => {
    const sources = files.filter((file) => file.endsWith('.js'));
    expect(sources.length).toBeGreaterThan(10);
    const texts = await Promise.all(sources.map(read));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has them.
    expect(sources.filter((_, index) => /[^\x00-\x7f]/.test(texts[index] ?? ''))).toEqual([]);
  });

  it('has its entry points and their types in both formats, and no types that they do not need', async () => {
    const entries = ['index', 'testing/index'].flatMap((entry) =>
      ['cjs', 'esm'].map((format) => `dist/${format}/${entry}`),
    );
    const needed = new Set(entries.map((entry) => `${entry}.d.ts`));
    for (const file of needed)
      for (const [, path = ''] of (await readFile(join(folder, file), 'utf8')).matchAll(
        /['"](\.{1,2}\/[\w./-]+)\.js['"]/g,
      ))
        needed.add(`${join(dirname(file), path)}.d.ts`);
    expect(files.filter((file) => file.endsWith('.d.ts')).sort()).toEqual([...needed].sort());
    expect(files).toEqual(expect.arrayContaining(entries.map((entry) => `${entry}.js`)));
  });

  it('loads in few files', async () => {
    const loaded = new Set(['index.js']);
    for (const file of loaded)
      for (const [, path = ''] of (await readFile(join(folder, 'dist/esm', file), 'utf8')).matchAll(
        /(?:\bfrom|\bimport)\s*"(\.{1,2}\/[\w./-]+)"/g,
      ))
        loaded.add(join(dirname(file), path));
    expect(loaded.size).toBeGreaterThan(2);
    expect(loaded.size).toBeLessThanOrEqual(5);
  });

  /** A class of code without white space, as a statement or as the value of a variable. */
  const CLASS = /(?:^|[;,{}=]|\bvar )(?:(\w+)=)?class(?: (?!extends\b)(\w+)| extends\b|(?=\{))/gm;

  it('names classes as the sources do', async () => {
    // The bundler breaks long texts, such as the source of a thread, in the middle of a name.
    const textOf = async (path: string): Promise<string> =>
      (await readFile(path, 'utf8')).replaceAll('\\\n', '');
    const namesIn = async (path: string, pattern: RegExp): Promise<string[]> =>
      [...(await textOf(path)).matchAll(pattern)].map(([, outer, inner]) => inner ?? outer ?? '');
    const sources = [
      ...(await filesIn(join(repository, 'lib'), '.ts')),
      ...(await filesIn(tool('@opentelemetry', 'core', 'build', 'esm'), '.js')),
      ...(await filesIn(tool('semver'), '.js')),
    ];
    const written = await Promise.all(sources.map((path) => namesIn(path, /\bclass (\w+)/g)));
    const built = await Promise.all(
      files
        // The names of the MCP server and of what reads source maps are shortened: nobody sees them.
        .filter((file) => file.endsWith('.js') && !/\/(?:mcp|code\/mappings)\b/.test(file))
        .map((file) => namesIn(join(folder, file), CLASS)),
    );
    expect(built.flat().length).toBeGreaterThan(100);
    expect(built.flat().filter((name) => !written.flat().includes(name))).toEqual([]);
  });

  it('names functions as the sources do, for those who read a stack', async () => {
    const namesIn = (text: string): string[] =>
      Array.from(text.matchAll(/\bfunction\*? ?(\w+)\(/g), ([, name = '']) => name);
    const index = namesIn(await read('dist/esm/index.js'));
    const sources = await Promise.all(
      (await filesIn(join(repository, 'lib'), '.ts')).map((path) => readFile(path, 'utf8')),
    );
    // Generic functions have no parenthesis after their name.
    const written = new Set(
      sources.flatMap((text) => Array.from(text.matchAll(/\bfunction\*? (\w+)/g), ([, name = '']) => name)),
    );
    expect(index.length).toBeGreaterThan(500);
    // The bundler numbers functions of the same name. Its own are few.
    const others = index.filter((name) => !written.has(name) && !written.has(name.replace(/\d+$/, '')));
    expect(others.length).toBeLessThan(5);
  });

  it('contains the parts of packages that each start needs, with their licenses', async () => {
    for (const [part, name] of [
      ['W3CTraceContextPropagator=class', '@opentelemetry/core'],
      ['SemVer=class', 'semver'],
    ] as const) {
      const texts = await Promise.all(files.filter((file) => file.endsWith('.js')).map(read));
      const containing = texts.filter((text) => text.includes(part));
      expect(containing.length).toBeGreaterThanOrEqual(2);
      for (const text of containing) expect(text.slice(0, text.indexOf('*/'))).toContain(`${name}\n\n`);
    }
  });

  it('contains what reads source maps once, with its licenses', async () => {
    const text = await read('dist/cjs/code/mappings.js');
    expect(text.length).toBeLessThan(12_000);
    for (const name of ['resolve-uri', 'sourcemap-codec', 'trace-mapping'])
      expect(text.slice(0, text.indexOf('*/'))).toContain(`@jridgewell/${name}\n\n`);
    const program = (load: string): string => `import { createRequire } from 'node:module';
      const { FlattenMap, originalPositionFor } = ${load};
      const map = new FlattenMap({ version: 3, sources: ['a.ts'], names: [], mappings: 'AACA' });
      console.log(originalPositionFor(map, { line: 1, column: 0 }).line);`;
    for (const load of [
      "(await import('./dist/cjs/code/mappings.js')).default",
      "createRequire(import.meta.url)('./dist/cjs/code/mappings.js')",
    ]) {
      await writeFile(join(folder, 'map.mjs'), program(load));
      const { stdout, stderr } = await run(process.execPath, [join(folder, 'map.mjs')], folder);
      await rm(join(folder, 'map.mjs'));
      expect({ stdout, stderr }).toEqual({ stdout: '2\n', stderr: '' });
    }
    const others = files.filter((file) => file.endsWith('.js') && !file.endsWith('/mappings.js'));
    for (const file of others) expect(await read(file)).not.toMatch(/from"@jridgewell|require\("@jridgewell/);
  });

  it('contains the SDK of the MCP endpoint once, with its licenses, and installs nothing for it', async () => {
    const texts = await Promise.all(
      files.filter((file) => file.endsWith('.js')).map(async (file) => [file, await read(file)] as const),
    );
    const withProtocol = texts.filter(([, text]) => text.includes('notifications/initialized'));
    expect(withProtocol.map(([file]) => file)).toEqual(['dist/cjs/mcp/mcp-server.js']);
    const server = await read('dist/cjs/mcp/mcp-server.js');
    expect(server.length).toBeLessThan(260_000);
    for (const license of [
      '@modelcontextprotocol/sdk\n\nMIT License',
      'zod\n\nMIT License',
      'content-type\n\n',
    ])
      expect(server).toContain(license);
    // It needs no other file but the one that marks the code of this package.
    const required = [...server.matchAll(/\brequire\(("[^"]+")\)/g)].map(([, name]) => name);
    expect([...new Set(required)].filter((name) => !name?.startsWith('"node:'))).toEqual([
      '"../code/own-code.js"',
    ]);
    const { dependencies, peerDependencies } = manifest as Record<string, object>;
    expect(Object.keys({ ...dependencies, ...peerDependencies }).join()).not.toMatch(
      /modelcontextprotocol|zod|ajv/,
    );
  });

  it.each(['import', 'require'])('answers agents without the SDK installed, loaded by %s', async (how) => {
    // In a folder from which nothing can be resolved.
    const load =
      how === 'import'
        ? "(await import('./dist/cjs/mcp/mcp-server.js')).default"
        : "createRequire(import.meta.url)('./dist/cjs/mcp/mcp-server.js')";
    const program = `import { createRequire } from 'node:module';
      const { McpServer } = ${load};
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
      const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
      const server = new McpServer({}, '1.0.0', console.error);
      const { status, body } = await server.answer({ message, headers, signal: new AbortController().signal });
      console.log(status, JSON.parse(body).result.tools.length);`;
    await writeFile(join(folder, 'agent.mjs'), program);
    const { stdout, stderr } = await run(process.execPath, [join(folder, 'agent.mjs')], folder);
    await rm(join(folder, 'agent.mjs'));
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^200 \d+\n$/), stderr: '' });
  });

  it('refers to no source map, which is not in the package either', async () => {
    for (const file of files.filter((name) => name.endsWith('.js'))) {
      const text = await readFile(join(folder, file), 'utf8');
      expect({ file, refers: /^\/\/# sourceMappingURL=/m.test(text) }).toEqual({ file, refers: false });
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
