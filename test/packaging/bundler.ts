import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';
import { succeed } from './processes';
import { repository, tarball } from './tarball';
import { unpack } from './unpack';

export type Bundler = 'esbuild' | 'webpack' | 'webpack-5.100' | 'rspack' | 'ncc';

/** The packages of bundlers that are not among the repository's, because they are large. */
const PACKAGES = ['webpack@5', 'webpack-5.100@npm:webpack@~5.100.0', '@rspack/core@2', '@vercel/ncc@0'];
const INSTALL_TIMEOUT_MS = 240_000;

/** What Nest and drivers load only where it is installed. */
const OPTIONAL = [
  '@nestjs/microservices',
  '@nestjs/websockets',
  '@nestjs/terminus',
  '@fastify/static',
  '@fastify/view',
  '@datadog/pprof',
  'class-transformer',
  'class-validator',
  'pg-native',
];

/** Lays out an application that has the packed library installed, for bundlers, and compiles it. */
export async function bundledApplication(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  for (const [path, content] of unpack(readFileSync(await tarball()))) {
    const file = join(modules, 'nestjs-performance', path.replace(/^package\//, ''));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  const installed = join(repository, 'node_modules');
  for (const name of readdirSync(installed))
    if (!name.startsWith('.') && name !== '@datadog' && !OPTIONAL.includes(name))
      symlinkSync(join(installed, name), join(modules, name), 'junction');
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'bundled', version: '1.0.0' }));
  const source = readFileSync(join(__dirname, 'bundled', 'application.ts'), 'utf8');
  for (const [extension, module] of [
    ['mjs', ts.ModuleKind.ES2022],
    ['cjs', ts.ModuleKind.CommonJS],
  ] as const) {
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        module,
        target: ts.ScriptTarget.ES2022,
        experimentalDecorators: true,
        esModuleInterop: true,
      },
    });
    writeFileSync(join(folder, `application.${extension}`), outputText);
  }
}

export async function installBundlers(folder: string): Promise<void> {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'bundlers', private: true }));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...PACKAGES];
  await succeed('npm', args, folder, INSTALL_TIMEOUT_MS);
}

/** Bundles with esbuild into one file. Its source map is written, but the bundle does not refer to it unless `mapped`. */
export async function bundleByEsbuild(
  folder: string,
  format: 'cjs' | 'esm',
  { minify = false, mapped = false } = {},
): Promise<string> {
  const name = `esbuild-${format}${minify ? '-minified' : ''}${mapped ? '-mapped' : ''}`;
  const outfile = join(folder, 'bundles', `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`);
  const require =
    "import{createRequire as nodeRequire}from'node:module';const require=nodeRequire(import.meta.url);";
  await build({
    entryPoints: [join(folder, 'application.mjs')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format,
    minify,
    sourcemap: mapped ? 'linked' : 'external',
    external: OPTIONAL,
    outfile,
    logLevel: 'error',
    ...(format === 'esm' && { banner: { js: require } }),
  });
  return outfile;
}

/** A program for a process of its own: bundlers have no place in Jest's modules. */
export async function bundleBy(
  bundler: Exclude<Bundler, 'esbuild'>,
  folder: string,
  tools: string,
  format: 'cjs' | 'esm',
): Promise<string> {
  const program = join(tools, 'bundle.cjs');
  copyFileSync(join(__dirname, 'bundled', 'bundle.cjs'), program);
  const args = [program, bundler, folder, format, JSON.stringify(OPTIONAL)];
  const { stdout } = await succeed(process.execPath, args, tools, INSTALL_TIMEOUT_MS);
  return stdout.trim().split('\n').at(-1) as string;
}
