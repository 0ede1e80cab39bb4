import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CATALOG, CompiledApp } from './compiled-app.js';

const LINES = CATALOG.split('\n');

function lineOf(mark: string): number {
  return LINES.findIndex((line) => line.endsWith(`// <${mark}>`)) + 1;
}

const WRITTEN = [
  { function: 'CatalogService.tracks', file: 'src/catalog.ts', line: lineOf('tracks') },
  { function: 'CatalogService.withTracks', file: 'src/catalog.ts', line: lineOf('callback') },
];

let app: CompiledApp;
beforeAll(() => {
  app = new CompiledApp();
});
afterAll(() => app.remove());

describe.each([
  ['cjs', 'out/catalog.cjs'],
  ['esm', 'out/catalog.mjs'],
] as const)('an application compiled to %s', (format, file) => {
  it.each(['external', 'inline'] as const)('with its map %s is shown with source positions', (map) => {
    const { before, after } = app.run({ format, map });
    expect(after.slice(0, 2)).toEqual(WRITTEN.map((site) => expect.objectContaining(site)));
    expect(after.at(-1)).toMatchObject({ function: 'main', line: lineOf('main') });
    // Until its map is read it is shown as it runs, by the same names.
    expect(before[0]).toMatchObject({
      function: 'CatalogService.tracks',
      file,
    });
    expect(before[0]?.line).not.toBe(lineOf('tracks'));
  });

  it('is shown with source positions if Node has loaded the maps', () => {
    const { after } = app.run({ format, map: 'external' }, '--enable-source-maps');
    expect(after.slice(0, 2)).toEqual(WRITTEN.map((site) => expect.objectContaining(site)));
  });

  it('is shown with positions in the running code without a map', () => {
    const { before, after } = app.run({ format, map: 'none', bundled: true });
    expect(after).toEqual(before);
    expect(after[0]).toMatchObject({ function: 'CatalogService.tracks', line: 1 });
  });

  it.each(['external', 'inline'] as const)(
    'minified, with the names of webpack and its map %s, too',
    (map) => {
      const { after } = app.run({ format, map, bundled: true });
      expect(after.slice(0, 2)).toEqual(
        WRITTEN.map((site) => expect.objectContaining({ file: site.file, line: site.line })),
      );
    },
  );

  it('works with frozen intrinsics', () => {
    const { after } = app.run({ format, map: 'external' }, '--frozen-intrinsics');
    expect(after[0]).toMatchObject(WRITTEN[0] ?? {});
  });
});

describe('an application that ts-node compiles in memory', () => {
  it('is shown with source positions', () => {
    const source = CATALOG.replaceAll('LIB', '../dist/cjs');
    app.write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          module: 'commonjs',
          target: 'es2022',
          rootDir: '.',
          moduleResolution: 'node10',
          ignoreDeprecations: '6.0',
        },
      }),
    );
    app.write('package.json', '{}');
    const file = app.write('src/catalog.ts', source);
    const { after } = app.execute(
      file,
      '-r',
      join(process.cwd(), 'node_modules/ts-node/register/transpile-only'),
    );
    expect(after.slice(0, 2)).toEqual(WRITTEN.map((site) => expect.objectContaining(site)));
  });
});
