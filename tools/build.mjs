// Builds the modules of the package, and of them the package itself twice, as ECMAScript modules and as CommonJS, each with
// its own type declarations.
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const fault = faultOfPlace();
if (fault !== undefined) {
  process.stderr.write(`${fault}\n`);
  process.exit(1);
}
const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));

/** What a newcomer may have overlooked, in one sentence. */
function faultOfPlace() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || major === 21 || (major === 20 && minor < 19) || (major === 22 && minor < 12))
    return `Node ${process.versions.node} is not supported: use 20.19, 22.12 or later`;
  if (!existsSync(`${root}/node_modules/typescript`)) return 'The dependencies are not installed: run npm ci';
  try {
    accessSync(root, constants.W_OK);
  } catch {
    return `This user may not write to ${root}: use a clone of your own`;
  }
  return undefined;
}

function compile() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
      cwd: root,
      stdio: 'inherit',
    });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error('tsc failed'))));
  });
}

await import('./build-thread.mjs');
rmSync(`${root}/dist`, { recursive: true, force: true });
const modules = `${root}/dist/modules`;
await compile();
writeFileSync(`${modules}/package.json`, `${JSON.stringify({ type: 'module' })}\n`);
await import('./build-page.mjs');
const { bundle, bundleMappings, bundleMcp } = await import('./bundle.mjs');
for (const format of ['esm', 'cjs']) await bundle(modules, `${root}/dist/${format}`, format);
await bundleMcp(modules, `${root}/dist/cjs`);
await bundleMappings(modules, `${root}/dist/cjs`);
// The schema of the reports, for whoever reads them in other languages.
const { REPORT_SCHEMA } = await import(new URL('../dist/modules/report/report-schema.js', import.meta.url));
writeFileSync(`${root}/dist/report-schema.json`, `${JSON.stringify(REPORT_SCHEMA, null, 1)}\n`);
