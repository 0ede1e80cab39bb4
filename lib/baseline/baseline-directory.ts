import { constants } from 'node:fs';
import { lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCooperatively } from '../async/cooperative.js';
import type { DirectoryRule } from '../validation/own-directory.js';
import { openFile } from '../validation/own-file.js';
import { MAX_SNAPSHOT_BYTES } from './baseline-snapshot.js';

export const EXTENSION = '.baseline';
const CORRUPT = '.corrupt';
const PART = '.part';
/** The number of damaged files kept for inspection. */
export const MAX_CORRUPT = 5;
/** An older partial file was left by a killed process. */
const PART_MAX_AGE_MS = 10 * 60_000;

/** The directory of baselines. Others may list it, as its files are private. */
export const BASELINE_DIRECTORY: DirectoryRule = {
  forbidden: 0o022,
  isOwnName: (name) =>
    [EXTENSION, `${EXTENSION}${PART}`, `${EXTENSION}${CORRUPT}`].some((end) => name.endsWith(end)),
  content: 'baselines',
};

/** Writes a file atomically: it appears complete or not at all, even if the process or the machine stops. */
export async function writeWhole(
  directory: string,
  name: string,
  pieces: Generator<string, void>,
): Promise<void> {
  const part = join(directory, `${name}${PART}`);
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const file = await open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    await runCooperatively(pieces, (piece) => {
      const chunk = Buffer.from(piece);
      bytes += chunk.length;
      if (bytes > MAX_SNAPSHOT_BYTES) throw new Error(`it is larger than ${MAX_SNAPSHOT_BYTES} bytes`);
      chunks.push(chunk);
    });
    await file.writev(chunks);
    if ((await file.stat()).size !== bytes) throw new Error('it could not be written completely');
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(part, { force: true }).catch(() => {});
    throw error;
  }
  await file.close();
  await rename(part, join(directory, name));
  await syncDirectory(directory);
}

/**
 * Reads a regular file without following links.
 * @param options.own whether the file must be one that only this user can have written
 * @throws ForeignFileError if another user may have written it; Error if it cannot be read
 */
export async function readWhole(path: string, options: { readonly own: boolean }): Promise<string> {
  const { file, stats } = await openFile(path, options);
  try {
    if (stats.size > MAX_SNAPSHOT_BYTES) throw new Error(`it is larger than ${MAX_SNAPSHOT_BYTES} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Renames a damaged file, and removes the oldest of such files. */
export async function setAside(directory: string, name: string): Promise<void> {
  const path = join(directory, name);
  await rename(path, `${path}${CORRUPT}`);
  const kept: { path: string; at: number }[] = [];
  for (const other of await readdir(directory)) {
    if (!other.endsWith(`${EXTENSION}${CORRUPT}`)) continue;
    const stats = await lstat(join(directory, other)).catch(() => undefined);
    if (stats !== undefined) kept.push({ path: join(directory, other), at: stats.ctimeMs });
  }
  kept.sort((one, other) => other.at - one.at);
  for (const { path: old } of kept.slice(MAX_CORRUPT)) await rm(old, { force: true });
}

/** Removes partial files of killed processes. */
export async function removeParts(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (!name.endsWith(`${EXTENSION}${PART}`)) continue;
    const path = join(directory, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats !== undefined && Date.now() - stats.mtimeMs > PART_MAX_AGE_MS) await rm(path, { force: true });
  }
}

/** Makes the rename durable. Some file systems do not support it; the file is complete anyway. */
async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, constants.O_RDONLY);
    await handle.sync().finally(() => handle.close());
  } catch {}
}
