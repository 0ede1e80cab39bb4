import { access, constants, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A file that cannot be written, in words that begin after its name. */
export class FileFault extends Error {}

/** Before somebody waits for what could not be kept then. @throws {@link FileFault} where no file can be written */
export async function checkFolder(path: string): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((error: NodeJS.ErrnoException) => {
    throw writeFault(error);
  });
}

/** @throws {@link FileFault} for a file that exists, unless it is to be overwritten, and for what is no regular file */
export async function checkFree(path: string, overwrite: boolean): Promise<void> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw writeFault(error);
  });
  if (stats === undefined) return;
  if (!stats.isFile()) throw new FileFault('is no regular file: give another one to --output');
  if (!overwrite) throw new FileFault('exists already: give --force to overwrite it');
}

/**
 * Writes a file that appears whole or not at all, and that only its owner may read.
 * @returns its size in bytes
 * @throws {@link FileFault}; what the content fails with
 */
export async function saveFile(
  content: AsyncIterable<Uint8Array>,
  path: string,
  overwrite: boolean,
): Promise<number> {
  const part = `${path}.${process.pid}.part`;
  // Exclusively: what lies there is not ours.
  const file = await open(part, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw writeFault(error);
  });
  try {
    const sink = file.createWriteStream();
    await pipeline(content, sink);
    await checkFree(path, overwrite);
    // Takes the name, so that what comes there meanwhile is not written over.
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

/** Node's message without the call and the path: `permission denied`. */
function writeFault({ message }: NodeJS.ErrnoException): FileFault {
  return new FileFault(
    `could not be written: ${message.replace(/^[A-Z]+: /, '').replace(/, \w+(?: '.*')?$/, '')}`,
  );
}

function isSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined;
}
