import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { succeed } from './processes';

export const repository = join(__dirname, '..', '..');

/** A build takes 15 seconds, and several times that beside other work. */
const BUILD_TIMEOUT_MS = 180_000;

/** All that the package is built from. What is not there yet is left out, for the tests to miss it. */
const SOURCES = [
  'lib',
  'tools',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
];

/**
 * Builds and packs the library as it would be published, away from the repository, in which somebody else may be
 * building at the same time. A tarball is kept by what it was made of, so that the next one to ask does not build.
 * @returns the tarball's path
 */
export async function tarball(): Promise<string> {
  const kept = join(tmpdir(), `nestjs-performance-${await digestOfSources()}.tgz`);
  if (await exists(kept)) return kept;
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-build-'));
  try {
    for (const source of SOURCES) {
      const from = join(repository, source);
      if (await exists(from)) await cp(from, join(folder, source), { recursive: true });
    }
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'), 'junction');
    await succeed(process.execPath, ['tools/build.mjs'], folder, BUILD_TIMEOUT_MS);
    // It has just been built: a script of the package that builds it again would only take time.
    const { stdout } = await succeed('npm', ['pack', '--ignore-scripts', '--silent'], folder);
    await rename(join(folder, stdout.trim()), kept);
    return kept;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) await addTo(hash, source);
  return hash.digest('hex').slice(0, 16);
}

async function addTo(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const full = join(repository, path);
  if (!(await exists(full))) return;
  if ((await stat(full)).isDirectory()) {
    for (const name of (await readdir(full)).sort()) await addTo(hash, join(path, name));
  } else {
    hash.update(path).update(await readFile(full));
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
