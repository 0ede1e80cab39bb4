import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const BOOKS = Array.from({ length: 120_000 }, (_, n) => ({
  id: n,
  title: `Book ${n}`,
  tags: ['used', 'paper'],
}));
export const MANY_BOOKS = JSON.stringify(BOOKS);

/** A body that its client sends slowly. */
export function slowBody(): ReadableStream {
  return Readable.toWeb(Readable.from(parts())) as ReadableStream;
}

async function* parts(): AsyncGenerator<Buffer> {
  yield Buffer.from('{"books":"');
  for (let part = 0; part < 5; part++) {
    await sleep(40);
    yield Buffer.from('0123456789');
  }
  yield Buffer.from('"}');
}
