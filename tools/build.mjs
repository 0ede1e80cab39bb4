// Builds the package twice, as ECMAScript modules and as CommonJS, each with its own type declarations.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));

function compile(...options) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json', ...options], {
      cwd: root,
      stdio: 'inherit',
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`tsc ${options.join(' ')} failed`)),
    );
  });
}

rmSync(`${root}/dist`, { recursive: true, force: true });
await Promise.all([compile(), compile('--module', 'commonjs', '--outDir', 'dist/cjs')]);
for (const [folder, type] of [
  ['esm', 'module'],
  ['cjs', 'commonjs'],
]) {
  mkdirSync(`${root}/dist/${folder}`, { recursive: true });
  writeFileSync(`${root}/dist/${folder}/package.json`, `${JSON.stringify({ type })}\n`);
}
await import('./build-page.mjs');
// The schema of the reports, for whoever reads them in other languages.
const { REPORT_SCHEMA } = await import(new URL('../dist/esm/report/report-schema.js', import.meta.url));
writeFileSync(`${root}/dist/report-schema.json`, `${JSON.stringify(REPORT_SCHEMA, null, 2)}\n`);
