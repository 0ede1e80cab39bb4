import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, opendir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseProfileName } from './profile-names.js';

/** Profiles tell of code and heap snapshots hold secrets: the directory is its owner's alone. */
const PRIVATE = 0o700;
const OF_OTHERS = 0o077;

/**
 * Makes the directory of profiles, with its parents, where there is none.
 * @param path absolute and without a slash at its end, which would follow a symbolic link
 * @throws Error as {@link findDirectory}, or where it cannot be made
 */
export async function makeDirectory(path: string): Promise<void> {
  if (await findDirectory(path)) return;
  await mkdir(dirname(path), { recursive: true });
  try {
    await mkdir(path, PRIVATE);
    // The umask may have taken rights of the owner's.
    await chmod(path, PRIVATE);
  } catch (error) {
    // Another process may have been faster, or somebody may want us to write elsewhere.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await findDirectory(path))) throw error;
  }
}

/**
 * Whether there is a directory of profiles. One of ours that others may enter is closed to them.
 * @throws Error that says what is wrong with it and what is wanted, where nothing should be written to it or read from it
 */
export async function findDirectory(path: string): Promise<boolean> {
  const stats = await statsOf(path);
  if (stats === undefined) return false;
  if (stats.isSymbolicLink())
    throw new Error('it is a symbolic link: give the directory itself, or one that does not exist yet');
  if (!stats.isDirectory())
    throw new Error('it is not a directory: give one, or one that does not exist yet');
  // Where users have no numbers (Windows), rights are no bits either.
  const user = process.getuid?.();
  if (user === undefined) return true;
  if (stats.uid !== user)
    throw new Error(
      `it belongs to user ${stats.uid} and this process runs as ${user}: give a directory of this user's, or one that does not exist yet, such as ${join(path, 'profiles')}`,
    );
  if ((stats.mode & OF_OTHERS) !== 0) await closeToOthers(path, stats);
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
  const foreign = await findForeign(path);
  // Whoever shares it with others would be locked out.
  if (foreign !== undefined)
    throw new Error(
      `other users may enter it (mode ${(mode & 0o777).toString(8)}), and it holds what is not ours (${JSON.stringify(foreign)}): give a directory for profiles alone, such as ${join(path, 'profiles')}, or set its mode to 700`,
    );
  await chmod(path, PRIVATE);
}

/** The first thing in a directory that is no file of ours. */
async function findForeign(path: string): Promise<string | undefined> {
  for await (const entry of await opendir(path)) {
    if (!entry.isFile() || parseProfileName(entry.name) === undefined) return entry.name;
  }
  return undefined;
}
