import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { temporaryPath } from './profile-names.js';

/** The content of a profile, as a whole or streamed. */
export type ProfileContent = string | Uint8Array | AsyncIterable<Uint8Array | string>;

type Chunks = AsyncIterator<Uint8Array | string>;

/** Prevents a stream that fails before it is read from ending the process; its reader still receives the error. */
export function holdContent(content: ProfileContent): void {
  if (content instanceof Readable) content.on('error', () => {});
}

/** Closes a source that will not be read any more. Does not wait, because a source may hang. */
export function closeContent(content: ProfileContent, chunks?: Chunks): void {
  if (isWhole(content)) return;
  // The iterator of a stream that was not started, or that hangs, would not destroy it.
  if (content instanceof Readable) content.destroy();
  else void close(content, chunks);
}

async function close(content: AsyncIterable<Uint8Array | string>, chunks?: Chunks): Promise<void> {
  try {
    await (chunks ?? content[Symbol.asyncIterator]()).return?.();
  } catch {
    // The source is not needed any more.
  }
}

/**
 * Writes a file atomically, readable only by its owner.
 * @returns its size in bytes
 * @throws Error if it cannot be written or would exceed `maxBytes`; the signal's reason if aborted; the content's
 * errors
 */
export async function writeWhole(
  path: string,
  content: ProfileContent,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<number> {
  const temporary = temporaryPath(path);
  try {
    // Exclusively, so that an existing file or symbolic link is not written to.
    const file = await open(temporary, 'wx', 0o600);
    let bytes: number;
    try {
      // The umask may have removed permissions of the owner.
      await file.chmod(0o600);
      bytes = await writeContent(file, content, maxBytes, signal);
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await rename(temporary, path);
    return bytes;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

async function writeContent(
  file: FileHandle,
  content: ProfileContent,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<number> {
  let bytes = 0;
  const write = async (chunk: Uint8Array | string): Promise<void> => {
    bytes += Buffer.byteLength(chunk);
    if (bytes > maxBytes) throw new Error(`the profile exceeds the limit of ${maxBytes} bytes`);
    await file.writeFile(chunk);
  };
  if (isWhole(content)) {
    await write(content);
    return bytes;
  }
  const chunks = content[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await orAborted(chunks.next(), signal);
      if (done === true) return bytes;
      await write(value);
    }
  } catch (error) {
    closeContent(content, chunks);
    throw error;
  }
}

function isWhole(content: ProfileContent): content is string | Uint8Array {
  return typeof content === 'string' || ArrayBuffer.isView(content);
}

/** Instead of Promise.race, with which a promise for the signal would retain every chunk until the last is written. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
