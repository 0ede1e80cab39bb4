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

/** The build writes it last, and removes it first. */
const BUILT_LAST = 'dist/report-schema.json';

/**
 * Packs the library as it would be published, away from the repository, in which somebody else may be building at the
 * same time. What `npm run build` made is taken where it is newer than all sources; otherwise it is built. A tarball is
 * kept by what it was made of, so that the next one to ask does neither.
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
    if (await isBuilt()) await cp(join(repository, 'dist'), join(folder, 'dist'), { recursive: true });
    else await succeed(process.execPath, ['tools/build.mjs'], folder, BUILD_TIMEOUT_MS);
    // It has just been built: a script of the package that builds it again would only take time.
    const { stdout } = await succeed('npm', ['pack', '--ignore-scripts', '--silent'], folder);
    await rename(join(folder, stdout.trim()), kept);
    return kept;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isBuilt(): Promise<boolean> {
  if (!(await exists(join(repository, BUILT_LAST)))) return false;
  const modifiedAt = async (path: string): Promise<number> => (await stat(join(repository, path))).mtimeMs;
  const builtAt = await modifiedAt(BUILT_LAST);
  // A folder is modified by what is removed from it.
  for (const path of await sources()) if ((await modifiedAt(path)) > builtAt) return false;
  return true;
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await sources()) {
    const full = join(repository, path);
    if ((await stat(full)).isFile()) hash.update(path).update(await readFile(full));
  }
  return hash.digest('hex').slice(0, 16);
}

/** All files and folders that the package is built from. */
async function sources(): Promise<string[]> {
  const found: string[] = [];
  for (const source of SOURCES) {
    const full = join(repository, source);
    if (!(await exists(full))) continue;
    found.push(source);
    if ((await stat(full)).isDirectory())
      found.push(...(await readdir(full, { recursive: true })).sort().map((name) => join(source, name)));
  }
  return found;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
