import { open, readFile, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The text of a source map, and the URL that its sources are relative to. */
export interface SourceMapText {
  readonly json: string;
  readonly url: string;
}

/** A reference to a file, and the text that some tools append to it, are shorter. */
const TAIL_BYTES = 4096;

const REFERENCE = /^[ \t]*(?:\/\/|\/\*)[#@] ?sourceMappingURL=(\S+?)[ \t]*(?:\*\/)?[ \t]*\r?$/gm;

/** The tail of the file begins within a `data:` URL: it is one long word of that URL's characters. */
const INSIDE_DATA_URL = /^[\w+/=%.~!'()*-]{64,}\s*$/m;

const DATA_URL = /^data:application\/json[^,]*?(;base64)?,(.*)$/s;

/**
 * Reads the source map that a file refers to, inline or in a file beside it.
 * @param maxBytes a larger map is not read
 * @returns undefined if there is none
 * @throws Error if it cannot be read
 */
export async function readSourceMap(path: string, maxBytes: number): Promise<SourceMapText | undefined> {
  const url = pathToFileURL(path).href;
  const reference = await findReference(path, maxBytes);
  // A map that only shares the file's name may come from an earlier build, and would give wrong lines.
  if (reference === undefined) return undefined;
  if (reference.startsWith('data:')) {
    const json = decodeDataUrl(reference);
    return json === undefined ? undefined : { json, url };
  }
  const target = new URL(reference, url);
  // No map is fetched over the network.
  return target.protocol === 'file:' ? readBounded(fileURLToPath(target), maxBytes) : undefined;
}

async function findReference(path: string, maxBytes: number): Promise<string | undefined> {
  const info = await stat(path);
  // Opening a pipe would wait for its writer.
  if (!info.isFile()) return undefined;
  const tail = await readTail(path, info.size);
  const found = lastReference(tail);
  if (found !== undefined || info.size <= TAIL_BYTES || info.size > maxBytes) return found;
  const start = tail.slice(0, tail.indexOf('\n') < 0 ? undefined : tail.indexOf('\n'));
  return INSIDE_DATA_URL.test(start) ? lastReference(await readFile(path, 'utf8')) : undefined;
}

async function readTail(path: string, size: number): Promise<string> {
  const file = await open(path);
  try {
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The last reference counts: a bundle may include those of its parts. */
function lastReference(code: string): string | undefined {
  let last: string | undefined;
  for (const match of code.matchAll(REFERENCE)) last = match[1];
  return last;
}

function decodeDataUrl(url: string): string | undefined {
  const match = DATA_URL.exec(url);
  if (match === null) return undefined;
  const [, base64, data = ''] = match;
  return base64 === undefined ? decodeURIComponent(data) : Buffer.from(data, 'base64').toString('utf8');
}

async function readBounded(path: string, maxBytes: number): Promise<SourceMapText | undefined> {
  const info = await stat(path);
  if (!info.isFile() || info.size > maxBytes) return undefined;
  return { json: await readFile(path, 'utf8'), url: pathToFileURL(path).href };
}
