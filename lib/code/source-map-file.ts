import { open, readFile, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The text of a source map, and the URL that its sources are relative to. */
export interface SourceMapText {
  readonly json: string;
  readonly url: string;
}

/** A reference to a file, and what some tools write after it, are shorter. */
const TAIL_BYTES = 4096;

const REFERENCE = /^[ \t]*(?:\/\/|\/\*)[#@] ?sourceMappingURL=(\S+?)[ \t]*(?:\*\/)?[ \t]*\r?$/gm;

/** The end of a file begins in the middle of a `data:` URL: one long word of what such a URL consists of. */
const INSIDE_DATA_URL = /^[\w+/=%.~!'()*-]{64,}\s*$/m;

const DATA_URL = /^data:application\/json[^,]*?(;base64)?,(.*)$/s;

/**
 * Finds and reads the source map of a file: the one it refers to, in itself or beside it.
 * @param maxBytes what is larger is not read
 * @returns nothing where there is none; rejects where one cannot be read
 */
export async function readSourceMap(path: string, maxBytes: number): Promise<SourceMapText | undefined> {
  const url = pathToFileURL(path).href;
  const reference = await findReference(path, maxBytes);
  // A map that merely bears the file's name may be left over from an earlier build, and lead to wrong lines.
  if (reference === undefined) return undefined;
  if (reference.startsWith('data:')) {
    const json = decodeDataUrl(reference);
    return json === undefined ? undefined : { json, url };
  }
  const target = new URL(reference, url);
  // Nothing is fetched.
  return target.protocol === 'file:' ? readBounded(fileURLToPath(target), maxBytes) : undefined;
}

async function findReference(path: string, maxBytes: number): Promise<string | undefined> {
  const info = await stat(path);
  // Opening a pipe would wait for whoever writes to it.
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

/** The last one counts: a bundle may hold those of its parts. */
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
