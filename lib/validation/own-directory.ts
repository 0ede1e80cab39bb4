import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, opendir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { currentUser } from './own-file.js';

/**
 * Stored data describes code, and heap snapshots contain secrets, so only the owner may enter a directory. The same holds for
 * directories above that do not exist yet, in which data of another kind may be kept later.
 */
const PRIVATE = 0o700;
const WRITE_OF_OTHERS = 0o022;

/** What a directory may be. */
export interface DirectoryRule {
  /** The permissions that other users must not have: 0o077 for none at all, 0o022 for reading alone. */
  readonly forbidden: number;
  /** Whether this library has written a file of this name. */
  readonly isOwnName: (name: string) => boolean;
  /** What the directory should contain alone, in the plural. */
  readonly content: string;
}

/**
 * Creates a directory with its parents if it does not exist, for this user only.
 * @param path absolute and without a trailing slash, which would follow a symbolic link
 * @throws Error as {@link findDirectory}, or if it cannot be created
 */
export async function makeDirectory(path: string, rule: DirectoryRule): Promise<void> {
  if (await findDirectory(path, rule)) return;
  await mkdir(dirname(path), { recursive: true, mode: PRIVATE });
  try {
    await mkdir(path, PRIVATE);
    // The umask may have removed permissions of the owner.
    await chmod(path, PRIVATE);
  } catch (error) {
    // Another process may have created it first, or put something else in its place.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await findDirectory(path, rule))) throw error;
  }
}

/**
 * Whether a directory exists. Removes forbidden permissions of other users if it contains only files of this library. The
 * files themselves are checked when they are opened, as others may have written them before.
 *
 * Users who may write to a directory above can replace it by another one, but not by one with files that pass this check
 * and are not this user's own.
 * @throws Error with the problem and the solution, if the directory must not be used
 */
export async function findDirectory(path: string, rule: DirectoryRule): Promise<boolean> {
  const stats = await statsOf(path);
  if (stats === undefined) return false;
  if (stats.isSymbolicLink())
    throw new Error('it is a symbolic link: use the directory itself, or one that does not exist yet');
  if (!stats.isDirectory())
    throw new Error('it is not a directory: use one, or a path that does not exist yet');
  // Where users have no ids (Windows), there are no permission bits either.
  const user = currentUser();
  if (user === undefined) return true;
  if (stats.uid !== user)
    throw new Error(
      `it belongs to user ${stats.uid} but this process runs as ${user}: use a directory of this user, or one that does not exist yet, such as ${join(path, rule.content)}`,
    );
  if ((stats.mode & rule.forbidden) !== 0) await closeToOthers(path, stats, rule);
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

async function closeToOthers(path: string, { mode }: Stats, rule: DirectoryRule): Promise<void> {
  const otherFile = await findOtherFile(path, rule);
  // Other users may rely on a shared directory.
  if (otherFile !== undefined)
    throw new Error(
      `other users may ${(mode & WRITE_OF_OTHERS) === 0 ? 'enter' : 'write to'} it (mode ${(mode & 0o777).toString(8)}), and it contains other files (${JSON.stringify(otherFile)}): use a directory for ${rule.content} only, such as ${join(path, rule.content)}, or set its mode to 700`,
    );
  await chmod(path, PRIVATE);
}

/** The first entry of a directory that this library has not written. */
async function findOtherFile(path: string, { isOwnName }: DirectoryRule): Promise<string | undefined> {
  for await (const entry of await opendir(path)) {
    if (!entry.isFile() || !isOwnName(entry.name)) return entry.name;
  }
  return undefined;
}
