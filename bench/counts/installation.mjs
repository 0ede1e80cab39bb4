// Counts what is installed with this package, itself included: its dependencies and theirs, without peers.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** @returns counts by their names */
export async function countInstallation() {
  const folders = dependencies();
  const sizes = folders.flatMap((folder) => sizesIn(join(root, folder)));
  const { entryCount, unpackedSize } = await packed();
  return {
    'installation: packages': folders.length + 1,
    'installation: files': sizes.length + entryCount,
    'installation: bytes': sizes.reduce((sum, size) => sum + size, 0) + unpackedSize,
    'this package: files': entryCount,
    'this package: bytes': unpackedSize,
  };
}

/** The folders of all packages that this one needs, as the lock file has them. */
function dependencies() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const found = new Set(['']);
  for (const path of found) {
    for (const name of Object.keys(packages[path].dependencies ?? {})) {
      found.add(resolve(packages, path, name));
    }
  }
  found.delete('');
  return [...found];
}

/** Where a package finds another one: in its own folder, or in those around it. */
function resolve(packages, path, name) {
  for (let around = path; ; around = around.slice(0, Math.max(0, around.lastIndexOf('/node_modules/')))) {
    const found = around === '' ? `node_modules/${name}` : `${around}/node_modules/${name}`;
    if (Object.hasOwn(packages, found)) return found;
    if (around === '') throw new Error(`package-lock.json has no ${name}, which ${path} needs`);
  }
}

/** The sizes of a package's files, without those of the packages within its folder. */
function sizesIn(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sizesIn(path) : [statSync(path).size];
    });
}

async function packed() {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
  });
  return Object.values(JSON.parse(stdout))[0];
}
