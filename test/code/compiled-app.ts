import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import ts from 'typescript';
import type { CallSite } from '../../lib/code/call-site.js';

/** The fixture's source: interfaces push the lines that run away from those that were written. */
export const CATALOG = `import { readFile } from 'node:fs/promises';
import { captureUserFrames } from 'LIB/code/call-site.js';
import { SourceMaps } from 'LIB/code/source-maps.js';

interface Album {
  readonly id: number;
  readonly title: string;
}

type Loaded = Album & { readonly tracks: number };

class CatalogService {
  frames: ReturnType<typeof captureUserFrames> = [];

  async withTracks(albums: readonly Album[]): Promise<Loaded[]> {
    return await Promise.all(
      albums.map(async (album): Promise<Loaded> => {
        const tracks = await this.tracks(album); // <callback>
        return { ...album, tracks };
      }),
    );
  }

  private async tracks(_album: Album): Promise<number> {
    await readFile('package.json').catch(() => undefined);
    this.frames = captureUserFrames(); // <tracks>
    return 1;
  }
}

async function main(): Promise<void> {
  const service = new CatalogService();
  await service.withTracks([{ id: 1, title: 'a' }]); // <main>
  const maps = new SourceMaps();
  const before = service.frames.map((frame) => maps.locate(frame));
  await Promise.all(service.frames.map(({ url }) => maps.prepare(url)));
  const after = service.frames.map((frame) => maps.locate(frame));
  console.log(JSON.stringify({ before, after }));
}
void main();
`;

export type ModuleFormat = 'cjs' | 'esm';

/** How an application is built. */
export interface Build {
  readonly format: ModuleFormat;
  readonly map: 'external' | 'inline' | 'none';
  /** Minified, with sources named as webpack names them. */
  readonly bundled?: boolean;
}

/** What the application says of its frames, before and after their maps were read. */
export interface Said {
  readonly before: CallSite[];
  readonly after: CallSite[];
}

/** Files of `lib` with all that they import from it. */
function withImports(files: readonly string[]): Set<string> {
  const found = new Set(files);
  for (const file of found) {
    const { importedFiles } = ts.preProcessFile(readFileSync(join('lib', file), 'utf8'));
    for (const { fileName } of importedFiles) {
      if (fileName.startsWith('.')) {
        found.add(join(file, '..', fileName).replace(/js$/, 'ts'));
      }
    }
  }
  return found;
}

/** A folder with both builds of `lib/code`, in which the fixture is compiled and run by plain Node. */
export class CompiledApp {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'code-')));

  constructor() {
    symlinkSync(join(process.cwd(), 'node_modules'), join(this.folder, 'node_modules'));
    for (const format of ['cjs', 'esm'] as const) {
      this.write(
        `dist/${format}/package.json`,
        JSON.stringify({ type: format === 'esm' ? 'module' : 'commonjs' }),
      );
      for (const file of withImports(readdirSync('lib/code').map((name) => `code/${name}`))) {
        const { outputText } = transpile(readFileSync(join('lib', file), 'utf8'), file, format);
        this.write(`dist/${format}/${file.replace(/ts$/, 'js')}`, outputText);
      }
    }
  }

  write(path: string, text: string): string {
    const file = join(this.folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** Compiles the fixture from src/ to out/, and runs it. */
  run({ format, map, bundled = false }: Build, ...nodeOptions: string[]): Said {
    const source = CATALOG.replaceAll('LIB', `../dist/${format}`);
    this.write('src/catalog.ts', source);
    const name = `catalog.${format === 'esm' ? 'mjs' : 'cjs'}`;
    const compiled = transpile(source, '../src/catalog.ts', format);
    let code = compiled.outputText.replace(/\/\/# sourceMappingURL.*/, '');
    let json = compiled.sourceMapText ?? '';
    if (bundled) {
      const webpack = json.replace('"../src/catalog.ts"', '"webpack://shop/./src/catalog.ts"');
      const minified = transformSync(code, {
        inputSourceMap: webpack,
        sourceMaps: true,
        minify: true,
        swcrc: false,
        isModule: format === 'esm',
        jsc: { target: 'es2022', minify: { compress: true, mangle: false } },
      });
      code = minified.code;
      json = minified.map ?? '';
    }
    if (map === 'inline') {
      code += `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(json).toString('base64')}\n`;
    } else if (map === 'external') {
      this.write(`out/${name}.map`, json);
      code += `\n//# sourceMappingURL=${name}.map\n`;
    }
    const file = this.write(`out/${name}`, code);
    return this.execute(file, ...nodeOptions);
  }

  execute(file: string, ...nodeOptions: string[]): Said {
    const { JEST_WORKER_ID: _jest, ...env } = process.env;
    const run = spawnSync(process.execPath, [...nodeOptions, file], {
      cwd: this.folder,
      env,
      encoding: 'utf8',
    });
    if (run.status !== 0) throw new Error(run.stderr);
    return JSON.parse(run.stdout) as Said;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function transpile(source: string, fileName: string, format: ModuleFormat): ts.TranspileOutput {
  const output = ts.transpileModule(source, {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: format === 'esm' ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS,
      esModuleInterop: true,
      sourceMap: true,
      inlineSources: true,
    },
  });
  const map = JSON.parse(output.sourceMapText ?? '{}') as { sources: string[] };
  map.sources = [fileName];
  return { ...output, sourceMapText: JSON.stringify(map) };
}
