import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { temporaryPath } from './profile-names.js';

/** A profile as text or bytes, whole or as it comes. */
export type ProfileContent = string | Uint8Array | AsyncIterable<Uint8Array | string>;

type Chunks = AsyncIterator<Uint8Array | string>;

/** Keeps a stream that fails before it is read from ending the process: its error is told to whoever reads it. */
export function holdContent(content: ProfileContent): void {
  if (content instanceof Readable) content.on('error', () => {});
}

/** Ends the source of what will not be read any more. Waits for nothing: a source that hangs would hang us. */
export function letGo(content: ProfileContent, chunks?: Chunks): void {
  if (isWhole(content)) return;
  // The iterator of a stream that was not begun, or that hangs, would not destroy it.
  if (content instanceof Readable) content.destroy();
  else void close(content, chunks);
}

async function close(content: AsyncIterable<Uint8Array | string>, chunks?: Chunks): Promise<void> {
  try {
    await (chunks ?? content[Symbol.asyncIterator]()).return?.();
  } catch {
    // It is of no use any more.
  }
}

/**
 * Writes a file that appears whole or not at all, and that only its owner may read.
 * @returns its size in bytes
 * @throws Error where it cannot be written or would be larger than `maxBytes`; the signal's reason; what the content throws
 */
export async function writeWhole(
  path: string,
  content: ProfileContent,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<number> {
  const temporary = temporaryPath(path);
  try {
    // Exclusively: neither a file nor a symbolic link that lies there is written to.
    const file = await open(temporary, 'wx', 0o600);
    let bytes: number;
    try {
      // The umask may have taken rights of the owner's.
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
    if (bytes > maxBytes) throw new Error(`the profile is larger than what may be kept (${maxBytes} bytes)`);
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
    letGo(content, chunks);
    throw error;
  }
}

function isWhole(content: ProfileContent): content is string | Uint8Array {
  return typeof content === 'string' || ArrayBuffer.isView(content);
}

/** Not by Promise.race: a promise of the signal's would hold every chunk until the last is written. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
