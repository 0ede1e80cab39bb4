import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputFault } from './input-fault.js';
import { formatFault } from './input-format.js';

const CHUNK_BYTES = 1024 * 1024;
/** Bytes that show the format. */
const FIRST_BYTES = 64;

/** The bytes of a file, or of stdin for `-`, decompressed if gzipped. @throws {InputFault} also for another format */
export async function* inputChunks(file: string, stdin: Readable): AsyncGenerator<Buffer> {
  const source: Readable = file === '-' ? stdin : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  let packed = false;
  try {
    const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let first = Buffer.alloc(0);
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      first = Buffer.concat([first, next.value]);
      if (first.length >= FIRST_BYTES) break;
    }
    packed = first[0] === 0x1f && first[1] === 0x8b;
    const whole = Readable.from(joined(first, chunks), { objectMode: false, highWaterMark: CHUNK_BYTES });
    if (!packed) yield* checked(whole);
    else yield* checked(pipeline(whole, createGunzip({ chunkSize: CHUNK_BYTES }), () => {}));
  } catch (error) {
    if (error instanceof InputFault) throw error;
    throw new InputFault(undefined, reasonOf(error as NodeJS.ErrnoException, packed));
  } finally {
    source.destroy();
  }
}

/** @throws {InputFault} for another format than JSON */
async function* checked(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const chunk of chunks) {
    const fault = isFirst ? formatFault(chunk) : undefined;
    if (fault !== undefined) throw fault;
    isFirst = false;
    yield chunk;
  }
}

async function* joined(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/** Node's message without the system call and the path: `no such file or directory`. */
function reasonOf({ message, code = '' }: NodeJS.ErrnoException, packed: boolean): string {
  const plain = message.replace(/^[A-Z]+: /, '').replace(/, \w+(?: '.*')?$/, '');
  return packed && code.startsWith('Z_') ? `Invalid gzip data: ${plain}` : plain;
}
