import { access, constants, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Why a file cannot be written. The message continues the file name. */
export class FileFault extends Error {}

/** Checks early that the folder is writable. @throws {@link FileFault} if it is not */
export async function checkFolder(path: string): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    throw writeFault(error);
  });
}

/** @throws {@link FileFault} for an existing file without `overwrite`, and for anything but a regular file */
export async function checkFree(path: string, overwrite: boolean): Promise<void> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw writeFault(error);
  });
  if (stats === undefined) return;
  if (!stats.isFile()) throw new FileFault('is not a regular file: use another output file');
  if (!overwrite) throw new FileFault('already exists: use --force to overwrite it');
}

/**
 * Writes a file atomically, readable by its owner only.
 * @returns its size in bytes
 * @throws {@link FileFault}; the error of the content
 */
export async function saveFile(
  content: AsyncIterable<Uint8Array>,
  path: string,
  overwrite: boolean,
): Promise<number> {
  const part = `${path}.${process.pid}.part`;
  // Exclusively, so that no existing file is overwritten.
  const file = await open(part, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw writeFault(error);
  });
  try {
    const sink = file.createWriteStream();
    await pipeline(content, sink);
    await checkFree(path, overwrite);
    // Reserves the name, so that a file created meanwhile is not overwritten.
    if (!overwrite) await (await open(path, 'wx', 0o600)).close();
    await rename(part, path);
    return sink.bytesWritten;
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw isSystem(error) ? writeFault(error) : error;
  }
}

/** Writes to a stream that stays open. @throws as {@link saveFile} */
export async function writeOut(content: AsyncIterable<Uint8Array>, stream: Writable): Promise<void> {
  try {
    await pipeline(content, stream, { end: false });
  } catch (error) {
    throw isSystem(error) ? writeFault(error) : error;
  }
}

/** Node's message without the system call and the path: `permission denied`. */
function writeFault({ message }: NodeJS.ErrnoException): FileFault {
  return new FileFault(
    `could not be written: ${message.replace(/^[A-Z]+: /, '').replace(/, \w+(?: '.*')?$/, '')}`,
  );
}

function isSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined;
}
