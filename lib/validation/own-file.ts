import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Follows no symbolic links and waits for no pipe. A flag that the system does not have (Windows) is undefined, and has
 * no effect.
 */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A file that may have been written by another user. */
export class ForeignFileError extends Error {}

/** The id of the user whose files this process writes. Undefined where users have no ids (Windows). */
export function currentUser(): number | undefined {
  return process.geteuid?.();
}

/**
 * Why another user may have written a file, as a sentence without its subject; undefined if none can have. Always
 * undefined where users have no ids (Windows).
 */
export function foreignReason({ uid, mode }: Stats): string | undefined {
  const user = currentUser();
  if (user === undefined) return undefined;
  if (uid !== user) return `it belongs to user ${uid} but this process runs as ${user}`;
  if ((mode & WRITABLE_BY_OTHERS) !== 0)
    return `other users may write to it (mode ${(mode & 0o777).toString(8)})`;
  return undefined;
}

/**
 * Opens a regular file for reading without following a link; the caller closes it. What is checked is the opened file,
 * so that replacing it meanwhile has no effect.
 * @param options.own whether the file must be one that only this user can have written
 * @throws ForeignFileError if another user may have written it; Error if it does not exist or is not a file
 */
export async function openFile(
  path: string,
  { own }: { readonly own: boolean },
): Promise<{ file: FileHandle; stats: Stats }> {
  const file = await open(path, READ);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is not a regular file');
    const reason = own ? foreignReason(stats) : undefined;
    if (reason !== undefined) throw new ForeignFileError(reason);
    return { file, stats };
  } catch (error) {
    await file.close();
    throw error;
  }
}
