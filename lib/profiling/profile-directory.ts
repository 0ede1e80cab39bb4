import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, opendir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseProfileName } from './profile-names.js';

/** Profiles describe code, and heap snapshots contain secrets, so only the owner may enter the directory. */
const PRIVATE = 0o700;
const PERMISSIONS_OF_OTHERS = 0o077;

/**
 * Creates the directory of profiles, with its parents, if it does not exist.
 * @param path absolute and without a trailing slash, which would follow a symbolic link
 * @throws Error as {@link findDirectory}, or if it cannot be created
 */
export async function makeDirectory(path: string): Promise<void> {
  if (await findDirectory(path)) return;
  await mkdir(dirname(path), { recursive: true });
  try {
    await mkdir(path, PRIVATE);
    // The umask may have removed permissions of the owner.
    await chmod(path, PRIVATE);
  } catch (error) {
    // Another process may have created it first, or put something else in its place.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await findDirectory(path))) throw error;
  }
}

/**
 * Whether the directory of profiles exists. Removes the permissions of other users if it contains only profiles.
 * @throws Error with the problem and the solution, if the directory must not be used
 */
export async function findDirectory(path: string): Promise<boolean> {
  const stats = await statsOf(path);
  if (stats === undefined) return false;
  if (stats.isSymbolicLink())
    throw new Error('it is a symbolic link: use the directory itself, or one that does not exist yet');
  if (!stats.isDirectory())
    throw new Error('it is not a directory: use one, or a path that does not exist yet');
  // Where users have no ids (Windows), there are no permission bits either.
  const user = process.getuid?.();
  if (user === undefined) return true;
  if (stats.uid !== user)
    throw new Error(
      `it belongs to user ${stats.uid} but this process runs as ${user}: use a directory of this user, or one that does not exist yet, such as ${join(path, 'profiles')}`,
    );
  if ((stats.mode & PERMISSIONS_OF_OTHERS) !== 0) await closeToOthers(path, stats);
  return true;
}

async function statsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function closeToOthers(path: string, { mode }: Stats): Promise<void> {
  const otherFile = await findOtherFile(path);
  // Other users may rely on a shared directory.
  if (otherFile !== undefined)
    throw new Error(
      `other users may enter it (mode ${(mode & 0o777).toString(8)}), and it contains other files (${JSON.stringify(otherFile)}): use a directory for profiles only, such as ${join(path, 'profiles')}, or set its mode to 700`,
    );
  await chmod(path, PRIVATE);
}

/** The first entry of a directory that this library has not written. */
async function findOtherFile(path: string): Promise<string | undefined> {
  for await (const entry of await opendir(path)) {
    if (!entry.isFile() || parseProfileName(entry.name) === undefined) return entry.name;
  }
  return undefined;
}
