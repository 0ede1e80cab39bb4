import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputFault } from './input-fault.js';

const CHUNK_BYTES = 1024 * 1024;

/** The bytes of a file, or of stdin for `-`, decompressed if gzipped. @throws {InputFault} */
export async function* inputChunks(file: string, stdin: Readable): AsyncGenerator<Buffer> {
  const source: Readable = file === '-' ? stdin : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  let packed = false;
  try {
    const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let first = Buffer.alloc(0);
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      first = Buffer.concat([first, next.value]);
      if (first.length > 1) break;
    }
    packed = first[0] === 0x1f && first[1] === 0x8b;
    const whole = Readable.from(joined(first, chunks), { objectMode: false, highWaterMark: CHUNK_BYTES });
    if (!packed) yield* whole;
    else yield* pipeline(whole, createGunzip({ chunkSize: CHUNK_BYTES }), () => {});
  } catch (error) {
    throw new InputFault(undefined, reasonOf(error as NodeJS.ErrnoException, packed));
  } finally {
    source.destroy();
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
