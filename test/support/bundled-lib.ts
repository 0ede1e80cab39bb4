import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, buildSync } from 'esbuild';
import { ROOT } from './child-app.js';

/**
 * Bundles parts of lib/ for programs that run in plain Node, without Jest's contexts and transforms.
 * @param entries paths below lib/ without `.ts`; each becomes a file of the same path below `folder`
 */
export function bundleLib(
  folder: string,
  entries: readonly string[],
  { format, minify = false }: { format: 'esm' | 'cjs'; minify?: boolean },
): void {
  const options: BuildOptions = {
    absWorkingDir: ROOT,
    entryPoints: entries.map((entry) => `lib/${entry}.ts`),
    outbase: 'lib',
    outdir: folder,
    bundle: true,
    // Entries share their state, as the files of a build do.
    splitting: format === 'esm',
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format,
    minify,
    logLevel: 'error',
  };
  buildSync(options);
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ type: format === 'esm' ? 'module' : 'commonjs' }),
  );
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
}
